import { expect, test } from "bun:test"

import { CANCEL, DELEGATE, ignoredNotes, OUTPUT, read } from "../../src/plugin/tools/arguments.ts"
import { CANCEL_JSON, DELEGATE_JSON, OUTPUT_JSON } from "../../src/plugin/tools/json-schemas.ts"

test("only what is needed is required, and every argument is described", () => {
  const schemas = [DELEGATE_JSON, OUTPUT_JSON, CANCEL_JSON]
  expect(schemas.map(({ required }) => required)).toEqual([["prompt"], ["task_id"], []])
  for (const { properties } of schemas) {
    for (const property of Object.values(properties)) {
      expect(property).toMatchObject({
        type: expect.stringMatching(/^(string|boolean|number)$/),
        description: expect.any(String),
      })
    }
  }
})

test("aliases and what models send instead of a type are understood", () => {
  const sent = {
    prompt: "x",
    subagent_type: "explore",
    background: "false",
    ttl_minutes: "5",
    model: null,
    session_id: " ",
  }
  expect(read(DELEGATE, sent)).toEqual({
    value: { prompt: "x", agent: "explore", run_in_background: false, ttl_minutes: 5 },
  })
  expect(read(CANCEL, { taskId: "bg_1", all: "TRUE" })).toEqual({ value: { task_id: "bg_1", all: true } })
})

test("an argument's own name wins over its alias", () => {
  expect(read(DELEGATE, { prompt: "x", subagent_type: "a", agent: "b" })).toEqual({
    value: { prompt: "x", agent: "b" },
  })
})

test("what is wrong is named with what was expected", () => {
  const wrong = (schema: Parameters<typeof read>[0], sent: unknown) => Reflect.get(read(schema, sent), "wrong")
  expect(wrong(DELEGATE, {})).toBe("prompt: expected it to be there, got nothing")
  expect(wrong(DELEGATE, { prompt: "  " })).toContain("prompt: expected a text that is not empty")
  expect(wrong(OUTPUT, { task_id: "bg_1", timeout: 600_001 })).toContain("timeout: expected a number up to 600000")
  expect(wrong(OUTPUT, "bg_1")).toBe("expected an object of arguments")
})

test("arguments of other plugins are accepted with a note", () => {
  expect(ignoredNotes({ prompt: "x", load_skills: ["a"], category: "quick", skills: [], command: "" })).toEqual([
    "load_skills, category ignored: put what the agent needs into the prompt.",
  ])
  expect(ignoredNotes({ prompt: "x" })).toEqual([])
})
