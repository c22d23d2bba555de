import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

import { expect, test } from "bun:test"
import { runCommand } from "citty"

import type * as Simulate from "../../src/cli/simulate.ts"
import { simulateCommand } from "../../src/cli/simulate.ts"
import { mutated } from "../sim/mutants/load.ts"

const said = (...rawArgs: string[]): Promise<Said> => saidBy(simulateCommand, rawArgs)

interface Said {
  readonly text: string
  readonly result: unknown
}

/** What the command prints, and its exit code. */
async function saidBy(command: typeof simulateCommand, rawArgs: string[]): Promise<Said> {
  const { write } = process.stdout
  let text = ""
  process.stdout.write = (chunk: unknown) => ((text += String(chunk)), true)
  try {
    const { result } = await runCommand(command, { rawArgs })
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

test("the line a violation ends up with shows it again", async () => {
  const cli = join(import.meta.dir, "../../src/cli")
  using broken = mutated({
    name: "open TODOs do not matter",
    change: [["if (open === 0) return", "if (open >= 0) return"]],
    breaks: 5,
  })
  cpSync(join(cli, "output"), join(broken.path, "src/cli/output"), { recursive: true })
  cpSync(join(cli, "simulate.ts"), join(broken.path, "src/cli/simulate.ts"))
  const { simulateCommand: command } = (await import(join(broken.path, "src/cli/simulate.ts"))) as typeof Simulate
  const found = await saidBy(command, ["--seeds", "60", "--tasks", "9", "--faults", "agent.odd, call.slow"])
  expect(found.result).toBe(1)
  const line = /replay +lanes simulate (.+)/.exec(found.text)?.[1] ?? ""
  expect(line).toMatch(/^--trace \d+ --faults agent.odd,call.slow --tasks 9$/)
  expect(await saidBy(command, line.split(" "))).toEqual(found)
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
