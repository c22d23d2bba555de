/** From launch to a slot: what is stored, told and started, and in which order. */
import { describe, expect, test } from "bun:test"
import { LanesError } from "../../src/core/errors.ts"
import { CoreRig } from "../helpers/core-rig.ts"

function code(call: () => unknown): string {
  try {
    call()
  } catch (thrown) {
    if (thrown instanceof LanesError) return thrown.code
    throw thrown
  }
  return "none"
}

const parent = { sessionID: "ses_parent", batch: "msg_turn" }

describe("launch", () => {
  test("a launch is journaled, told and started in one step, in that order", () => {
    const rig = new CoreRig()
    const id = rig.launch({ model: "anthropic/claude-opus-4-5", agent: "explore" })
    const kinds = rig.last.map((effect) => (effect.type === "emit" ? effect.event.type : effect.type))
    expect(kinds).toEqual(["journal", "task:queued", "journal", "lane:granted", "task:started", "start-run"])
    const [assignment] = rig.starts()
    expect(assignment).toMatchObject({
      run: { task: id, epoch: 1, attempt: 1 },
      agent: "explore",
      search: false,
      check: false,
      accepted: 0,
    })
    expect(assignment?.prompts.map((prompt) => prompt.text)).toEqual(["Do it."])
    expect(rig.row(id).state).toBe("running")
  })

  test("without a free slot it waits, and its place is told", () => {
    const rig = new CoreRig({ defaultConcurrency: 1 })
    rig.launch()
    rig.launch()
    const third = rig.launch()
    expect(rig.row(third).state).toBe("pending")
    expect(rig.events("task:queued").map((event) => event.ahead)).toEqual([0, 0, 1])
    expect(rig.core.lane(third)).toMatchObject({ used: 1, limit: 1, queued: 2, ahead: 1 })
    expect(rig.starts()).toEqual([])
  })

  test("a freed slot goes to the longest waiter in the same step", () => {
    const rig = new CoreRig({ defaultConcurrency: 1 })
    const { id, prompt } = rig.running()
    const second = rig.launch()
    const third = rig.launch()
    rig.finish(id, prompt)
    expect(rig.starts().map((assignment) => assignment.run.task)).toEqual([second])
    expect(rig.row(third).state).toBe("pending")
  })

  test("the same id twice is refused", () => {
    const rig = new CoreRig()
    const id = rig.launch()
    expect(code(() => rig.launch({}, id))).toBe("INVALID_INPUT")
  })

  test("a session a live task works in is not given to a second one", () => {
    const rig = new CoreRig()
    const { id, prompt } = rig.running()
    expect(code(() => rig.launch({ sessionID: `ses_${id}` }))).toBe("INVALID_INPUT")
    rig.finish(id, prompt)
    expect(code(() => rig.launch({ sessionID: `ses_${id}` }))).toBe("none")
    // Now the other way round: the session is the second task's.
    expect(code(() => rig.step({ type: "continue", id, prompt: "Again." }))).toBe("INVALID_INPUT")
  })

  test("an adopted session is stamped before the first prompt of a run, if it is not by then", () => {
    const rig = new CoreRig()
    const id = rig.launch({ sessionID: "ses_old" })
    expect(rig.starts()[0]).toMatchObject({ sessionID: "ses_old", stamp: true })
    const prompt = rig.prompted(id)
    rig.step({ type: "worker-lost", worker: "w", cause: "crash", runs: [rig.ref(id)] })
    expect(rig.starts()[0]).toMatchObject({ sessionID: "ses_old", stamp: false })
    rig.finish(id, prompt)
    rig.stopped(id)
    // Whether its first epoch came so far nobody here knows: the worker sees it.
    rig.step({ type: "continue", id, prompt: "More." })
    expect(rig.starts()[0]).toMatchObject({ sessionID: "ses_old", stamp: true })
  })

  test("an adopted session whose task was cancelled in the queue is stamped when it is continued", () => {
    const rig = new CoreRig({ defaultConcurrency: 1 })
    const { id: first } = rig.running()
    const id = rig.launch({ sessionID: "ses_old" })
    rig.step({ type: "cancel", id, reason: "USER" })
    rig.step({ type: "continue", id, prompt: "All the same." })
    rig.step({ type: "cancel", id: first, reason: "USER" })
    rig.stopped(first)
    expect(rig.starts()[0]).toMatchObject({ run: { task: id, epoch: 2 }, sessionID: "ses_old", stamp: true })
  })
})

describe("caps", () => {
  test("the queue is bounded, but a lane with room takes its task all the same", () => {
    const rig = new CoreRig({ defaultConcurrency: 1, maxQueued: 2, providerConcurrency: { free: 5 } })
    for (let i = 0; i < 3; i++) rig.launch()
    expect(code(() => rig.launch())).toBe("QUEUE_FULL")
    expect(code(() => rig.launch({ model: "free/m" }))).toBe("none")
    expect(rig.core.sizes()).toMatchObject({ tasks: 4, waiting: 2 })
  })

  test("lesson 39: the unfinished tasks of one conversation are bounded; its twin without a parent is not", () => {
    const rig = new CoreRig({ maxPerRoot: 2 })
    const first = rig.launch({ parent })
    rig.launch({ parent })
    expect(code(() => rig.launch({ parent }))).toBe("PARENT_LIMIT")
    expect(code(() => rig.launch())).toBe("none")
    rig.step({ type: "cancel", id: first, reason: "USER" })
    expect(code(() => rig.launch({ parent }))).toBe("none")
  })

  test("a refused launch leaves nothing behind", () => {
    const rig = new CoreRig({ maxPerRoot: 1 })
    rig.launch({ parent })
    const before = rig.core.sizes()
    expect(code(() => rig.launch({ parent }))).toBe("PARENT_LIMIT")
    expect(rig.core.sizes()).toEqual(before)
  })
})

describe("lanes of tasks", () => {
  test("lesson 9: a provider's limit is shared by all its models; with limits of their own they are apart", () => {
    const shared = new CoreRig({ providerConcurrency: { a: 1 } })
    shared.launch({ model: "a/one" })
    expect(shared.row(shared.launch({ model: "a/two" })).state).toBe("pending")
    const apart = new CoreRig({ providerConcurrency: { a: 1 }, modelConcurrency: { "a/two": 1 } })
    apart.launch({ model: "a/one" })
    expect(apart.row(apart.launch({ model: "a/two" })).state).toBe("running")
  })

  test("lesson 34: launching into a full lane answers at once", () => {
    const rig = new CoreRig({ defaultConcurrency: 1 })
    rig.launch()
    const id = rig.launch()
    expect(rig.events("task:queued", rig.last)).toHaveLength(1)
    expect(rig.row(id).state).toBe("pending")
  })

  test("a queue time limit ends a waiter; without one it waits for ever", () => {
    const bounded = new CoreRig({ defaultConcurrency: 1, queueTtlMs: 5_000, taskTtlMs: 1e9, staleTimeoutMs: 1e9 })
    bounded.launch()
    const waiter = bounded.launch()
    bounded.pass(4_999)
    expect(bounded.row(waiter).state).toBe("pending")
    bounded.pass(1)
    expect(bounded.reason(waiter)).toBe("QUEUE_TTL")
    const patient = new CoreRig({ defaultConcurrency: 1, taskTtlMs: 1e9, staleTimeoutMs: 1e9 })
    patient.launch()
    const other = patient.launch()
    patient.pass(1e8)
    expect(patient.row(other).state).toBe("pending")
  })

  test("the queue's bound does not follow a task into its run", () => {
    const rig = new CoreRig({ defaultConcurrency: 1, queueTtlMs: 5_000 })
    const { id, prompt } = rig.running()
    const second = rig.launch()
    rig.pass(4_000)
    rig.finish(id, prompt)
    rig.session(second)
    rig.prompted(second)
    rig.poll(second, 20_000, { status: { type: "busy" } })
    expect(rig.row(second).state).toBe("running")
  })
})

describe("refuse", () => {
  test("a launch the journal did not take never was", () => {
    const rig = new CoreRig()
    const id = rig.launch({ parent })
    rig.step({ type: "refuse", id })
    expect(rig.core.get(id)).toBeUndefined()
    expect(Object.values(rig.core.sizes()).every((size) => size === 0)).toBe(true)
  })

  test("a waiting launch that is refused leaves the queue", () => {
    const rig = new CoreRig({ defaultConcurrency: 1 })
    rig.launch()
    const second = rig.launch()
    const third = rig.launch()
    rig.step({ type: "refuse", id: second })
    expect(rig.core.lane(third)).toMatchObject({ ahead: 0, queued: 1 })
  })

  test("a refused continue leaves the settled epoch as it was", () => {
    const rig = new CoreRig()
    const { id, prompt } = rig.running({ parent })
    rig.finish(id, prompt)
    rig.stopped(id)
    const before = rig.row(id)
    rig.step({ type: "continue", id, prompt: "More." })
    rig.step({ type: "refuse", id, before })
    expect(rig.row(id)).toEqual(before)
    expect(rig.core.sizes()).toMatchObject({ runs: 0, slots: 0 })
    expect(rig.core.owed("ses_parent")).toHaveLength(1)
  })

  test("a refused follow-up is not waited for", () => {
    const rig = new CoreRig()
    const { id, prompt } = rig.running()
    const before = rig.row(id)
    rig.step({ type: "continue", id, prompt: "More." })
    rig.step({ type: "refuse", id, before })
    rig.finish(id, prompt)
    expect(rig.reason(id)).toBe("FINISHED")
  })
})
