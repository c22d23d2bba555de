import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

import { expect, test } from "bun:test"
import { runCommand } from "citty"

import { simulateCommand } from "../../src/cli/simulate.ts"

/** What the command prints, and its exit code. */
async function said(...rawArgs: string[]): Promise<{ text: string; result: unknown }> {
  const { write } = process.stdout
  let text = ""
  process.stdout.write = (chunk: unknown) => ((text += String(chunk)), true)
  try {
    const { result } = await runCommand(simulateCommand, { rawArgs })
    return { text, result }
  } finally {
    process.stdout.write = write
  }
}

test("plays seeds and says what they reached", async () => {
  const { text, result } = await said("--seeds", "5", "--faults", "none", "--tasks", "8")
  expect(result).toBe(0)
  expect(text).toContain("5 seeds, 40 tasks")
  expect(text).toMatch(/^ +5 {2}completed$/m)
  expect((await said("--seeds", "5", "--faults", "none", "--tasks", "8")).text).toBe(text)
})

test("prints the time-line of one seed", async () => {
  const { text } = await said("--trace", "3", "--faults", "coordinator.crash", "--tasks", "4")
  expect(text).toContain("queued in")
  expect(text).toContain("is killed")
  expect(text).toMatch(/hash [0-9a-f]{8}\n$/)
})

test("tries a plan", async () => {
  const folder = mkdtempSync(join(tmpdir(), "lanes-plan-"))
  try {
    const file = join(folder, "plan.jsonc")
    writeFileSync(
      file,
      '{ /* ten agents */ "config": { "defaultConcurrency": 2 }, "tasks": [{ "count": 10, "think": "10s", "tools": 0, }] }',
    )
    const { text } = await said("--plan", file)
    expect(text).toMatch(/^All done after 5\d\.\ds: 10 completed\.$/m)
    expect(text).toMatch(/^default +2 +10 +\d+\.\ds +\d+\.\ds +\d+ % {2}done after 4\d\.\ds \(−\d+ %\)/m)
    const { lanes } = JSON.parse((await said("--plan", file, "--json")).text) as { lanes: { limit: number }[] }
    expect(lanes[0]?.limit).toBe(2)
    writeFileSync(file, "{ tasks: ")
    expect(said("--plan", file)).rejects.toThrow("plan.jsonc line 1: not JSON")
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

test.each([
  [["--faults", "meteor"], 'there is no fault "meteor"'],
  [["--seeds", "few"], '--seeds: expected an integer ≥ 1, got "few"'],
  [["--plan", "/nowhere/plan.jsonc"], "cannot be read"],
])("%p is refused with a sentence", async (args, sentence) => {
  expect(said(...args)).rejects.toThrow(sentence)
})
