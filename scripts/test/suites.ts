/** Which test files run together and which alone, on which Bun, and for how long. */
import { resolve } from "node:path"

export interface Suite {
  readonly title: string
  /** Path of the Bun that runs it. */
  readonly bun: string
  readonly files: readonly string[]
  readonly limitMs: number
}

/** Folders whose tests start servers, threads or programs: each file gets a process of its own, one after another. */
const ALONE = /(^|\/)(adapters|cli|e2e|page|plugin|real|repository)\//
/** The suite that also runs on the Bun inside OpenCode. */
const REAL_WORKERS = /^test\/workers\/real\//

const TOGETHER_LIMIT_MS = 240_000
const ALONE_LIMIT_MS = 120_000
const E2E_LIMIT_MS = 300_000

/** The Bun that OpenCode embeds, as an npm package beside our own. */
const OLDER_BUN = resolve(import.meta.dir, "../../node_modules/bun-1.3/bin/bun.exe")

function isEndToEnd(file: string): boolean {
  return file.startsWith("test/e2e/")
}

/** All suites of `test/` whose path contains one of `filters` (all of them without a filter), quick ones first. */
export function suites(filters: readonly string[]): Suite[] {
  const files = [...new Bun.Glob("test/**/*.test.{ts,tsx}").scanSync()]
    .filter((file) => filters.length === 0 || filters.some((filter) => file.includes(filter)))
    .toSorted()
  const together = files.filter((file) => !ALONE.test(file))
  const alone = files
    .filter((file) => ALONE.test(file))
    .toSorted((a, b) => Number(isEndToEnd(a)) - Number(isEndToEnd(b)))

  const here = process.execPath
  const result: Suite[] = []
  if (together.length > 0) {
    result.push({ title: `${together.length} files together`, bun: here, files: together, limitMs: TOGETHER_LIMIT_MS })
  }
  for (const file of alone) {
    const limitMs = isEndToEnd(file) ? E2E_LIMIT_MS : ALONE_LIMIT_MS
    result.push({ title: file, bun: here, files: [file], limitMs })
    if (REAL_WORKERS.test(file)) {
      result.push({ title: `${file} on Bun 1.3.14`, bun: OLDER_BUN, files: [file], limitMs })
    }
  }
  return result
}
