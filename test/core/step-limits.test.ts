/** Limits that change while tasks run, and time that does not matter. */
import { describe, expect, test } from "bun:test"
import { checkLimits } from "../../src/check-input.ts"
import { CoreRig } from "../helpers/core-rig.ts"

describe("limits at run time", () => {
  test("raised: the waiting start in the same step, in order", () => {
    const rig = new CoreRig({ defaultConcurrency: 1 })
    const ids = [rig.launch(), rig.launch(), rig.launch(), rig.launch()]
    rig.step({ type: "limits", limits: { defaultConcurrency: 3 } })
    expect(rig.starts().map((start) => start.run.task)).toEqual(ids.slice(1, 3))
    expect(rig.events("lane:limit")).toMatchObject([{ lane: "default", limit: 3 }])
  })

  test("lowered: nothing is stopped, nothing starts until it has drained", () => {
    const rig = new CoreRig({ defaultConcurrency: 2 })
    const { id: a, prompt: pa } = rig.running()
    const { id: b, prompt: pb } = rig.running()
    const c = rig.launch()
    rig.step({ type: "limits", limits: { defaultConcurrency: 1 } })
    expect([rig.row(a).state, rig.row(b).state]).toEqual(["running", "running"])
    rig.finish(a, pa)
    expect(rig.row(c).state).toBe("pending")
    rig.finish(b, pb)
    expect(rig.row(c).state).toBe("running")
  })

  test("a key without a value changes nothing", () => {
    const rig = new CoreRig()
    const limits = { defaultConcurrency: undefined, providerConcurrency: undefined } as never
    checkLimits(limits)
    rig.step({ type: "limits", limits })
    expect(rig.row(rig.launch()).state).toBe("running")
    expect(rig.core.lanes()).toMatchObject([{ lane: "default", used: 1, limit: rig.options.defaultConcurrency }])
  })

  test.each(["a/b", "", " a", "/"])("%p is no provider, as in a file", (name) => {
    expect(() => checkLimits({ providerConcurrency: { [name]: 3 } })).toThrow(
      "providerConcurrency: expected a provider id",
    )
    expect(() => checkLimits({ modelConcurrency: { "a/b": 3 }, providerConcurrency: { "a b": 3 } })).not.toThrow()
  })

  test("one provider's limit is set without lifting another's; 0 lifts it", () => {
    const rig = new CoreRig({ providerConcurrency: { a: 1, b: 1 } })
    rig.launch({ model: "a/m" })
    const second = rig.launch({ model: "a/m" })
    rig.launch({ model: "b/m" })
    const other = rig.launch({ model: "b/m" })
    rig.step({ type: "limits", limits: { providerConcurrency: { b: 2 } } })
    expect([rig.row(second).state, rig.row(other).state]).toEqual(["pending", "running"])
    rig.step({ type: "limits", limits: { providerConcurrency: { a: 0 } } })
    expect(rig.row(second).state).toBe("running")
    expect(rig.events("lane:limit").map(({ lane, limit }) => [lane, limit])).toEqual([
      ["provider:b", 2],
      ["provider:a", null],
    ])
  })

  test("unlimited and back", () => {
    const rig = new CoreRig({ providerConcurrency: { a: 1 } })
    for (let i = 0; i < 3; i++) rig.launch({ model: "a/m" })
    rig.step({ type: "limits", limits: { providerConcurrency: { a: 0 } } })
    expect(rig.starts()).toHaveLength(2)
    expect(rig.events("lane:limit")).toMatchObject([{ lane: "provider:a", limit: null }])
    rig.step({ type: "limits", limits: { providerConcurrency: { a: 1 } } })
    rig.launch({ model: "a/m" })
    expect(rig.starts()).toEqual([])
  })
})

describe("the wall clock", () => {
  test("jumps change no decision", () => {
    const decide = (jump: number): string[] => {
      const rig = new CoreRig({ taskTtlMs: 60_000, queueTtlMs: 50_000, defaultConcurrency: 1 })
      rig.running()
      rig.launch()
      rig.pass(20_000)
      rig.wallAtStart += jump
      rig.pass(100_000)
      return rig
        .events("task:settled")
        .map((event) => `${event.id} ${event.outcome.reason} ${event.outcome.durationMs}`)
    }
    expect(decide(10 * 86_400_000)).toEqual(decide(0))
    expect(decide(-10 * 86_400_000)).toEqual(decide(0))
  })
})
