/**
 * Runs the tests: `bun run test [-- <part of a path> …]`.
 *
 * Quick files run in one process. Each of those that start servers or threads has a process of its own, two side by
 * side, but for those that measure; the real-worker suite runs once more on the Bun that OpenCode embeds. A process
 * that a file leaves behind is a failure of that file. Tests write their tables into the folder named by LANES_REPORT;
 * they are printed at the end, above the one line of totals.
 */
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { adoptOrphans, descendants, end } from "./test/processes.ts"
import type { Outcome } from "./test/run-suite.ts"
import { suitesOf } from "./test/suites.ts"
import type { Suite } from "./test/suites.ts"

const SIDE_BY_SIDE = 2

const suites = suitesOf(process.argv.slice(2).filter((argument) => argument !== "--"))
const report = resolve("report")
rmSync(report, { recursive: true, force: true })
mkdirSync(report, { recursive: true })

if (!adoptOrphans()) console.log("Processes left behind by a test are not noticed on this system.")

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => {
    end(descendants())
    process.exit(1)
  })
}

const folder = mkdtempSync(join(tmpdir(), "lanes-tests-"))
const outcomes: Outcome[] = []

/** Runs a suite in a supervisor of its own, and prints all it said when it is over. */
async function supervised(suite: Suite): Promise<void> {
  const path = join(folder, String(suites.indexOf(suite)))
  const output = openSync(`${path}.txt`, "w")
  const supervisor = join(import.meta.dir, "test/supervise.ts")
  const child = Bun.spawn([process.execPath, supervisor, JSON.stringify(suite), `${path}.json`], {
    env: { ...process.env, LANES_REPORT: report },
    stdin: "ignore",
    stdout: output,
    stderr: output,
  })
  await child.exited
  closeSync(output)
  console.log(`\n── ${suite.title}\n${readFileSync(`${path}.txt`, "utf8").trimEnd()}`)
  outcomes.push(existsSync(`${path}.json`) ? JSON.parse(readFileSync(`${path}.json`, "utf8")) : none(suite))
}

/** Of a suite that was ended from outside. */
function none({ title }: Suite): Outcome {
  return { passed: 0, failed: 1, skipped: 0, complaints: [`${title}: ended before its tests did`] }
}

/** Runs suites, as many at a time. */
async function runAll(todo: readonly Suite[], atOnce: number): Promise<void> {
  const rest = [...todo]
  const lane = async (): Promise<void> => {
    for (let next = rest.shift(); next !== undefined; next = rest.shift()) await supervised(next)
  }
  await Promise.all(Array.from({ length: atOnce }, lane))
}

await runAll(
  suites.filter(({ alone }) => alone),
  1,
)
await runAll(
  suites.filter(({ alone }) => !alone),
  SIDE_BY_SIDE,
)
rmSync(folder, { recursive: true })

const sum = (of: (outcome: Outcome) => number): number => outcomes.reduce((total, outcome) => total + of(outcome), 0)
const passed = sum((outcome) => outcome.passed)
const failed = sum((outcome) => outcome.failed)
const skipped = sum((outcome) => outcome.skipped)
const complaints = outcomes.flatMap((outcome) => outcome.complaints)

for (const file of [...new Bun.Glob("**/*.{md,txt}").scanSync({ cwd: report })].toSorted()) {
  console.log(`\n── report/${file}\n${readFileSync(join(report, file), "utf8").trimEnd()}`)
}
if (complaints.length > 0) console.log(`\n${complaints.join("\n")}`)
if (passed + failed === 0) console.log("\nNo test was executed.")
console.log(`\n${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`)
process.exit(failed > 0 || passed === 0 ? 1 : 0)
