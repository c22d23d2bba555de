import { describe, expect, test } from "bun:test"

import { forecast, parsePlan } from "../../src/sim/index.ts"
import type { Forecast } from "../../src/sim/index.ts"

const plan = (defaultConcurrency: number, count = 10): unknown => ({
  config: { defaultConcurrency, providerConcurrency: { a: 2 } },
  tasks: [{ count, think: "10s", tools: 0 }],
})

describe("forecast", () => {
  test("ten tasks of about ten seconds through two slots", () => {
    const { makespan, states, lanes } = forecast(parsePlan(plan(2)))
    expect(states).toEqual({ completed: 10 })
    expect(Math.abs(makespan - 50_000)).toBeLessThan(2_000)
    const [lane] = lanes
    expect(lane).toMatchObject({ lane: "default", limit: 2, tasks: 10 })
    expect(lane?.utilisation).toBeGreaterThan(0.95)
    expect(Math.abs((lane?.waitP50 ?? 0) - 20_000)).toBeLessThan(1_500)
    expect(Math.abs((lane?.waitP95 ?? 0) - 40_000)).toBeLessThan(1_500)
    // Ten tasks through three slots take four turns instead of five.
    expect(Math.abs((lane?.oneMore?.makespan ?? 0) - 40_000)).toBeLessThan(2_000)
  })

  test("where nobody waits one more slot buys nothing", () => {
    const [lane] = forecast(parsePlan(plan(20))).lanes
    expect(lane?.waitP95).toBe(0)
    expect(lane).not.toHaveProperty("oneMore")
  })

  test("what ended longer ago than it is kept for counts", () => {
    const config = { defaultConcurrency: 1, retainMs: 60_000 }
    const { states, lanes } = forecast(parsePlan({ config, tasks: [{ count: 9, think: "1m", tools: 0 }] }))
    expect([states, lanes[0]?.tasks]).toEqual([{ completed: 9 }, 9])
    expect(Math.abs((lanes[0]?.waitP50 ?? 0) - 240_000)).toBeLessThan(10_000)
  })

  test("time begins with the first launch", () => {
    const tasks = { count: 4, think: "10s", tools: 0 }
    const of = (at: string): Forecast =>
      forecast(parsePlan({ config: { defaultConcurrency: 2 }, tasks: [{ ...tasks, at }] }))
    expect(Math.abs(of("1h").makespan - of("0s").makespan)).toBeLessThan(1_000)
    expect(of("1h").lanes[0]?.utilisation).toBeGreaterThan(0.9)
  })

  test("who never got a slot waited until the end", () => {
    const config = { defaultConcurrency: 1, queueTtlMs: 5_000 }
    const { states, lanes } = forecast(parsePlan({ config, tasks: [{ count: 3, think: "1m", tools: 0, at: "30s" }] }))
    expect(states).toEqual({ completed: 1, error: 2 })
    expect([lanes[0]?.waitP50, lanes[0]?.waitP95]).toEqual([5_000, 5_000])
  })

  test("lanes are those of the models", () => {
    const tasks = [
      { count: 4, model: "a/x", think: "5s" },
      { count: 2, model: "b/y", think: "5s", at: "1m" },
    ]
    const { lanes } = forecast(parsePlan({ config: { providerConcurrency: { a: 2, b: 0 } }, tasks }))
    expect(lanes.map(({ lane, limit, tasks: count }) => [lane, limit, count])).toEqual([
      ["provider:a", 2, 4],
      ["provider:b", null, 2],
    ])
  })
})

describe("a plan that cannot be used is refused with a sentence", () => {
  test.each([
    [[], "the plan: expected an object"],
    [{ tasks: [] }, "tasks: expected a list"],
    [{ tasks: [{ think: "1s" }] }, "tasks[0].count: expected an integer ≥ 1, got nothing"],
    [{ tasks: [{ count: 1, think: "soon" }] }, 'Expected tasks[0].think like "2s"'],
    [{ tasks: [{ count: 1, thinks: "1s" }] }, 'tasks[0]."thinks"'],
    [{ tasks: [{ count: 1 }], config: { defaultConcurrency: 0 } }, "defaultConcurrency"],
    [{ tasks: [{ count: 1 }], agents: [] }, '"agents"'],
  ])("%j", (value, sentence) => expect(() => parsePlan(value)).toThrow(sentence))
})
