/** Completed tasks of an earlier process, read only when somebody asks: nobody can tell. */

import { describe, expect, test } from "bun:test"

import type { Effect } from "../../src/core/effects.ts"
import { isSealable, unseal } from "../../src/core/sealed.ts"
import type { SealedRow } from "../../src/core/sealed.ts"
import type { TaskRow } from "../../src/core/task.ts"
import { CoreRig } from "../helpers/core-rig.ts"
import { rowOf, settledRow } from "../helpers/rows.ts"

const START = 1_700_000_000_000
const parent = { sessionID: "ses_parent", batch: "turn1" }

function done(of: Partial<TaskRow> = {}): TaskRow {
  const row = settledRow({ settledAt: START - 10_000, ...of })
  return { ...row, spec: { ...row.spec, server: "s" } }
}

function sealed(row: TaskRow, over: Partial<SealedRow> = {}): SealedRow {
  const { id, order, settledAt = 0, sessionID, spec } = row
  return {
    id,
    order,
    server: spec.server,
    settledAt,
    ...(sessionID === undefined ? {} : { sessionID }),
    ...(spec.parent === undefined ? {} : { parent: spec.parent.sessionID }),
    text: JSON.stringify(row),
    ...over,
  }
}

/** Two successors of one dead coordinator: one is handed rows, the other the same sealed. */
function twins(rows: readonly TaskRow[]): { plain: CoreRig; lazy: CoreRig } {
  const [plain, lazy] = [new CoreRig(), new CoreRig()]
  plain.step({ type: "recover", rows, sessions: "dead" })
  const open = rows.filter((row) => !isSealable(row))
  lazy.step({
    type: "recover",
    rows: open,
    sealed: rows.filter((row) => isSealable(row)).map((row) => sealed(row)),
    sessions: "dead",
  })
  return { plain, lazy }
}

const rows = [done(), done({ spec: { ...rowOf().spec, server: "s", parent } }), done()]
const [first, ofParent, third] = rows as [TaskRow, TaskRow, TaskRow]

describe("sealed rows", () => {
  test("are what is completed and owed to nobody", () => {
    expect(isSealable(first)).toBe(true)
    expect(isSealable({ ...first, state: "error" })).toBe(false)
    expect(isSealable({ ...first, notice: { state: "owed", tail: "x" } })).toBe(false)
    expect(isSealable(rowOf())).toBe(false)
  })

  const doings: Readonly<Record<string, (rig: CoreRig) => unknown>> = {
    "read one by one": ({ core }) => rows.map(({ id }) => core.get(id)),
    "found by session": ({ core }) => rows.map(({ sessionID = "" }) => core.get(core.findBySession(sessionID) ?? "")),
    listed: ({ core }) => [...core.list()],
    "listed by conversation": ({ core }) => [...core.list(parent.sessionID)],
    "cancelled: they stay as they are": (rig) => rig.step({ type: "cancel", id: first.id, reason: "USER" }),
    "read by their parent": (rig) => rig.step({ type: "read", id: ofParent.id }),
    continued: (rig) => rig.step({ type: "continue", id: third.id, prompt: "and then?" }),
    "asked for their session": (rig) =>
      rig.step({ type: "launch", id: "bg_new00000", spec: { ...first.spec, sessionID: first.sessionID ?? "" } }),
    "forgotten when their time has come": (rig): Effect[] => rig.pass(rig.options.retainMs + 1),
    ended: (rig) => rig.step({ type: "close", mode: "abort" }),
  }
  for (const [what, act] of Object.entries(doings)) {
    test(`behave as rows do: ${what}`, () => {
      const { plain, lazy } = twins(rows)
      expect(act(lazy)).toEqual(act(plain))
      expect([...lazy.core.list()]).toEqual([...plain.core.list()])
      expect(lazy.core.sizes()).toEqual(plain.core.sizes())
    })
  }

  test("come after nothing that was launched since: a new task's order is behind theirs", () => {
    const { lazy } = twins([done({ order: 500 })])
    expect(lazy.row(lazy.launch()).order).toBe(501)
  })

  test("known already, they are not taken again", () => {
    const { lazy } = twins([first])
    lazy.step({ type: "continue", id: first.id, prompt: "and then?" })
    lazy.step({ type: "recover", rows: [], sealed: [sealed(first)], sessions: "dead" })
    expect(lazy.row(first.id).epoch).toBe(2)
  })

  test("take order and server from their place, not from their text", () => {
    expect(unseal(sealed(first, { order: 7, server: "http://new" }))).toEqual({
      ...first,
      order: 7,
      spec: { ...first.spec, server: "http://new" },
    })
  })

  test("one whose text is no row is as if it had never been there", () => {
    const rig = new CoreRig()
    rig.step({
      type: "recover",
      rows: [],
      sealed: [sealed(first, { text: "{garbled}" }), sealed(third)],
      sessions: "dead",
    })
    expect(rig.core.get(first.id)).toBeUndefined()
    expect([...rig.core.list()].map(({ id }) => id)).toEqual([third.id])
    rig.pass(rig.options.retainMs + 1)
    expect(rig.core.sizes()["tasks"]).toBe(0)
  })
})

test("a directory is busy while a task of it is unsettled", () => {
  const { lazy } = twins(rows)
  expect(lazy.core.isBusy("/d")).toBe(false)
  const id = "bg_busy0000"
  lazy.step({ type: "launch", id, spec: { ...first.spec, directory: "/d" } })
  expect([lazy.core.isBusy("/d"), lazy.core.isBusy("/project")]).toEqual([true, false])
  lazy.step({ type: "cancel", id, reason: "USER" })
  expect(lazy.core.isBusy("/d")).toBe(false)
})

test("one that waits for a slot keeps its directory busy, too", () => {
  const rig = new CoreRig({ defaultConcurrency: 1 })
  rig.launch()
  const id = rig.launch({ directory: "/waits" })
  expect(rig.row(id).state).toBe("pending")
  expect(rig.core.isBusy("/waits")).toBe(true)
  rig.step({ type: "cancel", id, reason: "USER" })
  expect(rig.core.isBusy("/waits")).toBe(false)
})

test("whether a directory is busy is told without a look at what is settled", () => {
  const rig = new CoreRig()
  const id = "bg_watched0"
  let looks = 0
  const spec = Object.defineProperty({ ...first.spec }, "directory", { get: () => `/d${++looks}` })
  rig.step({ type: "launch", id, spec })
  const looksAtIt = (): boolean => {
    const before = looks
    rig.core.isBusy("/elsewhere")
    return looks > before
  }
  expect(looksAtIt()).toBe(true)
  rig.step({ type: "cancel", id, reason: "USER" })
  expect(looksAtIt()).toBe(false)
})
