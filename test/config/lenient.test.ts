import { describe, expect, test } from "bun:test"
import { parseBackgroundTask } from "../../src/config.ts"

describe("background_task of oh-my-opencode.json", () => {
  test("unknown keys are ignored in silence, values out of range are clamped with a warning", () => {
    const value = {
      defaultConcurrency: 0,
      providerConcurrency: { anthropic: 3, openai: -1, "a/b": 1, google: "three", zero: 0, half: 2.5 },
      maxWorkers: 100,
      queueTtlMs: 5,
      wake: "sometimes",
      modelConcurrency: [],
      $schema: 3,
      somethingElse: { deep: true },
    }
    const { config, warnings } = parseBackgroundTask(value, { file: "/x/oh-my-opencode.json" })
    expect(config).toEqual({
      defaultConcurrency: 1,
      providerConcurrency: { anthropic: 3, openai: 1, zero: 0, half: 3 },
      maxWorkers: 64,
      queueTtlMs: 1_000,
    })
    const at = "/x/oh-my-opencode.json: background_task"
    expect(warnings).toEqual([
      `${at}.defaultConcurrency: expected an integer ≥ 1, got 0; 1 is used`,
      `${at}.providerConcurrency.openai: expected an integer ≥ 0, got -1; 1 is used`,
      `${at}.providerConcurrency["a/b"]: expected a provider id without "/", got "a/b"; ignored`,
      `${at}.providerConcurrency.google: expected an integer ≥ 0, got "three"; ignored`,
      `${at}.providerConcurrency.half: expected an integer ≥ 0, got 2.5; 3 is used`,
      `${at}.maxWorkers: expected an integer 1–64, got 100; 64 is used`,
      `${at}.queueTtlMs: expected 0 or an integer ≥ 1000, got 5; 1000 is used`,
      `${at}.wake: expected "all" or "each", got "sometimes"; ignored`,
      `${at}.modelConcurrency: expected an object, model → integer ≥ 0, got an array; ignored`,
    ])
  })

  test("what is right passes without a word", () => {
    const value = { defaultConcurrency: 5, providerConcurrency: { anthropic: 3 }, staleTimeoutMs: 180_000 }
    expect(parseBackgroundTask(value)).toEqual({ config: value, warnings: [] })
  })

  test("bounds in the wrong order are put in order", () => {
    const { config, warnings } = parseBackgroundTask({
      staleTimeoutMs: 2_700_000,
      toolStaleTimeoutMs: 1_000,
      taskTtlMs: 60_000,
    })
    expect(config).toEqual({ staleTimeoutMs: 50_000, toolStaleTimeoutMs: 50_000, taskTtlMs: 60_000 })
    expect(warnings).toHaveLength(2)
  })

  test("what is no object is ignored with a warning", () => {
    for (const value of [null, 3, "x", []]) {
      expect(parseBackgroundTask(value)).toMatchObject({ config: {}, warnings: [expect.stringContaining("ignored")] })
    }
  })
})
