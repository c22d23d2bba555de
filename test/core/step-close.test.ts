/** The end of a coordinator: drained, detached or aborted; and nothing left at rest. */
import { describe, expect, test } from "bun:test"
import { LanesError } from "../../src/core/errors.ts"
import { BOUNDS } from "../../src/core/options.ts"
import { answer, CoreRig } from "../helpers/core-rig.ts"

const parent = { sessionID: "ses_parent", batch: "turn1" }

function close(rig: CoreRig, mode: "drain" | "detach" | "abort"): void {
  rig.closing = true
  rig.step({ type: "close", mode })
}

describe("close", () => {
  test("drain: launches are refused, the waiting wait, the running finish", () => {
    const rig = new CoreRig({ defaultConcurrency: 1 })
    const { id, prompt } = rig.running()
    const waiting = rig.launch()
    close(rig, "drain")
    expect(() => rig.launch()).toThrow(LanesError)
    expect(() => rig.step({ type: "continue", id, prompt: "More." })).toThrow(LanesError)
    rig.finish(id, prompt)
    expect(rig.reason(id)).toBe("FINISHED")
    expect(rig.row(waiting).state).toBe("pending")
  })

  test("abort: everything is cancelled and its sessions stopped", () => {
    const rig = new CoreRig({ defaultConcurrency: 1 })
    const { id } = rig.running()
    const waiting = rig.launch()
    close(rig, "abort")
    expect([rig.reason(id), rig.reason(waiting)]).toEqual(["SHUTDOWN", "SHUTDOWN"])
    expect(rig.commands()).toEqual([{ type: "stop", abort: true }])
    rig.stopped(id)
    expect(rig.core.sizes()).toMatchObject({ slots: 0, draining: 0 })
  })

  test("detach: sessions run on, rows say how far they were, nothing is decided any more", () => {
    const rig = new CoreRig({ defaultConcurrency: 1 })
    const { id, prompt } = rig.running()
    rig.pass(5_000)
    close(rig, "detach")
    expect(rig.journaled()).toMatchObject([{ id, state: "running", ranMs: 5_000 }])
    expect(rig.commands()).toEqual([{ type: "stop", abort: false }])
    rig.finish(id, prompt)
    expect(rig.row(id).state).toBe("running")
    expect(rig.last).toEqual([])
  })

  test("detached: what is asked for is refused, not swallowed", () => {
    const rig = new CoreRig()
    const { id, prompt } = rig.running()
    rig.finish(id, prompt)
    close(rig, "detach")
    const closed = expect.objectContaining({ code: "CLOSED" })
    expect(() => rig.launch()).toThrow(closed)
    expect(() => rig.step({ type: "continue", id, prompt: "More." })).toThrow(closed)
  })
})

describe("at rest", () => {
  test("lesson 36: after retention every map is empty again", () => {
    const rig = new CoreRig({ defaultConcurrency: 5, retainMs: 60_000 })
    for (let i = 0; i < 5; i++) {
      const { id, prompt } = rig.running({ parent })
      rig.launch({ parent: { ...parent, sessionID: "ses_deleted" }, model: "a/m" })
      if (i % 2 === 0) rig.finish(id, prompt)
      else rig.step({ type: "cancel", id, reason: "USER" })
      rig.stopped(id)
    }
    rig.step({ type: "parent-deleted", sessionID: "ses_deleted" })
    for (const { id, epoch } of rig.core.list()) rig.step({ type: "told", id, epoch, proof: "msg" })
    rig.pass(BOUNDS.predecessorMs + 60_000)
    expect(Object.entries(rig.core.sizes()).filter(([, size]) => size !== 0)).toEqual([])
    expect(rig.core.nextDue()).toBeUndefined()
  })

  test("lesson 36, twin: before it they are not", () => {
    const rig = new CoreRig()
    const { id, prompt } = rig.running({ parent })
    rig.finish(id, prompt)
    expect(rig.core.sizes()).toMatchObject({ tasks: 1, sessions: 1, due: 2, draining: 1 })
  })
})

describe("words of a run", () => {
  test("progress is told at most once a second", () => {
    const rig = new CoreRig()
    const { id } = rig.running()
    for (let i = 0; i < 50; i++) {
      rig.step({ type: "hint", sessionID: `ses_${id}`, hint: { type: "delta" } })
      rig.pass(100)
    }
    expect(rig.events("task:progress")).toHaveLength(5)
  })

  test("duplicate, re-ordered and foreign reports are counted and change nothing", () => {
    const rig = new CoreRig()
    const { id, prompt } = rig.running()
    const snapshot = { status: { type: "absent" as const }, prompts: 1, ...answer(prompt) }
    rig.step({ type: "snapshot", run: rig.ref(id), seq: 500, snapshot })
    const before = rig.row(id)
    rig.step({ type: "snapshot", run: rig.ref(id), seq: 500, snapshot })
    rig.step({ type: "snapshot", run: rig.ref(id), seq: 499, snapshot })
    rig.step({ type: "poll-failed", run: rig.ref(id), seq: 3, failure: "timeout", message: "" })
    rig.step({ type: "prompted", run: rig.ref(id), n: 0, messageID: "msg_again" })
    rig.step({ type: "prompted", run: rig.ref(id), n: 7, messageID: "msg_never" })
    rig.step({ type: "snapshot", run: { ...rig.ref(id), epoch: 9 }, seq: 501, snapshot })
    rig.step({ type: "hint", sessionID: "ses_foreign", hint: { type: "deleted" } })
    expect(rig.session(id)).toEqual([])
    expect(rig.row(id)).toEqual(before)
    expect(rig.core.ignored).toBe(8)
  })

  test("each attempt tells its session once", () => {
    const rig = new CoreRig()
    const { id } = rig.running()
    rig.step({ type: "worker-lost", worker: "w1", cause: "crash", runs: [rig.ref(id)] })
    for (let i = 0; i < 2; i++) rig.session(id)
    expect(rig.events("task:session")).toHaveLength(2)
  })

  test("the life of a task is told in its order, settled last", () => {
    const rig = new CoreRig()
    const { id, prompt } = rig.running({ parent })
    rig.finish(id, prompt)
    rig.stopped(id)
    const words = rig.all.flatMap((effect) =>
      effect.type === "emit" && effect.event.type.startsWith("task:") ? [effect.event.type] : [],
    )
    const order = ["task:queued", "task:started", "task:session", "task:snapshot", "task:settled"] as const
    const at = order.map((type) => words.indexOf(type))
    expect(at).toEqual(at.toSorted((a, b) => a - b))
    expect(words.at(-1)).toBe("task:settled")
  })
})
