/** Permission asks in a task's session. */
import { describe, expect, test } from "bun:test"
import { BOUNDS } from "../../src/core/options.ts"
import { answer, BUSY, CoreRig } from "../helpers/core-rig.ts"

const ask = { id: "per_1", permission: "bash", patterns: ["rm *"] }

describe("reject", () => {
  test("an ask is answered at once, with words, and told; seen again it is not", () => {
    const rig = new CoreRig()
    const { id } = rig.running()
    rig.step({ type: "hint", sessionID: `ses_${id}`, hint: { type: "ask", ask } })
    expect(rig.commands()).toMatchObject([
      { type: "reply", askID: "per_1", message: expect.stringContaining('"bash"') },
    ])
    expect(rig.events("task:permission", rig.last)).toMatchObject([{ action: "rejected", patterns: ["rm *"] }])
    rig.snapshot(id, { ...BUSY, asks: [ask] })
    expect(rig.commands()).toEqual([])
  })

  test("one known from a poll alone is answered as well", () => {
    const rig = new CoreRig()
    const { id } = rig.running()
    rig.snapshot(id, { ...BUSY, asks: [ask] })
    expect(rig.commands()).toMatchObject([{ type: "reply", askID: "per_1" }])
  })

  test("one that stays open is answered again, told once", () => {
    const rig = new CoreRig()
    const { id } = rig.running()
    rig.snapshot(id, { ...BUSY, asks: [ask] })
    rig.pass(BOUNDS.askAgainMs)
    rig.snapshot(id, { ...BUSY, asks: [ask] })
    expect(rig.commands()).toMatchObject([{ type: "reply", askID: "per_1" }])
    expect(rig.events("task:permission")).toHaveLength(1)
  })

  test("a run that ends after a rejection without an answer", () => {
    const rig = new CoreRig()
    const { id, prompt } = rig.running()
    rig.snapshot(id, { ...BUSY, asks: [ask] })
    for (let i = 0; i < 2; i++) rig.snapshot(id, answer(prompt, { finish: "tool-calls", text: "" }))
    expect(rig.reason(id)).toBe("PERMISSION")
  })

  test("a run that answers in spite of it is done", () => {
    const rig = new CoreRig()
    const { id, prompt } = rig.running()
    rig.snapshot(id, { ...BUSY, asks: [ask] })
    rig.finish(id, prompt)
    expect(rig.reason(id)).toBe("FINISHED")
  })
})

describe("after a rejection", () => {
  test("a run that begins another step goes on in spite of it", () => {
    const rig = new CoreRig()
    const { id, prompt } = rig.running()
    rig.snapshot(id, { ...BUSY, asks: [ask] })
    rig.step({ type: "hint", sessionID: `ses_${id}`, hint: { type: "step", messageID: `${prompt}_answer` } })
    rig.poll(id, 20_000, answer(prompt, { finish: "tool-calls" }))
    expect(rig.reason(id)).toBe("IDLE")
  })
})

describe("forward", () => {
  const minutes = 60_000

  function asking(): { rig: CoreRig; id: string; prompt: string } {
    const rig = new CoreRig({ permissions: "forward" })
    rig.step({ type: "events", directory: "/d", alive: true })
    const { id, prompt } = rig.running()
    rig.snapshot(id, { ...BUSY, asks: [ask] })
    return { rig, id, prompt }
  }

  test("is left to the human, told, and freezes the stale clock", () => {
    const { rig, id } = asking()
    expect(rig.commands()).toEqual([])
    expect(rig.events("task:permission")).toMatchObject([{ action: "forwarded" }])
    rig.poll(id, 20 * minutes, { ...BUSY, asks: [ask] })
    expect(rig.row(id).state).toBe("running")
  })

  test("the clock goes on from the answer, also when only polls tell of it", () => {
    const { rig, id } = asking()
    rig.pass(20 * minutes)
    rig.snapshot(id, { ...BUSY, asks: [] })
    expect(rig.row(id).state).toBe("running")
    rig.pass(rig.options.staleTimeoutMs - 1)
    expect(rig.row(id).state).toBe("running")
    rig.pass(1)
    expect(rig.reason(id)).toBe("STALE")
  })

  test("an idle session has no open asks, whatever was heard", () => {
    const { rig, id, prompt } = asking()
    rig.snapshot(id, answer(prompt, { completed: false, finish: "" }))
    rig.failedPoll(id, "timeout")
    rig.snapshot(id, BUSY)
    rig.pass(rig.options.staleTimeoutMs)
    expect(rig.reason(id)).toBe("STALE")
  })
})
