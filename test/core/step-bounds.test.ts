/** What ends a run that does not end itself. */
import { describe, expect, test } from "bun:test"
import type { Hint } from "../../src/core/snapshot.ts"
import { answer, BUSY, CoreRig, msg } from "../helpers/core-rig.ts"

const parent = { sessionID: "ses_parent", batch: "msg_turn" }
const day = 86_400_000

function hint(rig: CoreRig, id: string, of: Hint): void {
  rig.step({ type: "hint", sessionID: `ses_${id}`, hint: of })
}

describe("TTL", () => {
  test("lesson 19: the run's time ends it, aborts its session and is told", () => {
    const rig = new CoreRig({ taskTtlMs: 60_000 })
    const { id } = rig.running({ parent })
    rig.snapshot(id, BUSY)
    rig.pass(59_999)
    expect(rig.row(id).state).toBe("running")
    const effects = rig.pass(1)
    expect(rig.row(id).outcome).toMatchObject({ state: "error", reason: "TTL", durationMs: 60_000 })
    expect(rig.commands(effects)).toEqual([{ type: "stop", abort: true }])
    expect(rig.deliveries(effects)).toMatchObject([{ wake: true, items: [{ task: id, epoch: 1 }] }])
  })

  test("lesson 18: it counts from the start of the run, not from the launch", () => {
    const rig = new CoreRig({ defaultConcurrency: 1, taskTtlMs: 60_000, staleTimeoutMs: day, toolStaleTimeoutMs: day })
    const { id, prompt } = rig.running()
    const second = rig.launch()
    rig.pass(50_000)
    rig.finish(id, prompt)
    rig.pass(59_999)
    expect(rig.row(second)).toMatchObject({ state: "running", queuedMs: 50_000 })
    rig.pass(1)
    expect(rig.reason(second)).toBe("TTL")
  })

  test("a task's own bound goes before the common one; null is none", () => {
    const rig = new CoreRig({ taskTtlMs: 60_000, staleTimeoutMs: day, toolStaleTimeoutMs: day })
    const quick = rig.launch({ ttlMs: 1_000 })
    const endless = rig.launch({ ttlMs: null })
    rig.pass(1_000)
    expect(rig.reason(quick)).toBe("TTL")
    rig.pass(day / 2)
    expect(rig.row(endless).state).toBe("running")
  })

  test("endless chatter ends by it", () => {
    const rig = new CoreRig({ taskTtlMs: 600_000 })
    const { id } = rig.running()
    for (let i = 0; i < 700 && rig.row(id).settledAt === undefined; i++) {
      rig.pass(1_000)
      hint(rig, id, { type: "delta" })
    }
    expect(rig.reason(id)).toBe("TTL")
  })
})

describe("stale", () => {
  test("lesson 17: polls are no progress; silence ends the run although it is polled", () => {
    const rig = new CoreRig()
    rig.step({ type: "events", directory: "/d", alive: true })
    const { id } = rig.running()
    rig.poll(id, rig.options.staleTimeoutMs + 4_000, BUSY)
    expect(rig.row(id).outcome).toMatchObject({ reason: "STALE", durationMs: rig.options.staleTimeoutMs })
  })

  test("lesson 16: any observed output is life", () => {
    const moves: Hint[] = [
      { type: "delta" },
      { type: "part" },
      { type: "step-end" },
      { type: "todos", todos: { open: 1, digest: "x" } },
      { type: "step", messageID: msg(700) },
      { type: "answered", askID: "per_1", rejected: false },
    ]
    for (const move of moves) {
      const rig = new CoreRig()
      rig.step({ type: "events", directory: "/d", alive: true })
      const { id } = rig.running()
      rig.snapshot(id, BUSY)
      rig.pass(rig.options.staleTimeoutMs - 1)
      hint(rig, id, move)
      rig.pass(rig.options.staleTimeoutMs - 1)
      expect({ move, state: rig.row(id).state }).toEqual({ move, state: "running" })
      rig.pass(1)
      expect({ move, reason: rig.reason(id) }).toEqual({ move, reason: "STALE" })
    }
  })

  test("without events a silent stream cannot be told from a hang: the longer bound holds", () => {
    const rig = new CoreRig()
    const { id } = rig.running()
    rig.poll(id, rig.options.toolStaleTimeoutMs - 2_000, BUSY)
    expect(rig.row(id).state).toBe("running")
    rig.poll(id, 6_000, BUSY)
    expect(rig.reason(id)).toBe("STALE")
  })

  test("while a tool runs the longer bound holds", () => {
    const rig = new CoreRig()
    rig.step({ type: "events", directory: "/d", alive: true })
    const { id } = rig.running()
    hint(rig, id, { type: "part", tool: "bash" })
    rig.poll(id, rig.options.staleTimeoutMs + 10_000, BUSY)
    expect(rig.row(id).state).toBe("running")
    hint(rig, id, { type: "part", tool: null })
    rig.poll(id, rig.options.staleTimeoutMs + 10_000, BUSY)
    expect(rig.reason(id)).toBe("STALE")
  })

  test("what a poll reads is progress when it changes, and our own prompts are none", () => {
    const rig = new CoreRig()
    rig.step({ type: "events", directory: "/d", alive: true })
    const { id, prompt } = rig.running()
    rig.snapshot(id, { ...answer(prompt, { completed: false }), ...BUSY })
    rig.pass(100_000)
    rig.snapshot(id, { ...answer(prompt, { completed: false }), ...BUSY, fingerprint: "longer" })
    rig.pass(100_000)
    rig.snapshot(id, {
      newest: { id: msg(9), role: "user", completed: false, summary: false, output: true },
      ...BUSY,
      fingerprint: "",
    })
    rig.pass(79_999)
    expect(rig.row(id).state).toBe("running")
    rig.pass(1)
    expect(rig.reason(id)).toBe("STALE")
  })

  test("the silence of an idle agent begins when it is asked", () => {
    const rig = new CoreRig({ todoNudges: 0 })
    rig.step({ type: "events", directory: "/d", alive: true })
    const { id, prompt } = rig.running()
    const open = { ...answer(prompt), todos: { open: 1, digest: "x" } }
    rig.poll(id, rig.options.staleTimeoutMs - 2_000, open)
    rig.step({ type: "continue", id, prompt: "And now this." })
    rig.prompted(id)
    rig.snapshot(id, BUSY)
    rig.pass(10_000)
    expect(rig.row(id).state).toBe("running")
    rig.pass(rig.options.staleTimeoutMs)
    expect(rig.reason(id)).toBe("STALE")
  })

  test("an outage freezes it, and not the TTL", () => {
    const rig = new CoreRig({ serverLostMs: day })
    rig.step({ type: "events", directory: "/d", alive: true })
    const { id } = rig.running()
    rig.snapshot(id, BUSY)
    rig.pass(100_000)
    rig.failedPoll(id, "timeout")
    rig.pass(1_000_000)
    rig.snapshot(id, BUSY)
    rig.pass(79_999)
    expect(rig.row(id).state).toBe("running")
    rig.pass(1)
    expect(rig.reason(id)).toBe("STALE")
    const { id: other } = rig.running()
    rig.failedPoll(other, "timeout")
    rig.pass(rig.options.taskTtlMs)
    expect(rig.reason(other)).toBe("TTL")
  })

  test("a retry that is near is no silence", () => {
    const rig = new CoreRig()
    rig.step({ type: "events", directory: "/d", alive: true })
    const { id } = rig.running()
    rig.snapshot(id, { status: { type: "retry", attempt: 1, message: "429", inMs: 600_000 } })
    rig.pass(600_000 + rig.options.staleTimeoutMs - 1)
    expect(rig.row(id).state).toBe("running")
    rig.pass(1)
    expect(rig.reason(id)).toBe("STALE")
  })
})

describe("steps and server", () => {
  test("lesson 29: a loop of steps ends by their number, however the steps are learned of", () => {
    const rig = new CoreRig({ maxSteps: 10 })
    const { id } = rig.running()
    for (let i = 1; i <= 10; i++) {
      hint(rig, id, { type: "step", messageID: msg(10 + i) })
      hint(rig, id, { type: "step", messageID: msg(10 + i) })
      const newest = { id: msg(10 + i), role: "assistant" as const, completed: true, summary: false, output: true }
      rig.snapshot(id, { ...BUSY, newest, fingerprint: `${i}` })
    }
    expect(rig.row(id)).toMatchObject({ state: "running", steps: 10 })
    hint(rig, id, { type: "step", messageID: msg(99) })
    expect(rig.reason(id)).toBe("STEP_LIMIT")
  })

  test("a loop of steps under ids that are no newer than the prompt's, told of in any order, ends by their number", () => {
    const rig = new CoreRig({ maxSteps: 10 })
    const { id } = rig.running()
    for (let i = 10; i >= 1; i--) {
      hint(rig, id, { type: "step", messageID: `msg_00000000000000${i}` })
      const newest = {
        id: "msg_000000000000005",
        role: "assistant" as const,
        completed: true,
        summary: false,
        output: true,
      }
      rig.snapshot(id, { ...BUSY, newest, fingerprint: `${i}` })
    }
    expect(rig.row(id)).toMatchObject({ state: "running", steps: 10 })
    hint(rig, id, { type: "step", messageID: "msg_000000000000000" })
    expect(rig.reason(id)).toBe("STEP_LIMIT")
  })

  test("a server away for too long, told once and told back", () => {
    const rig = new CoreRig({ serverLostMs: 60_000 })
    const { id } = rig.running()
    const { id: other } = rig.running()
    for (let i = 0; i < 3; i++) {
      rig.failedPoll(id)
      rig.failedPoll(other)
      rig.pass(10_000)
    }
    expect(rig.events("server:lost")).toHaveLength(1)
    rig.snapshot(id, BUSY)
    expect(rig.events("server:back")).toMatchObject([{ lostMs: 30_000 }])
    rig.pass(30_000)
    expect(rig.reason(other)).toBe("SERVER_LOST")
    expect(rig.row(id).state).toBe("running")
  })
})
