/**
 * Compares what the package makes public with the reports under `test/api`, so that no name comes, goes or changes
 * unnoticed. `--update` writes the reports.
 */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { REPORTS, rollUp } from "../build/declarations.ts"

const update = process.argv.includes("--update")
const outdir = mkdtempSync(join(tmpdir(), "lanes-api-"))
try {
  mkdirSync(REPORTS, { recursive: true })
  const { changed, messages } = rollUp(outdir, { update })
  for (const message of messages) console.error(message)
  if (changed.length > 0) {
    const files = changed.map((file) => `test/api/${file}`).join(", ")
    console.log(
      update ? `${files} written` : `the public surface has changed: ${files}; run: bun scripts/check/api.ts --update`,
    )
  } else console.log("the public surface is the reported one")
  process.exitCode = messages.length > 0 || (changed.length > 0 && !update) ? 1 : 0
} finally {
  rmSync(outdir, { recursive: true, force: true })
}
