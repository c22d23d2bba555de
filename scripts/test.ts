/**
 * Runs the tests: `bun run test [-- <part of a path> …]`.
 *
 * Quick files run in one process, those that start servers or threads one at a time, and the real-worker suite once
 * more on the Bun that OpenCode embeds. A process that a file leaves behind is a failure of that file. Tests write
 * their tables into the folder named by LANES_REPORT; they are printed at the end, above the one line of totals.
 */
import { mkdirSync, readFileSync, rmSync } from "node:fs"
import { join, resolve } from "node:path"
import { adoptOrphans, descendants, end } from "./test/processes.ts"
import { runSuite } from "./test/run-suite.ts"
import { suites } from "./test/suites.ts"

const filters = process.argv.slice(2).filter((argument) => argument !== "--")
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

let passed = 0
let failed = 0
let skipped = 0
const complaints: string[] = []
for (const suite of suites(filters)) {
  console.log(`\n── ${suite.title}`)
  const outcome = await runSuite(suite, { LANES_REPORT: report })
  passed += outcome.passed
  failed += outcome.failed
  skipped += outcome.skipped
  complaints.push(...outcome.complaints)
}

for (const file of [...new Bun.Glob("**/*.{md,txt}").scanSync({ cwd: report })].toSorted()) {
  console.log(`\n── report/${file}\n${readFileSync(join(report, file), "utf8").trimEnd()}`)
}
if (complaints.length > 0) console.log(`\n${complaints.join("\n")}`)
if (passed + failed === 0) console.log("\nNo test was executed.")
console.log(`\n${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`)
process.exit(failed > 0 || passed === 0 ? 1 : 0)
