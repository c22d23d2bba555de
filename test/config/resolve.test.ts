import { describe, expect, test } from "bun:test"
import * as fc from "fast-check"
import { parseConfig, resolveOptions } from "../../src/config.ts"
import type { Config } from "../../src/config.ts"
import { DEFAULTS } from "../../src/core/options.ts"
import { refusal } from "./refusal.ts"

const resolved = (config: Config) => {
  const { staleTimeoutMs, toolStaleTimeoutMs, taskTtlMs } = resolveOptions(config).options
  return [staleTimeoutMs, toolStaleTimeoutMs, taskTtlMs]
}

describe("bounds", () => {
  const cases: [Config, number[]][] = [
    [{}, [180_000, 1_500_000, 1_800_000]],
    [{ taskTtlMs: 60_000 }, [50_000, 50_000, 60_000]],
    [{ taskTtlMs: 600_000 }, [180_000, 500_000, 600_000]],
    [{ staleTimeoutMs: 1_000_000 }, [1_000_000, 1_500_000, 1_800_000]],
    [{ staleTimeoutMs: 2_000_000 }, [2_000_000, 2_000_000, 2_400_000]],
    [{ toolStaleTimeoutMs: 100_000 }, [100_000, 100_000, 1_800_000]],
    [{ toolStaleTimeoutMs: 3_600_000 }, [180_000, 3_600_000, 4_320_000]],
    [{ staleTimeoutMs: 55_000, taskTtlMs: 60_000 }, [55_000, 55_000, 60_000]],
    [{ toolStaleTimeoutMs: 60_000, taskTtlMs: 60_000 }, [50_000, 60_000, 60_000]],
    [{ taskTtlMs: 1_000 }, [833, 833, 1_000]],
  ]
  for (const [config, expected] of cases) {
    test(`${JSON.stringify(config)} gives ${expected.join(" ≤ ")}`, () => expect(resolved(config)).toEqual(expected))
  }

  test("what is set stays, what is not set keeps the order", () => {
    const ms = fc.integer({ min: 1_000, max: 100_000_000 })
    const some = fc.record({ staleTimeoutMs: ms, toolStaleTimeoutMs: ms, taskTtlMs: ms }, { requiredKeys: [] })
    fc.assert(
      fc.property(some, (config) => {
        let values: number[]
        try {
          values = resolved(parseConfig(config))
        } catch {
          return
        }
        const [stale = 0, tool = 0, ttl = 0] = values
        expect(stale).toBeLessThanOrEqual(tool)
        expect(tool).toBeLessThanOrEqual(ttl)
        if (config.toolStaleTimeoutMs === undefined && config.staleTimeoutMs === undefined) {
          expect(tool * 6).toBeLessThanOrEqual(ttl * 5)
        }
        if (config.taskTtlMs === undefined) expect(tool * 6).toBeLessThanOrEqual(ttl * 5)
        expect(resolveOptions(config).options).toMatchObject(config)
      }),
      { numRuns: 500, seed: 3 },
    )
  })

  test("with at most one bound set there is never a conflict", () => {
    for (const key of ["staleTimeoutMs", "toolStaleTimeoutMs", "taskTtlMs"]) {
      for (const ms of [1_000, 1_800_000, 1e12]) expect(() => resolveOptions(parseConfig({ [key]: ms }))).not.toThrow()
    }
  })

  const conflicts: [Config, string][] = [
    [
      { staleTimeoutMs: 2_700_000, taskTtlMs: 1_800_000 },
      "staleTimeoutMs: expected an integer ≤ taskTtlMs (1800000), got 2700000",
    ],
    [
      { toolStaleTimeoutMs: 61_000, taskTtlMs: 60_000 },
      "toolStaleTimeoutMs: expected an integer ≤ taskTtlMs (60000), got 61000",
    ],
    [
      { staleTimeoutMs: 2_000, toolStaleTimeoutMs: 1_000 },
      "toolStaleTimeoutMs: expected an integer ≥ staleTimeoutMs (2000), got 1000",
    ],
  ]
  for (const [config, line] of conflicts) {
    test(`explicit: ${line}`, () => {
      expect(refusal(() => parseConfig(config)).message).toContain(line)
      expect(refusal(() => resolveOptions(config)).message).toContain(line)
    })
  }
})

describe("what the host knows", () => {
  test("workers are the cores, from 2 to 8, unless set", () => {
    for (const [cores, workers] of [
      [1, 2],
      [2, 2],
      [6, 6],
      [8, 8],
      [64, 8],
    ] as const) {
      expect(resolveOptions({}, { cores }).options.maxWorkers).toBe(workers)
    }
    expect(resolveOptions({ maxWorkers: 1 }, { cores: 4 }).options.maxWorkers).toBe(1)
  })

  test("recover is the host's, unless set", () => {
    expect(resolveOptions({}, { recover: "ask" }).options.recover).toBe("ask")
    expect(resolveOptions({ recover: "resume" }, { recover: "ask" }).options.recover).toBe("resume")
  })

  test("switches", () => {
    expect(resolveOptions({ agents: false, ultrawork: false, page: true })).toMatchObject({
      agents: false,
      ultrawork: false,
      page: { port: 0 },
    })
    expect(resolveOptions({ page: { port: 4_100 } }).page).toEqual({ port: 4_100 })
  })

  test("options hold options alone", () => {
    const { options } = resolveOptions({ $schema: "x", agents: true, page: true, wake: "each" })
    expect(Object.keys(options).toSorted()).toEqual(Object.keys(DEFAULTS).toSorted())
  })
})
