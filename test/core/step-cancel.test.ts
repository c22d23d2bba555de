/** Ending a task from outside, and how its slot comes back. */
import { describe, expect, test } from "bun:test"
import { LanesError } from "../../src/core/errors.ts"
import { BOUNDS } from "../../src/core/options.ts"
import { answer, BUSY, CoreRig } from "../helpers/core-rig.ts"

const parent = { sessionID: "ses_parent", batch: "msg_turn" }

function cancel(rig: CoreRig, id: string): void {
  rig.step({ type: "cancel", id, reason: "USER" })
}

describe("cancel", () => {
  test("a waiting task leaves the queue and never starts", () => {
    const rig = new CoreRig({ defaultConcurrency: 1 })
    const { id, prompt } = rig.running()
    const second = rig.launch()
    cancel(rig, second)
    expect(rig.row(second)).toMatchObject({ state: "cancelled", outcome: { reason: "USER" } })
    rig.finish(id, prompt)
    rig.stopped(id)
    expect(rig.starts(rig.all).map((start) => start.run.task)).toEqual([id])
  })

  test("lessons 4 and 6: cancelling the head or the middle of a queue changes nobody else's place", () => {
    const rig = new CoreRig({ defaultConcurrency: 1 })
    const { id, prompt } = rig.running()
    const [a, b, c, d] = [rig.launch(), rig.launch(), rig.launch(), rig.launch()]
    cancel(rig, a)
    cancel(rig, c)
    expect([rig.row(b).state, rig.row(d).state]).toEqual(["pending", "pending"])
    rig.finish(id, prompt)
    expect(rig.row(b).state).toBe("running")
    cancel(rig, b)
    rig.stopped(b)
    expect(rig.row(d).state).toBe("running")
  })

  test("lesson 6, twin: without the cancel the head starts first", () => {
    const rig = new CoreRig({ defaultConcurrency: 1 })
    const { id, prompt } = rig.running()
    const [a, b] = [rig.launch(), rig.launch()]
    rig.finish(id, prompt)
    expect([rig.row(a).state, rig.row(b).state]).toEqual(["running", "pending"])
  })

  test("lesson 1: leaving running frees exactly one slot, and the parent is told", () => {
    const rig = new CoreRig({ defaultConcurrency: 2 })
    const { id } = rig.running({ parent })
    rig.running()
    const third = rig.launch()
    cancel(rig, id)
    expect(rig.deliveries()).toHaveLength(1)
    rig.stopped(id)
    rig.stopped(id)
    expect(rig.row(third).state).toBe("running")
    expect(rig.core.sizes()).toMatchObject({ slots: 2, runs: 2, draining: 0 })
    expect(rig.events("lane:released")).toHaveLength(1)
  })

  test("state and word at once; the slot when the session is seen idle", () => {
    const rig = new CoreRig({ defaultConcurrency: 1 })
    const { id } = rig.running()
    const second = rig.launch()
    cancel(rig, id)
    expect(rig.row(id).state).toBe("cancelled")
    expect(rig.events("task:settled", rig.last)).toHaveLength(1)
    expect(rig.commands()).toEqual([{ type: "stop", abort: true }])
    expect(rig.row(second).state).toBe("pending")
    rig.stopped(id)
    expect(rig.row(second).state).toBe("running")
  })

  test("lesson 28: a hung abort does not hold the lane; the session is aborted from here, once", () => {
    const rig = new CoreRig({ defaultConcurrency: 1 })
    const { id } = rig.running()
    const second = rig.launch()
    cancel(rig, id)
    expect(rig.aborts(rig.pass(BOUNDS.drainMs - 1))).toEqual([])
    expect(rig.aborts(rig.pass(1))).toEqual([`ses_${id}`])
    expect(rig.row(second).state).toBe("running")
    expect(rig.aborts(rig.pass(60_000))).toEqual([])
    expect(rig.core.sizes().draining).toBe(0)
  })

  test("lesson 2: the slot comes back before the notice has been delivered", () => {
    const rig = new CoreRig({ defaultConcurrency: 1 })
    const { id, prompt } = rig.running({ parent })
    const second = rig.launch()
    rig.finish(id, prompt)
    expect(rig.row(id).notice.state).toBe("owed")
    expect(rig.row(second).state).toBe("running")
  })

  test("lesson 3: cancelled before its session exists, the slot is its own until the worker is out", () => {
    const rig = new CoreRig({ defaultConcurrency: 1 })
    const id = rig.launch()
    const second = rig.launch()
    cancel(rig, id)
    expect(rig.core.sizes()).toMatchObject({ slots: 1, runs: 0, draining: 1 })
    rig.stopped(id)
    expect(rig.row(second).state).toBe("running")
  })

  test("lesson 3, twin: a create that failed gives it back at once", () => {
    const rig = new CoreRig({ defaultConcurrency: 1 })
    const id = rig.launch()
    const second = rig.launch()
    rig.step({ type: "failed", run: rig.ref(id), reason: "SESSION_ERROR", message: "No." })
    expect(rig.reason(id)).toBe("SESSION_ERROR")
    expect(rig.row(second).state).toBe("running")
  })

  test("lesson 5: cancelled during creation, nothing that comes late revives it", () => {
    const rig = new CoreRig()
    const id = rig.launch()
    const run = rig.ref(id)
    cancel(rig, id)
    const before = rig.row(id)
    const { ignored } = rig.core
    rig.session(id)
    rig.step({ type: "prompted", run, n: 0, messageID: "msg_late" })
    rig.snapshot(id, answer("msg_late"), run)
    rig.step({ type: "failed", run, reason: "PROMPT_REJECTED", message: "Late." })
    expect(rig.row(id)).toEqual(before)
    expect(rig.core.ignored).toBe(ignored + 4)
  })

  test("lesson 20: completion and cancel race: the first reason wins, told once", () => {
    const rig = new CoreRig()
    const { id, prompt } = rig.running({ parent })
    rig.finish(id, prompt)
    cancel(rig, id)
    cancel(rig, id)
    rig.step({ type: "failed", run: { task: id, epoch: 1, attempt: 1 }, reason: "SESSION_ERROR", message: "Late." })
    expect(rig.reason(id)).toBe("FINISHED")
    expect(rig.events("task:settled")).toHaveLength(1)
    expect(rig.deliveries(rig.all)).toHaveLength(1)
  })

  test("lesson 8: an unlimited lane counts its tokens like every other", () => {
    const rig = new CoreRig({ providerConcurrency: { a: 0 } })
    const ids = Array.from({ length: 20 }, () => rig.launch({ model: "a/m" }))
    expect(rig.core.sizes().slots).toBe(20)
    for (const id of ids) {
      cancel(rig, id)
      rig.stopped(id)
    }
    expect(rig.core.sizes().slots).toBe(0)
    rig.step({ type: "limits", limits: { providerConcurrency: { a: 1 } } })
    rig.launch({ model: "a/m" })
    expect(rig.row(rig.launch({ model: "a/m" })).state).toBe("pending")
  })

  test("an unknown task is an error", () => {
    expect(() => cancel(new CoreRig(), "bg_nobody0")).toThrow(LanesError)
  })

  test("a cancelled run's last text is kept", () => {
    const rig = new CoreRig()
    const { id, prompt } = rig.running()
    rig.snapshot(id, { ...answer(prompt), status: { type: "busy" } })
    cancel(rig, id)
    expect(rig.row(id).outcome?.text).toBe("The answer.")
  })
})

describe("conversations that end", () => {
  test("deleting the parent cancels its tasks without a word", () => {
    const rig = new CoreRig({ defaultConcurrency: 1 })
    const { id } = rig.running({ parent })
    const waiting = rig.launch({ parent })
    const other = rig.launch()
    rig.step({ type: "parent-deleted", sessionID: "ses_parent" })
    expect([rig.reason(id), rig.reason(waiting), rig.reason(other)]).toEqual(["PARENT", "PARENT", undefined])
    expect(rig.deliveries()).toEqual([])
  })

  test("OpenCode deletes the sessions of its tasks first: they end with it all the same", () => {
    const rig = new CoreRig({ defaultConcurrency: 1 })
    const { id } = rig.running({ parent })
    const waiting = rig.launch({ parent })
    const other = rig.launch()
    rig.snapshot(id, BUSY)
    rig.step({ type: "hint", sessionID: `ses_${id}`, hint: { type: "deleted" } })
    rig.pass(BOUNDS.orphanMs - 1)
    rig.step({ type: "hint", sessionID: "ses_parent", hint: { type: "deleted" } })
    expect([rig.reason(id), rig.reason(waiting), rig.reason(other)]).toEqual(["PARENT", "PARENT", undefined])
    expect(rig.deliveries(rig.all)).toEqual([])
  })

  test("a task's session deleted by itself is gone, a little later; its twin without a conversation at once", () => {
    const rig = new CoreRig()
    const { id } = rig.running({ parent })
    const { id: alone } = rig.running()
    for (const of of [id, alone]) rig.step({ type: "hint", sessionID: `ses_${of}`, hint: { type: "deleted" } })
    expect([rig.reason(id), rig.reason(alone)]).toEqual([undefined, "SESSION_GONE"])
    rig.pass(BOUNDS.orphanMs)
    expect(rig.reason(id)).toBe("SESSION_GONE")
    expect(rig.deliveries(rig.all)).toHaveLength(1)
  })

  test("aborting it cancels only what it waits for", () => {
    const rig = new CoreRig()
    const { id: background } = rig.running({ parent })
    const { id: foreground } = rig.running({ parent, background: false })
    rig.step({ type: "parent-aborted", sessionID: "ses_parent" })
    expect([rig.reason(background), rig.reason(foreground)]).toEqual([undefined, "PARENT"])
  })
})
