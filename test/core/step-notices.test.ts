/** What a parent is told, when, and until when it is owed. */
import { describe, expect, test } from "bun:test"
import type { Delivery } from "../../src/core/effects.ts"
import { BOUNDS } from "../../src/core/options.ts"
import type { Options } from "../../src/core/options.ts"
import type { ParentRef } from "../../src/core/task.ts"
import { CoreRig } from "../helpers/core-rig.ts"

const parent: ParentRef = { sessionID: "ses_parent", batch: "turn1", agent: "build", model: "a/m" }

function told(rig: CoreRig, ...ids: string[]): void {
  for (const id of ids) rig.step({ type: "told", id, epoch: rig.row(id).epoch, proof: `msg_${id}` })
}

function failed(rig: CoreRig, gone = false): void {
  rig.step({ type: "delivery-failed", parent: "ses_parent", message: "No.", gone })
}

function two(options: Partial<Options> = {}): { rig: CoreRig; a: string; b: string; finish: (id: string) => void } {
  const rig = new CoreRig(options)
  const { id: a, prompt: pa } = rig.running({ parent })
  const { id: b, prompt: pb } = rig.running({ parent })
  return { rig, a, b, finish: (id) => rig.finish(id, id === a ? pa : pb) }
}

describe("batches", () => {
  test("with others unsettled it is added without a turn; the last one wakes", () => {
    const { rig, a, b, finish } = two()
    finish(a)
    expect(rig.deliveries()).toMatchObject([{ wake: false, parent, items: [{ task: a, epoch: 1 }] }])
    told(rig, a)
    finish(b)
    expect(rig.deliveries()).toMatchObject([{ wake: true, items: [{ task: b }] }])
  })

  test("for `each`, every one wakes", () => {
    const { rig, a, finish } = two({ wake: "each" })
    finish(a)
    expect(rig.deliveries()).toMatchObject([{ wake: true }])
  })

  test("a failure always wakes", () => {
    const { rig, a } = two()
    rig.step({ type: "failed", run: rig.ref(a), reason: "SESSION_ERROR", message: "No." })
    expect(rig.deliveries()).toMatchObject([{ wake: true }])
  })

  test("lesson 21: another turn's tasks, foreground tasks and settled ones hold nobody back", () => {
    const { rig, a, b, finish } = two()
    rig.running({ parent: { ...parent, batch: "turn2" } })
    rig.running({ parent, background: false })
    rig.step({ type: "cancel", id: b, reason: "USER", silent: true })
    finish(a)
    expect(rig.deliveries()).toMatchObject([{ wake: true }])
  })

  test("lesson 1, twin: with the last of the batch still running nobody is woken", () => {
    const { rig, a, finish } = two()
    finish(a)
    expect(rig.deliveries()).toMatchObject([{ wake: false }])
  })
})

describe("a delivery that waits for its parent", () => {
  const waiting = (rig: CoreRig): Delivery => {
    const [delivery] = rig.deliveries(rig.all).slice(-1)
    if (delivery === undefined) throw new Error("nothing is under way")
    return delivery
  }

  test("stands as long as it says what is owed; with more owed, too", () => {
    const { rig, a, b, finish } = two({ wake: "each" })
    finish(a)
    expect(rig.core.stands(waiting(rig))).toBe(true)
    finish(b)
    expect(rig.core.stands(waiting(rig))).toBe(true)
    told(rig, a)
    expect(rig.core.stands(waiting(rig))).toBe(true)
  })

  test("without a turn, falls when the rest of its batch ends in silence: then it is the last word", () => {
    for (const end of ["cancel", "read"] as const) {
      const { rig, a, b, finish } = two()
      finish(a)
      expect(waiting(rig)).toMatchObject({ wake: false })
      if (end === "cancel") rig.step({ type: "cancel", id: b, reason: "PARENT", silent: true })
      else {
        finish(b)
        rig.step({ type: "read", id: b })
      }
      expect(rig.core.stands(waiting(rig))).toBe(false)
      rig.step({ type: "delivery-recalled", parent: "ses_parent" })
      expect(rig.deliveries()).toMatchObject([{ wake: true, items: [{ task: a }] }])
    }
  })

  test("with a turn, falls when its batch grows: nobody is woken yet", () => {
    const rig = new CoreRig()
    const { id: a, prompt } = rig.running({ parent })
    rig.finish(a, prompt)
    expect(waiting(rig)).toMatchObject({ wake: true })
    rig.running({ parent })
    expect(rig.core.stands(waiting(rig))).toBe(false)
    rig.step({ type: "delivery-recalled", parent: "ses_parent" })
    expect(rig.deliveries()).toMatchObject([{ wake: false, items: [{ task: a }] }])
  })

  test("with a turn, falls when its batch grows although another end wants a turn by now", () => {
    const rig = new CoreRig()
    const { id: a, prompt } = rig.running({ parent })
    rig.finish(a, prompt)
    const first = waiting(rig)
    rig.running({ parent })
    const { id: b } = rig.running({ parent: { ...parent, batch: "turn2" } })
    rig.step({ type: "failed", run: rig.ref(b), reason: "SESSION_ERROR", message: "No." })
    expect(rig.core.stands(first)).toBe(false)
  })

  test("called back it has not failed: no pause, and no hour begins", () => {
    const { rig, a, b, finish } = two()
    finish(a)
    finish(b)
    rig.step({ type: "delivery-recalled", parent: "ses_parent" })
    expect(rig.deliveries()).toMatchObject([{ wake: true, items: [{ task: a }, { task: b }] }])
    rig.step({ type: "read", id: a })
    expect(rig.core.stands(waiting(rig))).toBe(false)
    rig.step({ type: "delivery-recalled", parent: "ses_parent" })
    expect(rig.deliveries()).toMatchObject([{ wake: true, items: [{ task: b }] }])
    failed(rig)
    expect(rig.deliveries(rig.pass(BOUNDS.noticeBackoffMs[0]))).toHaveLength(1)
  })
})

describe("owed until proved", () => {
  test("lesson 23: one delivery at a time; what settles meanwhile is the next one", () => {
    const { rig, a, b, finish } = two()
    finish(a)
    finish(b)
    expect(rig.deliveries(rig.all)).toHaveLength(1)
    told(rig, a)
    expect(rig.deliveries()).toMatchObject([{ items: [{ task: b }] }])
    told(rig, b)
    expect(rig.core.sizes().outbox).toBe(0)
    expect(rig.events("task:notified")).toMatchObject([{ id: a }, { id: b }])
  })

  test("lesson 22: a failed delivery is tried again with growing pauses, until it is proved", () => {
    const { rig, a, finish } = two()
    finish(a)
    const [first, longest] = BOUNDS.noticeBackoffMs
    let waited = 0
    for (const pause of [first, 2 * first, 4 * first]) {
      failed(rig)
      expect(rig.deliveries(rig.pass(pause - 1))).toEqual([])
      expect(rig.deliveries(rig.pass(1))).toHaveLength(1)
      waited += pause
    }
    expect(waited).toBeLessThan(longest)
    expect(rig.row(a).notice.state).toBe("owed")
    told(rig, a)
    expect(rig.row(a).notice).toMatchObject({ state: "told", proof: `msg_${a}` })
  })

  test("the same message id at each attempt, another one per epoch", () => {
    const { rig, a, finish } = two()
    finish(a)
    const [first] = rig.deliveries()
    failed(rig)
    const [second] = rig.deliveries(rig.pass(1_000))
    expect(second?.items[0]?.tail).toBe(first?.items[0]?.tail as string)
    rig.stopped(a)
    rig.step({ type: "continue", id: a, prompt: "More." })
    rig.session(a)
    rig.finish(a, rig.prompted(a))
    expect(rig.row(a).notice.tail).not.toBe(first?.items[0]?.tail)
  })

  test("lesson 24: after an hour of failures it is dead, visibly; a later one has a fresh start", () => {
    const { rig, a, b, finish } = two({ taskTtlMs: 1e9, staleTimeoutMs: 1e9, toolStaleTimeoutMs: 1e9 })
    finish(a)
    for (let i = 0; i < 200 && rig.row(a).notice.state === "owed"; i++) {
      failed(rig)
      rig.pass(60_000)
    }
    expect(rig.row(a).notice.state).toBe("dead")
    expect(rig.events("task:notified")).toMatchObject([{ id: a, dead: true }])
    finish(b)
    expect(rig.deliveries()).toMatchObject([{ items: [{ task: b }] }])
    failed(rig)
    expect(rig.deliveries(rig.pass(BOUNDS.noticeBackoffMs[0]))).toHaveLength(1)
  })

  test("what could not be told is settled by reading it, too", () => {
    const { rig, a, finish } = two()
    finish(a)
    failed(rig, true)
    rig.step({ type: "read", id: a })
    expect(rig.row(a).notice.state).toBe("none")
  })

  test("a parent that is gone is not tried again", () => {
    const { rig, a, finish } = two()
    finish(a)
    failed(rig, true)
    expect(rig.row(a).notice.state).toBe("dead")
  })

  test("what has been read is not told; a delivery under way stays the only one until it ends", () => {
    const { rig, a, b, finish } = two()
    finish(a)
    rig.step({ type: "read", id: a })
    expect(rig.row(a).notice.state).toBe("none")
    finish(b)
    expect(rig.deliveries()).toEqual([])
    failed(rig)
    const [next] = rig.deliveries(rig.pass(1_000))
    expect(next?.items.map((item) => item.task)).toEqual([b])
  })

  test("a failed delivery of what nobody owes any more leaves nothing behind", () => {
    const { rig, a, b, finish } = two()
    finish(a)
    rig.step({ type: "read", id: a })
    rig.step({ type: "cancel", id: b, reason: "USER", silent: true })
    failed(rig)
    expect(rig.core.sizes().outbox).toBe(0)
  })

  test("word of an older epoch proves nothing about the newer", () => {
    const { rig, a, finish } = two()
    finish(a)
    rig.stopped(a)
    rig.step({ type: "continue", id: a, prompt: "More." })
    rig.session(a)
    rig.finish(a, rig.prompted(a))
    expect(rig.deliveries()).toEqual([])
    rig.step({ type: "told", id: a, epoch: 1, proof: "msg_old" })
    expect(rig.row(a).notice.state).toBe("owed")
    expect(rig.deliveries()).toMatchObject([{ items: [{ task: a, epoch: 2 }] }])
  })

  test("told twice is told once", () => {
    const { rig, a, finish } = two()
    finish(a)
    told(rig, a)
    told(rig, a)
    expect(rig.events("task:notified")).toHaveLength(1)
  })

  test("foreground tasks, silent cancels and tasks without a parent owe nothing", () => {
    const rig = new CoreRig()
    const { id: fore, prompt } = rig.running({ parent, background: false })
    const { id: quiet } = rig.running({ parent })
    const { id: alone, prompt: own } = rig.running()
    rig.finish(fore, prompt)
    rig.step({ type: "cancel", id: quiet, reason: "USER", silent: true })
    rig.finish(alone, own)
    expect(rig.deliveries(rig.all)).toEqual([])
  })

  test("a notice still owed when its task is forgotten is told to be dead", () => {
    const { rig, a, finish } = two({ retainMs: 60_000, taskTtlMs: 1e9, staleTimeoutMs: 1e9, toolStaleTimeoutMs: 1e9 })
    finish(a)
    rig.pass(60_000)
    expect(rig.events("task:notified")).toMatchObject([{ id: a, dead: true }])
    rig.step({ type: "told", id: a, epoch: 1, proof: "late" })
    expect(rig.core.sizes()).toMatchObject({ outbox: 1, tasks: 1 })
  })
})
