/** A settled task runs again; an unsettled one gets a follow-up. */
import { describe, expect, test } from "bun:test"
import { BOUNDS } from "../../src/core/options.ts"
import { answer, BUSY, CoreRig } from "../helpers/core-rig.ts"

const parent = { sessionID: "ses_parent", batch: "msg_turn" }

function more(rig: CoreRig, id: string, of: Record<string, unknown> = {}): void {
  rig.step({ type: "continue", id, prompt: "More.", ...of })
}

describe("a new epoch", () => {
  test("same task and session, new epoch, new prompt, fresh clocks, own notice", () => {
    const rig = new CoreRig()
    const { id, prompt } = rig.running({ parent })
    rig.pass(100_000)
    rig.finish(id, prompt)
    rig.stopped(id)
    more(rig, id, { batch: "msg_turn2" })
    expect(rig.row(id)).toMatchObject({
      epoch: 2,
      state: "running",
      sessionID: `ses_${id}`,
      ranMs: 0,
      steps: 0,
      notice: { state: "none" },
    })
    expect(rig.row(id).spec.parent?.batch).toBe("msg_turn2")
    expect(rig.row(id).outcome).toBeUndefined()
    const [start] = rig.starts()
    expect(start).toMatchObject({ sessionID: `ses_${id}`, check: false, search: false, accepted: 0, run: { epoch: 2 } })
    rig.session(id)
    rig.finish(id, rig.prompted(id))
    expect(rig.row(id).notice.state).toBe("owed")
    expect(rig.events("task:settled").map((event) => event.epoch)).toEqual([1, 2])
  })

  test("lesson 30: it repeats agent, model, parent and description", () => {
    const rig = new CoreRig()
    const { id, prompt } = rig.running({ parent, agent: "oracle", model: "a/m", description: "look" })
    rig.finish(id, prompt)
    rig.stopped(id)
    more(rig, id)
    expect(rig.starts()[0]).toMatchObject({
      agent: "oracle",
      model: "a/m",
      title: "look",
      parentSessionID: "ses_parent",
    })
  })

  test("a foreground task's want of a bound ends with the foreground", () => {
    const rig = new CoreRig({ taskTtlMs: 60_000 })
    const { id, prompt } = rig.running({ parent, background: false, ttlMs: null })
    rig.finish(id, prompt)
    rig.stopped(id)
    more(rig, id)
    expect(rig.row(id).spec.ttlMs).toBeNull()
    rig.session(id)
    rig.finish(id, rig.prompted(id))
    rig.stopped(id)
    more(rig, id, { background: true })
    expect(rig.row(id).spec).not.toHaveProperty("ttlMs")
    rig.session(id)
    rig.prompted(id)
    rig.pass(60_000)
    expect(rig.reason(id)).toBe("TTL")
  })

  test("a bound that was asked for stays, and so does none in the background", () => {
    const rig = new CoreRig()
    for (const of of [
      { background: false, ttlMs: 5_000_000 },
      { background: true, ttlMs: null },
    ]) {
      const { id, prompt } = rig.running({ parent, ...of })
      rig.finish(id, prompt)
      more(rig, id, { background: true })
      expect(rig.row(id).spec.ttlMs).toBe(of.ttlMs)
    }
  })

  test("it waits until its predecessor has left the session", () => {
    const rig = new CoreRig()
    const { id } = rig.running()
    const first = rig.ref(id)
    rig.step({ type: "cancel", id, reason: "USER" })
    more(rig, id)
    expect(rig.row(id).state).toBe("running")
    expect(rig.starts()).toEqual([])
    rig.stopped(id, first)
    expect(rig.starts()).toMatchObject([{ run: { epoch: 2 }, check: false }])
  })

  test("and gives up when that never leaves it", () => {
    const rig = new CoreRig()
    const { id } = rig.running()
    rig.step({ type: "cancel", id, reason: "USER" })
    more(rig, id)
    rig.pass(BOUNDS.predecessorMs)
    expect(rig.row(id).outcome).toMatchObject({ reason: "SESSION_ERROR", epoch: 2 })
    expect(rig.core.sizes()).toMatchObject({ slots: 0, runs: 0, draining: 0 })
  })

  test("what the predecessor's session says meanwhile is not the new run's", () => {
    const rig = new CoreRig()
    const { id } = rig.running()
    const first = rig.ref(id)
    rig.step({ type: "cancel", id, reason: "USER" })
    more(rig, id)
    rig.step({
      type: "hint",
      sessionID: `ses_${id}`,
      hint: { type: "error", name: "UnknownError", message: "Stopped." },
    })
    rig.stopped(id, first)
    rig.session(id)
    const prompt = rig.prompted(id)
    for (let i = 0; i < 2; i++) {
      rig.pass(1_000)
      rig.snapshot(id, { newest: null })
    }
    expect(rig.row(id).state).toBe("running")
    rig.finish(id, prompt)
    expect(rig.reason(id)).toBe("FINISHED")
  })

  test("cancelled while it waits for its predecessor, a third epoch still starts after the first's end", () => {
    const rig = new CoreRig()
    const { id } = rig.running()
    const first = rig.ref(id)
    rig.step({ type: "cancel", id, reason: "USER" })
    more(rig, id)
    rig.step({ type: "cancel", id, reason: "USER" })
    more(rig, id)
    expect(rig.starts(rig.all)).toHaveLength(1)
    rig.stopped(id, first)
    expect(rig.starts()).toMatchObject([{ run: { epoch: 3 } }])
    expect(rig.core.sizes()).toMatchObject({ slots: 1, runs: 1, draining: 0 })
  })

  test("lesson 26: the retention of the first epoch does not end the second", () => {
    const rig = new CoreRig({ retainMs: 60_000, taskTtlMs: 1e9, staleTimeoutMs: 1e9, toolStaleTimeoutMs: 1e9 })
    const { id, prompt } = rig.running()
    rig.finish(id, prompt)
    rig.stopped(id)
    rig.pass(59_000)
    more(rig, id)
    rig.pass(100_000)
    expect(rig.row(id).state).toBe("running")
  })

  test("lesson 26, twin: without the second epoch it is forgotten then", () => {
    const rig = new CoreRig({ retainMs: 60_000 })
    const { id, prompt } = rig.running()
    rig.finish(id, prompt)
    rig.pass(59_999)
    expect(rig.core.get(id)).toBeDefined()
    const effects = rig.pass(1)
    expect(rig.core.get(id)).toBeUndefined()
    expect(effects).toContainEqual({ type: "forget", id })
  })

  test("lesson 7: the lane is computed anew for a new epoch, and given back by the token it holds", () => {
    const rig = new CoreRig()
    const { id, prompt } = rig.running({ model: "a/m" })
    rig.step({ type: "limits", limits: { providerConcurrency: { a: 2 } } })
    expect(rig.row(id).lane).toBe("default")
    rig.finish(id, prompt)
    rig.stopped(id)
    expect(rig.events("lane:released").at(-1)?.lane).toBe("default")
    more(rig, id)
    expect(rig.row(id).lane).toBe("provider:a")
  })
})

describe("a follow-up", () => {
  test("goes into the session at once; the run is done when it is answered, within the same time", () => {
    const rig = new CoreRig()
    const { id, prompt } = rig.running()
    rig.snapshot(id, BUSY)
    more(rig, id)
    expect(rig.journaled()).toHaveLength(1)
    expect(rig.commands()).toMatchObject([{ type: "prompt", prompt: { kind: "follow-up", n: 1, text: "More." } }])
    for (let i = 0; i < 3; i++) rig.snapshot(id, answer(prompt))
    expect(rig.row(id).state).toBe("running")
    const second = rig.prompted(id)
    rig.pass(100_000)
    rig.finish(id, second)
    expect(rig.row(id).outcome).toMatchObject({ reason: "FINISHED", epoch: 1, durationMs: 100_000, unsent: [] })
  })

  test("to a waiting task is sent after its first prompt", () => {
    const rig = new CoreRig({ defaultConcurrency: 1 })
    const { id, prompt } = rig.running()
    const second = rig.launch()
    more(rig, second)
    rig.finish(id, prompt)
    expect(rig.starts()[0]?.prompts.map((of) => of.text)).toEqual(["Do it.", "More."])
  })

  test("not sent when the run ends is reported with the outcome", () => {
    const rig = new CoreRig()
    const { id } = rig.running()
    more(rig, id)
    rig.step({ type: "cancel", id, reason: "USER" })
    expect(rig.row(id).outcome?.unsent).toEqual(["More."])
  })

  test("to a run that still waits for its predecessor goes with its assignment", () => {
    const rig = new CoreRig()
    const { id } = rig.running()
    const first = rig.ref(id)
    rig.step({ type: "cancel", id, reason: "USER" })
    more(rig, id)
    more(rig, id)
    expect(rig.commands()).toEqual([])
    rig.stopped(id, first)
    expect(rig.starts()[0]?.prompts).toHaveLength(2)
  })
})
