import { describe, expect, test } from "bun:test"
import { configKeys, configSchema, parseConfig, resolveOptions } from "../src/config.ts"
import type { Config, ConfigKeyName } from "../src/config.ts"
import { laneOf } from "../src/core/lanes.ts"
import { DEFAULTS } from "../src/core/options.ts"
import { refusal } from "./config/refusal.ts"

const number = (min: number, max?: number, expected = max ? `an integer ${min}–${max}` : `an integer ≥ ${min}`) => ({
  good: [min, min + 1, max ?? 2_000_000],
  bad: [min - 1, 1.5 + min, Number.NaN, Number.POSITIVE_INFINITY, 1e300, "three", null, true, [], {}].concat(
    max === undefined ? [] : [max + 1],
  ),
  expected,
})
const choice = (a: string, b: string) => ({
  good: [a, b],
  bad: ["other", "", a.toUpperCase(), 1, null, true, [a], {}],
  expected: `"${a}" or "${b}"`,
})
const flag = { good: [true, false], bad: ["true", 0, 1, null, [], {}], expected: "true or false" }
const map = (of: string) => ({
  good: [{}, { a: 0 }, { a: 1, "b.c-d": 200 }],
  bad: ["three", 3, null, true, [], [1], new Date(0), new Map([["a", 1]])],
  expected: `an object, ${of} → integer ≥ 0`,
})

/** Every key of the table, written out here a second time, so that a change of the schema is noticed. */
const TABLE: Record<ConfigKeyName, { good: unknown[]; bad: unknown[]; expected: string }> = {
  defaultConcurrency: number(1),
  providerConcurrency: map("provider"),
  modelConcurrency: map("model"),
  pollIntervalMs: number(100),
  stablePolls: number(1),
  minStabilityMs: number(0),
  minIdleMs: number(0),
  staleTimeoutMs: number(1_000),
  toolStaleTimeoutMs: number(1_000),
  taskTtlMs: number(1_000),
  queueTtlMs: { ...number(1_000, undefined, "0 or an integer ≥ 1000"), good: [0, 1_000, 5_000] },
  serverLostMs: number(1_000),
  maxSteps: number(1),
  maxPerRoot: number(1),
  maxQueued: number(1),
  todoNudges: number(0),
  retainMs: number(60_000),
  maxResultChars: number(1_000),
  maxWorkers: number(1, 64),
  isolation: choice("pool", "task"),
  wake: choice("all", "each"),
  permissions: choice("reject", "forward"),
  recover: choice("resume", "ask"),
  agents: flag,
  ultrawork: flag,
  page: {
    good: [true, false, { port: 0 }, { port: 65_535 }],
    bad: ["true", 1, null, [], {}, { port: "80" }],
    expected: "true, false or { port: integer 0–65535 }",
  },
  $schema: { good: ["./schema.json"], bad: [1, null, {}, []], expected: "a string" },
}

const shown = (value: unknown): string => {
  if (typeof value === "string") return JSON.stringify(value)
  if (typeof value !== "object" || value === null) return String(value)
  return Array.isArray(value) ? "an array" : "an object"
}

describe("each key", () => {
  test("the table of this test and the schema name the same keys", () => {
    expect(Object.keys(TABLE)).toEqual(configKeys.map(({ key }) => key))
  })

  for (const [key, { good, bad, expected }] of Object.entries(TABLE)) {
    test(`${key} accepts ${expected}`, () => {
      for (const value of good) expect(parseConfig({ [key]: value })).toEqual({ [key]: value } as Config)
    })
    for (const value of bad) {
      test(`${key} refuses ${typeof value} ${shown(value)}`, () => {
        const { message } = refusal(() => parseConfig({ [key]: value }, { file: "/x/lanes.json" }))
        expect(message).toContain("/x/lanes.json")
        expect(message.split("\n")).toContain(`  ${key}: expected ${expected}, got ${shown(value)}`)
      })
    }
  }

  test("a default of the table is what resolves, and is accepted", () => {
    const { options, agents, ultrawork, page } = resolveOptions({})
    expect(options).toEqual(DEFAULTS)
    const resolved: Record<string, unknown> = { ...options, agents, ultrawork, page }
    for (const { key, default: text } of configKeys) {
      if (text === "" || text.includes(" ")) continue
      expect(resolved[key]).toEqual(JSON.parse(text))
      expect(parseConfig({ [key]: JSON.parse(text) })).toEqual({ [key]: JSON.parse(text) } as Config)
    }
  })

  test("each has a sentence", () => {
    for (const { meaning } of configKeys) expect(meaning).toMatch(/^[A-Z`].{10,}\.$/)
  })

  test("undefined is unset", () => {
    expect(parseConfig({ maxWorkers: undefined, providerConcurrency: { a: undefined } })).toEqual({
      providerConcurrency: {},
    })
  })
})

describe("messages", () => {
  test("name the path under a key, and an entry of a map", () => {
    const value = { providerConcurrency: { anthropic: "three" }, modelConcurrency: { "openai/gpt-5.2": -1 } }
    const lines = refusal(() => parseConfig(value, { at: "background_task" })).message.split("\n")
    expect(lines.slice(1)).toEqual([
      '  background_task.providerConcurrency.anthropic: expected an integer ≥ 0, got "three"',
      '  background_task.modelConcurrency["openai/gpt-5.2"]: expected an integer ≥ 0, got -1',
    ])
  })

  test("name an unknown key and the one that may have been meant", () => {
    const { message } = refusal(() =>
      parseConfig({ pollIntervallMs: 500, background_task: {}, page: { port: 70_000 } }),
    )
    expect(message).toContain("pollIntervallMs: expected a key that can be set (pollIntervalMs?), got an unknown one")
    expect(message).toContain("background_task: expected a key that can be set, got an unknown one")
    expect(message).toContain("page.port: expected an integer 0–65535, got 70000")
  })

  test("stay bounded and on their lines", () => {
    const many = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`key${i}\n\u001b[31m`, "x".repeat(1_000)]))
    const { message } = refusal(() => parseConfig({ ...many, wake: `${"y".repeat(5_000)}\u001b` }))
    expect(message.split("\n")).toHaveLength(22)
    expect(message).toContain("and 481 more")
    expect(message).not.toContain("\u001b")
    expect(message.length).toBeLessThan(4_000)
  })

  for (const value of [null, undefined, 3, "x", [], [{}], () => {}, Symbol("s"), 1n, new Date(0)]) {
    test(`a configuration that is of type ${typeof value}, ${shown(value)}, is refused`, () => {
      expect(refusal(() => parseConfig(value)).message).toContain("expected an object, got ")
    })
  }
})

describe("lane keys", () => {
  test("a model's key has two forms, with further slashes in the id, and the longer wins", () => {
    const { options } = resolveOptions(
      parseConfig({
        providerConcurrency: { openrouter: 2 },
        modelConcurrency: { "anthropic/claude": 1, "openrouter/anthropic/claude": 4, "my model:8b": 3 },
      }),
    )
    expect(laneOf("openrouter/anthropic/claude", options)).toBe("model:openrouter/anthropic/claude")
    expect(laneOf("other/anthropic/claude", options)).toBe("model:other/anthropic/claude")
    expect(laneOf("openrouter/else", options)).toBe("provider:openrouter")
    expect(laneOf("ollama/my model:8b", options)).toBe("model:ollama/my model:8b")
  })

  for (const id of ["", " ", "/x", "x/", " x", "x ", "x\ny", "x\u0007y", "x".repeat(201)]) {
    test(`${JSON.stringify(id).slice(0, 20)} is no model and no provider`, () => {
      expect(refusal(() => parseConfig({ modelConcurrency: { [id]: 1 } })).message).toContain("expected a model id")
      expect(refusal(() => parseConfig({ providerConcurrency: { [id]: 1 } })).message).toContain(
        "expected a provider id",
      )
    })
  }

  test("a model under providerConcurrency is refused: it would never match", () => {
    const { message } = refusal(() => parseConfig({ providerConcurrency: { "anthropic/claude": 1 } }))
    expect(message).toContain('providerConcurrency["anthropic/claude"]: expected a provider id without "/"')
  })

  test("a model called like a method of objects has no limit that nobody set", () => {
    for (const config of [{}, parseConfig({ modelConcurrency: { a: 1 } })]) {
      const { options } = resolveOptions(config)
      for (const name of ["toString", "constructor", "__proto__", "hasOwnProperty"]) {
        expect(options.modelConcurrency[name]).toBeUndefined()
        expect(laneOf(`${name}/${name}`, options)).toBe("default")
      }
    }
  })
})

test("the schema is the one that is exported", () => {
  expect(configSchema["~standard"].validate({ wake: "never" })).toHaveProperty("issues")
  expect(configSchema["~standard"].validate({ wake: "all" })).not.toHaveProperty("issues")
})
