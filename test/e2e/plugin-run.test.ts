/** `opencode run` ends with its turn, and what runs in its process ends too: there the turn is held for the tasks. */

import { expect, test } from "bun:test"

import { scripted } from "../../src/cli/demo/scripted-model.ts"
import type { ScriptedTurn } from "../../src/cli/demo/scripted-model.ts"
import { launch } from "../helpers/conversation.ts"
import { headlessHome } from "../helpers/headless-run.ts"

const tasks = (turns: Record<string, ScriptedTurn[]>) => Object.entries(turns).map(([id, played]) => launch(id, played))
const readAll = (count: number): ScriptedTurn => ({
  tools: Array.from({ length: count }, (_, i) => ({ name: "background_output", args: { task_id: `{{task:${i}}}` } })),
})

test("a run that says no more than 'launched' waits for its tasks and answers with what they found", async () => {
  await using home = headlessHome()
  const run = home.run(
    scripted("Delegate three.", {
      id: "P",
      turns: [
        {
          tools: tasks({
            r1: [{ wait: 400, text: "one" }],
            r2: [{ wait: 1_500, text: "two" }],
            r3: [{ wait: 3_000, text: "three" }],
          }),
        },
        { text: "launched" },
      ],
      onPrompt: [readAll(3), { text: "in all: one, two and three" }],
    }),
  )
  expect(await run.exited).toBe(0)
  const output = await run.output
  expect(output).toContain("launched")
  expect(output).toContain("in all: one, two and three")
  expect(await run.errors).not.toContain("rror:")
  // Two steps of its own, one to read, one to answer: the notices cost one request together.
  expect(home.model.calls("P").map(({ key }) => key)).toEqual(["P/turn/0", "P/turn/1", "P/prompt/0", "P/prompt/1"])
  for (const id of ["r1", "r2", "r3"]) expect(home.model.calls(id)).toHaveLength(1)
}, 60_000)

test("a failed task is in the answer too", async () => {
  await using home = headlessHome()
  const run = home.run(
    scripted("Delegate two.", {
      id: "P",
      turns: [
        { tools: tasks({ good: [{ wait: 300, text: "fine" }], bad: [{ status: 400, message: "model exploded" }] }) },
        { text: "launched" },
      ],
      onPrompt: [{ text: "I was told: {{user}}" }],
    }),
  )
  expect(await run.exited).toBe(0)
  expect(await run.output).toMatch(/I was told: [^]*failed \(SESSION_ERROR\)[^]*/)
  expect(home.model.calls("P")).toHaveLength(3)
}, 60_000)

test("what never ends is ended by its time limit, and the run with it", async () => {
  await using home = headlessHome({ taskTtlMs: 3_000, staleTimeoutMs: 2_000, toolStaleTimeoutMs: 2_000 })
  const run = home.run(
    scripted("Delegate one.", {
      id: "P",
      turns: [{ tools: tasks({ hangs: [{ hang: true }] }) }, { text: "launched" }],
      onPrompt: [{ text: "it did not end" }],
    }),
  )
  expect(await run.exited).toBe(0)
  expect(await run.output).toContain("it did not end")
}, 60_000)

test("Ctrl-C ends the tasks", async () => {
  await using home = headlessHome()
  const run = home.run(
    scripted("Delegate one.", {
      id: "P",
      turns: [{ tools: tasks({ hangs: [{ hang: true }] }) }, { text: "launched" }],
    }),
  )
  await home.model.waitFor(() => home.model.calls("P").length === 2 && home.model.inFlight("hangs") === 1)
  run.interrupt()
  expect(await run.exited).not.toBe(0)
  await home.model.waitFor(() => home.model.inFlight("hangs") === 0)
}, 60_000)

test("a run without tasks is not held", async () => {
  await using home = headlessHome()
  const run = home.run(scripted("Hello.", { id: "P", turns: [{ text: "hello" }] }))
  expect(await run.exited).toBe(0)
  expect(home.model.calls("P")).toHaveLength(1)
}, 60_000)
