import { describe, expect, test } from "bun:test"

import { hintOf, isDisposal } from "../../src/adapters/event-hints.ts"
import { HintFlow } from "../../src/adapters/hint-flow.ts"
import type { Hint } from "../../src/core/snapshot.ts"
import { todosOf } from "../../src/core/todos.ts"
import { ManualClock } from "../helpers/manual-clock.ts"
import recorded from "./recorded-events.json"

type Story = keyof typeof recorded

/** What is heard of a recorded session, as one word each; neighbours that say the same are one. */
function heard(story: Story): string[] {
  return short(recorded[story].flatMap((event) => hintOf(event)?.hint ?? []))
}

/** The same after thinning; time stands still, so that only the first delta of a session passes. */
function thinned(story: Story): string[] {
  const hints: Hint[] = []
  const thin = new HintFlow(new ManualClock(), (_session, hint) => hints.push(hint))
  for (const event of recorded[story]) {
    const one = hintOf(event)
    if (one !== undefined) thin.add(one)
  }
  return short(hints)
}

function short(hints: readonly Hint[]): string[] {
  return hints.map(word).filter((one, at, all) => one !== all[at - 1])
}

function word(hint: Hint): string {
  if (hint.type === "part") return hint.tool === undefined ? "part" : `tool ${hint.tool}`
  if (hint.type === "error") return `error ${hint.name}`
  return hint.type
}

describe("events of a real server", () => {
  test("of two steps with tools in parallel", () => {
    expect(heard("tools")).toEqual([
      ...["step", "part", "delta", "part", "tool bash", "part", "todos", "tool todowrite", "tool null"],
      ...["part", "tool bash", "tool null", "part", "step-end"],
      ...["step", "part", "delta", "part", "delta", "part", "step-end", "idle"],
    ])
  })

  test("of two steps, thinned: the tool that still runs is what runs", () => {
    expect(thinned("tools")).toEqual([
      ...["step", "delta", "tool bash", "todos", "tool null", "step-end"],
      ...["step", "step-end", "idle"],
    ])
  })

  test("of a permission that was asked for and rejected", () => {
    expect(thinned("permission")).toEqual([
      ...["step", "delta", "ask", "tool bash", "answered", "tool null", "step-end"],
      ...["step", "step-end", "idle"],
    ])
    const hints = recorded.permission.flatMap((event) => hintOf(event)?.hint ?? [])
    expect(hints.find(({ type }) => type === "ask")).toEqual({
      type: "ask",
      ask: { id: "per_204e40dea001BLORAQuIUheJdH", permission: "bash", patterns: ["date"] },
    })
    expect(hints.find(({ type }) => type === "answered")).toEqual({
      type: "answered",
      askID: "per_204e40dea001BLORAQuIUheJdH",
      rejected: true,
    })
  })

  test("of a question that was rejected", () => {
    expect(thinned("question")).toEqual([
      "step",
      "delta",
      "ask",
      "tool question",
      "answered",
      "tool null",
      "step-end",
      "idle",
    ])
  })

  test("of a provider that refused, retried, and of an abort: idle comes twice", () => {
    expect(heard("refused")).toEqual(["step", "error APIError", "idle", "step-end", "idle"])
    expect(heard("retry")).toEqual(["step", "step-end", "idle"])
    expect(heard("aborted").slice(0, 8)).toEqual([
      ...["step", "part", "delta", "error MessageAbortedError", "idle", "part", "step-end", "idle"],
    ])
    expect(heard("aborted").at(-1)).toBe("deleted")
  })

  test("of a compaction and of the server itself", () => {
    expect(heard("compaction")).toEqual(["step-end"])
    expect(heard("server")).toEqual([])
  })

  test("carry the same TODO digest as the list", () => {
    const hint = recorded.tools.map((event) => hintOf(event)?.hint).find((one) => one?.type === "todos")
    const list = [
      { content: "A", status: "pending" },
      { content: "B", status: "completed" },
    ]
    expect(hint).toEqual({ type: "todos", todos: todosOf(list) })
  })

  test("name the session, and errors without OpenCode's own stack", () => {
    const all = Object.values(recorded).flat()
    const sessions = all.flatMap((event) => hintOf(event)?.sessionID ?? [])
    expect(sessions.every((id) => id.startsWith("ses_"))).toBe(true)
    const errors = all.flatMap((event) => hintOf(event)?.hint ?? []).filter((hint) => hint.type === "error")
    expect(errors.map(({ message }) => message)).toContain(
      'Agent not found: "nope". Available agents: build, explore, general, plan',
    )
    expect(errors.some(({ message }) => message.includes("bunfs"))).toBe(false)
  })
})

describe("events nobody has seen", () => {
  test("prove life when they name a session", () => {
    const event = { type: "session.next.text.delta", properties: { sessionID: "ses_1", delta: "x" } }
    expect(hintOf(event)).toEqual({ sessionID: "ses_1", hint: { type: "delta" } })
    expect(hintOf({ type: "toString", properties: { sessionID: "ses_1" } })?.hint).toEqual({ type: "delta" })
  })

  test.each([
    [undefined],
    [null],
    ["text"],
    [[]],
    [{}],
    [{ type: "session.idle" }],
    [{ type: "session.idle", properties: { sessionID: 7 } }],
    [{ type: "permission.asked", properties: { sessionID: "ses_1" } }],
    [{ type: "permission.replied", properties: { sessionID: "ses_1" } }],
    [{ type: "todo.updated", properties: { sessionID: "ses_1", todos: [{}] } }],
    [{ type: "todo.updated", properties: { sessionID: "ses_1" } }],
    [{ type: "message.updated", properties: { sessionID: "ses_1" } }],
    [{ type: "message.part.updated", properties: { sessionID: "ses_1", part: null } }],
  ])("%j is no hint", (event) => {
    expect(hintOf(event)).toBeUndefined()
  })

  test("tell a disposal of this directory from that of another", () => {
    expect(isDisposal(disposed("/a"), "/a")).toBe(true)
    expect(isDisposal(disposed("/b"), "/a")).toBe(false)
    expect(isDisposal({ type: "global.disposed", properties: {} }, "/a")).toBe(true)
    expect(isDisposal({ type: "session.idle", properties: { directory: "/a" } }, "/a")).toBe(false)
  })
})

describe("the flow of hints", () => {
  test("passes one delta a second for each session", () => {
    const { clock, hints, add } = flow()
    for (let i = 0; i < 30; i++) {
      add("a", { type: "delta" })
      if (i % 2 === 0) add("b", { type: "part" })
      clock.advance(100)
    }
    expect(hints.filter((hint) => hint === "a delta")).toHaveLength(3)
    expect(hints.filter((hint) => hint === "b delta")).toHaveLength(3)
  })

  test("says a tool still runs while one of several does", () => {
    const { hints, add } = flow()
    add("a", { type: "part", tool: "bash" }, "p1")
    add("a", { type: "part", tool: "read" }, "p2")
    add("a", { type: "part", tool: null }, "p1")
    add("a", { type: "part", tool: null }, "p2")
    add("a", { type: "part", tool: null }, "p2")
    expect(hints).toEqual(["a tool bash", "a delta", "a tool read", "a tool null"])
  })

  test("forgets a session that is idle, so that its next step is news", () => {
    const { hints, add } = flow()
    const step = { type: "step", messageID: "msg_1" } as const
    add("a", step)
    add("a", { type: "idle" })
    add("a", step)
    expect(hints).toEqual(["a step", "a idle", "a step"])
  })

  test("never swallows what decides", () => {
    const { hints, add } = flow()
    const deciding: Hint[] = [
      { type: "idle" },
      { type: "step-end" },
      { type: "error", name: "E", message: "E" },
      { type: "deleted" },
      { type: "answered", askID: "per_1", rejected: false },
    ]
    for (const hint of [...deciding, ...deciding]) add("a", hint)
    expect(hints).toHaveLength(2 * deciding.length)
  })
})

function disposed(directory: string) {
  return { type: "server.instance.disposed", properties: { directory } }
}

function flow() {
  const clock = new ManualClock()
  const hints: string[] = []
  const thin = new HintFlow(clock, (sessionID, hint) => hints.push(`${sessionID} ${word(hint)}`))
  const add = (sessionID: string, hint: Hint, partID?: string): void =>
    thin.add({ sessionID, hint, ...(partID === undefined ? {} : { partID }) })
  return { clock, hints, add }
}
