/** What a starting coordinator makes of the rows a dead one left. */
import { describe, expect, test } from "bun:test"
import type { Options } from "../../src/core/options.ts"
import { BOUNDS } from "../../src/core/options.ts"
import type { TaskRow } from "../../src/core/task.ts"
import { answer, CoreRig } from "../helpers/core-rig.ts"

const parent = { sessionID: "ses_parent", batch: "turn1" }

/** Rows as a journal holds them after a crash: the last of each task. */
function left(rig: CoreRig): TaskRow[] {
  const rows = new Map<string, TaskRow>()
  for (const effect of rig.all) {
    if (effect.type === "journal") rows.set(effect.row.id, effect.row)
    else if (effect.type === "forget") rows.delete(effect.id)
  }
  return [...rows.values()]
}

function successor(rows: readonly TaskRow[], sessions: "alive" | "dead", options: Partial<Options> = {}): CoreRig {
  const rig = new CoreRig(options)
  rig.wallAtStart += 1_000_000
  rig.step({ type: "recover", rows, sessions })
  return rig
}

function crashed(options: Partial<Options> = {}): {
  rig: CoreRig
  run: string
  prompt: string
  first: string
  second: string
} {
  const rig = new CoreRig({ defaultConcurrency: 1, ...options })
  const { id: run, prompt } = rig.running({ parent })
  const first = rig.launch({ parent })
  const second = rig.launch({ parent })
  rig.pass(20_000)
  rig.snapshot(run, { status: { type: "busy" } })
  return { rig, run, prompt, first, second }
}

describe("sessions that still run", () => {
  for (const recover of ["resume", "ask"] as const) {
    test(`are re-attached without a prompt, their time goes on (${recover})`, () => {
      const before = crashed()
      const rig = successor(left(before.rig), "alive", { defaultConcurrency: 1, recover })
      expect(rig.starts()).toMatchObject([
        { run: { task: before.run, attempt: 2 }, prompts: [], accepted: 1, check: true, search: false },
      ])
      expect(rig.row(before.run)).toMatchObject({ state: "running", ranMs: 20_000, resumes: 0 })
      rig.finish(before.run, before.prompt)
      expect(rig.row(before.run).outcome).toMatchObject({ reason: "FINISHED", durationMs: 20_000 })
    })
  }

  test("what had run, and waits for a slot when its coordinator dies as well, is still re-attached (seed 34041)", () => {
    const before = new CoreRig({ defaultConcurrency: 2 })
    const [one, other] = [before.running({ parent }), before.running({ parent })]
    const limited = { defaultConcurrency: 1, recover: "ask" } as const
    const second = successor(left(before), "alive", limited)
    expect([second.row(one.id).state, second.row(other.id).state]).toEqual(["running", "pending"])
    const third = successor(left(second), "alive", limited)
    expect([third.row(one.id).state, third.row(other.id).state]).toEqual(["running", "pending"])
    third.finish(one.id, one.prompt)
    third.stopped(one.id)
    expect(third.row(other.id)).toMatchObject({ state: "running", resumes: 0 })
  })

  for (const [end, options] of [
    ["cancelled", {}],
    ["given up", { queueTtlMs: 1_000 }],
  ] as const) {
    test(`one that waits for a slot again and is ${end} is stopped in its session`, () => {
      const before = new CoreRig({ defaultConcurrency: 2 })
      const [, other] = [before.running(), before.running()]
      const unstarted = before.launch()
      const rig = successor(left(before), "alive", { defaultConcurrency: 1, ...options })
      const effects = end === "cancelled" ? rig.step({ type: "cancel", id: other.id, reason: "USER" }) : rig.pass(1_000)
      expect(rig.aborts(effects)).toEqual([`ses_${other.id}`])
      expect(rig.aborts(rig.step({ type: "cancel", id: unstarted, reason: "USER" }))).toEqual([])
    })
  }

  test("run time is kept also of a run that was silent", () => {
    const before = new CoreRig({ taskTtlMs: 100_000 })
    const { id } = before.running()
    for (let i = 0; i < 8; i++) {
      before.pass(10_000)
      before.snapshot(id, { status: { type: "busy" } })
    }
    const rig = successor(left(before), "alive", { taskTtlMs: 100_000 })
    rig.pass(20_000)
    expect(rig.reason(id)).toBe("TTL")
  })

  test("waiting ones are queued again in their order", () => {
    const before = crashed()
    const rig = successor(left(before.rig).toReversed(), "alive", { defaultConcurrency: 1 })
    expect(rig.core.lane(before.first)?.ahead).toBe(0)
    expect(rig.core.lane(before.second)?.ahead).toBe(1)
    expect(rig.core.lane(rig.launch({}, "bg_newcomer"))?.ahead).toBe(2)
  })
})

describe("sessions that died", () => {
  test("resume: prompted to go on, once, under an id of its own", () => {
    const before = crashed()
    const rig = successor(left(before.rig), "dead", { defaultConcurrency: 1 })
    const [start] = rig.starts()
    expect(start?.prompts).toMatchObject([{ n: 1, kind: "resume" }])
    expect(start).toMatchObject({ accepted: 1, sessionID: `ses_${before.run}` })
    // What was there before says nothing about the answer to the new prompt.
    rig.finish(before.run, before.prompt)
    expect(rig.row(before.run).state).toBe("running")
    rig.finish(before.run, rig.prompted(before.run))
    expect(rig.reason(before.run)).toBe("FINISHED")
  })

  test("a run that was never prompted starts with its own prompt, looked for first", () => {
    const before = new CoreRig()
    const id = before.launch()
    const rig = successor(left(before), "dead")
    expect(rig.starts()).toMatchObject([{ search: true, check: true, prompts: [{ n: 0, kind: "first" }] }])
    expect(rig.row(id).resumes).toBe(0)
  })

  test("a host that dies of the task again and again is not fed it for ever", () => {
    const before = crashed()
    let rows = left(before.rig)
    for (let i = 0; i < BOUNDS.resumes; i++) {
      const rig = successor(rows, "dead")
      expect(rig.row(before.run).state).toBe("running")
      rig.prompted(before.run)
      rows = left(rig)
    }
    expect(successor(rows, "dead").reason(before.run)).toBe("INTERRUPTED")
  })

  test("what had run, and waits for a slot when all dies again, is asked to go on once", () => {
    const before = new CoreRig({ defaultConcurrency: 2 })
    const [one, other] = [before.running({ parent }), before.running({ parent })]
    const second = successor(left(before), "dead", { defaultConcurrency: 1 })
    const third = successor(left(second), "dead", { defaultConcurrency: 1 })
    for (const { id } of [one, other])
      expect(third.row(id).prompts.map(({ kind }) => kind)).toEqual(["first", "resume"])
  })

  test("ask: settled as interrupted, waiting ones too; told in one delivery without a turn", () => {
    const before = crashed()
    const rig = successor(left(before.rig), "dead", { recover: "ask" })
    for (const id of [before.run, before.first, before.second]) expect(rig.reason(id)).toBe("INTERRUPTED")
    expect(rig.starts()).toEqual([])
    const [delivery, ...more] = rig.deliveries()
    expect(more).toEqual([])
    expect(delivery).toMatchObject({ wake: false })
    expect(delivery?.items).toHaveLength(3)
  })
})

describe("what was settled", () => {
  test("owed notices are told without a turn, told ones are not", () => {
    const before = new CoreRig()
    const { id: a, prompt: pa } = before.running({ parent })
    const { id: b, prompt: pb } = before.running({ parent })
    before.finish(a, pa)
    before.step({ type: "told", id: a, epoch: 1, proof: "msg" })
    before.finish(b, pb)
    const rig = successor(left(before), "alive")
    expect(rig.deliveries()).toMatchObject([{ wake: false, items: [{ task: b }] }])
    expect(rig.row(a)).toEqual(before.row(a))
  })

  test("the wall clock decides how long it stays, and nothing else", () => {
    const before = new CoreRig()
    const { id, prompt } = before.running()
    before.finish(id, prompt)
    const rig = successor(left(before), "alive", { retainMs: 1_060_000 })
    rig.pass(59_999)
    expect(rig.core.get(id)).toBeDefined()
    rig.pass(1)
    expect(rig.core.get(id)).toBeUndefined()
  })
})

describe("rows", () => {
  test("are taken once, and never over a task that is known", () => {
    const before = crashed()
    const rows = left(before.rig)
    const rig = successor(rows, "alive")
    const { tasks } = rig.core.sizes()
    rig.step({ type: "recover", rows, sessions: "alive" })
    expect(rig.core.sizes().tasks).toBe(tasks as number)
    expect(rig.starts()).toEqual([])
  })

  test("wait in the lane their model has now", () => {
    const before = new CoreRig()
    for (let i = 0; i < 3; i++) before.launch({ model: "a/m" })
    const rig = successor(left(before), "alive", { providerConcurrency: { a: 1 } })
    rig.launch({ model: "a/m" }, "bg_newcomer")
    expect(rig.core.lanes().find(({ lane }) => lane === "provider:a")).toMatchObject({ used: 1, queued: 3 })
  })

  test("waiting time is not counted twice", () => {
    const before = crashed()
    const rig = successor(left(before.rig), "alive", { defaultConcurrency: 1 })
    expect(rig.row(before.run).queuedMs).toBe(0)
  })

  test("foreground tasks come back as background ones", () => {
    const before = new CoreRig()
    const { id, prompt } = before.running({ parent, background: false })
    const rig = successor(left(before), "alive")
    rig.finish(id, prompt)
    expect(rig.deliveries()).toMatchObject([{ items: [{ task: id }] }])
  })

  test("a foreground task's want of a bound does not come with it", () => {
    const before = new CoreRig()
    const { id } = before.running({ parent, background: false, ttlMs: null })
    const { id: bounded } = before.running({ parent, background: false, ttlMs: 5_000_000 })
    const { id: unbound } = before.running({ parent, ttlMs: null })
    const rig = successor(left(before), "alive")
    const ttls = [id, bounded, unbound].map((of) => rig.row(of).spec.ttlMs)
    expect(ttls).toEqual([undefined, 5_000_000, null])
  })

  test("the same words after a recovery as without one", () => {
    const before = crashed()
    const rig = successor(left(before.rig), "alive", { defaultConcurrency: 1 })
    rig.session(before.run)
    for (let i = 0; i < 2; i++) rig.snapshot(before.run, answer(before.prompt))
    expect(rig.row(before.run).outcome).toMatchObject({ text: "The answer.", epoch: 1 })
  })
})
