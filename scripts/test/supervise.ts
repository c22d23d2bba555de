/**
 * Runs the suite named by its first argument, JSON, as a program of its own: what the suite leaves behind is below this
 * process, whatever else runs beside it. Writes the outcome, JSON, to the path named by its second.
 */
import { writeFileSync } from "node:fs"
import { adoptOrphans } from "./processes.ts"
import { runSuite } from "./run-suite.ts"
import type { Suite } from "./suites.ts"

const [suite = "", path = ""] = process.argv.slice(2)
adoptOrphans()
writeFileSync(path, JSON.stringify(await runSuite(JSON.parse(suite) as Suite)))
