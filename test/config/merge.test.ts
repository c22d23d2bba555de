import { describe, expect, test } from "bun:test"
import * as fc from "fast-check"
import { mergeConfigs, parseBackgroundTask, parseConfig, resolveOptions } from "../../src/config.ts"
import type { Config } from "../../src/config.ts"
import { refusal } from "./refusal.ts"

describe("merging", () => {
  test("later wins, maps merge entry by entry, and each entry knows who set it", () => {
    const { config, setBy, warnings } = mergeConfigs([
      { source: "a", config: { wake: "each", providerConcurrency: { x: 1, y: 1 }, page: { port: 1 } } },
      { source: "b", config: { providerConcurrency: { y: 2 }, modelConcurrency: { "p/m.1": 3 }, page: true } },
    ])
    expect(config).toEqual({
      wake: "each",
      providerConcurrency: { x: 1, y: 2 },
      modelConcurrency: { "p/m.1": 3 },
      page: true,
    })
    expect(Object.fromEntries(setBy)).toEqual({
      wake: "a",
      "providerConcurrency.x": "a",
      "providerConcurrency.y": "b",
      'modelConcurrency["p/m.1"]': "b",
      page: "b",
    })
    expect(warnings).toEqual([])
  })

  test("layers stay as they were", () => {
    const below: Config = { providerConcurrency: { x: 1 } }
    mergeConfigs([
      { source: "a", config: below },
      { source: "b", config: { providerConcurrency: { x: 2 } } },
    ])
    expect(below).toEqual({ providerConcurrency: { x: 1 } })
  })

  test("a conflict between two places names both", () => {
    const layers = [
      { source: "first.json", config: { staleTimeoutMs: 2_700_000 } },
      { source: "second.json", config: { taskTtlMs: 1_800_000 } },
    ]
    const { message } = refusal(() => mergeConfigs(layers))
    expect(message).toContain("staleTimeoutMs is set in first.json, taskTtlMs in second.json")
  })

  test("a lenient place gives way, whichever of the two it set", () => {
    const stale = mergeConfigs([
      { source: "theirs", config: { staleTimeoutMs: 2_700_000 }, lenient: true },
      { source: "ours", config: { taskTtlMs: 1_800_000 } },
    ])
    expect(stale.config).toEqual({ staleTimeoutMs: 1_500_000, taskTtlMs: 1_800_000 })
    expect(stale.warnings).toEqual([expect.stringContaining("1500000 is used")])
    const ttl = mergeConfigs([
      { source: "theirs", config: { taskTtlMs: 60_000 }, lenient: true },
      { source: "ours", config: { toolStaleTimeoutMs: 100_000 } },
    ])
    expect(ttl.config).toEqual({ taskTtlMs: 120_000, toolStaleTimeoutMs: 100_000 })
  })

  test("what lenient and strict layers merge to always resolves or is a contradiction of strict ones", () => {
    const ms = fc.integer({ min: 1_000, max: 10_000 })
    const bounds = fc.record({ staleTimeoutMs: ms, toolStaleTimeoutMs: ms, taskTtlMs: ms }, { requiredKeys: [] })
    fc.assert(
      fc.property(bounds, bounds, (theirs, ours) => {
        const layers = [{ source: "theirs", config: parseBackgroundTask(theirs).config, lenient: true }]
        let strict: Config
        try {
          strict = parseConfig(ours)
        } catch {
          return
        }
        const { config } = mergeConfigs([...layers, { source: "ours", config: strict }])
        expect(resolveOptions(config).options).toMatchObject(strict)
      }),
      { numRuns: 500, seed: 5 },
    )
  })
})
