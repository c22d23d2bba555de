/** README's four facts quote what was measured last, and goals are counted from the same figures. */
import { expect, test } from "bun:test"
import { readFileSync } from "node:fs"
import { join, resolve } from "node:path"

const ROOT = resolve(import.meta.dir, "../..")
const read = (file: string): string => readFileSync(join(ROOT, file), "utf8")

interface Kept {
  readonly quick: boolean
  readonly facts?: Readonly<Record<string, number>>
  readonly goals: readonly { readonly goal: string; readonly measured: string }[]
}
const kept = (name: string): Kept => JSON.parse(read(`scripts/bench/results/${name}.json`)) as Kept

/** Every number of README's four facts, and the measured one it rounds. */
const QUOTES: readonly (readonly [pattern: RegExp, question: string, fact: string])[] = [
  [/settles (\d[\d.,]*) ms \(median\)/, "completion", "lagP50Ms"],
  [/hears of it (\d[\d.,]*) s later/, "completion", "tutorialLagP50S"],
  [/(\d+) tasks of seven kinds/, "completion", "tasks"],
  [/ended (\d+) of them too early/, "completion", "tutorialEarly"],
  [/told (\d[\d.,]*) ms after/, "plugins", "toldP50Ms"],
  [/(\d+) tasks at once cost/, "cost", "tasks"],
  [/at once cost (\d+) MB/, "cost", "memoryMb"],
  [/and (\d[\d.,]*) requests per task and second/, "cost", "requestsPerTask"],
  [/event loop (\d[\d.,]*) ms late \(p99\)/, "cost", "lagP99Ms"],
  [/host that is killed has its ([\d,]+) tasks/, "journal", "recovered"],
  [/tasks again in (\d+) ms/, "journal", "recoveredMs"],
]

/** As many digits as the quote has. */
function same(quoted: string, measured: number): boolean {
  const digits = quoted.split(".")[1]?.length ?? 0
  return quoted.replaceAll(",", "") === measured.toFixed(digits)
}

test.each(QUOTES)("%s is what was measured", (pattern, question, fact) => {
  const quoted = pattern.exec(read("README.md"))?.[1]
  const measured = kept(question).facts?.[fact]
  expect({ quoted, measured }).toEqual({ quoted: expect.any(String), measured: expect.any(Number) })
  expect({ quoted, measured, same: same(quoted ?? "", measured ?? Number.NaN) }).toMatchObject({ same: true })
})

test("a figure that was typed in would be seen", () => {
  expect([same("35", 35.4), same("35", 36), same("0.7", 0.66), same("0.7", 0.6)]).toEqual([true, false, true, false])
})

test("the results hold the goals of every question, from whole runs", () => {
  const results = read("scripts/bench/results.md")
  for (const name of [
    "core",
    "dispatch",
    "pools",
    "makespan",
    "completion",
    "plugins",
    "cost",
    "simulation",
    "journal",
    "package",
  ]) {
    const { quick, goals } = kept(name)
    expect({ name, quick }).toEqual({ name, quick: false })
    for (const { goal, measured } of goals) expect(results).toContain(`| ${goal} | ${measured} |`)
  }
})
