/** Which test files run in one process, which apart, which alone, on which Bun, and for how long. */
import { resolve } from "node:path"

export interface Suite {
  readonly title: string
  /** Path of the Bun that runs it. */
  readonly bun: string
  readonly files: readonly string[]
  readonly limitMs: number
  /** It keeps the machine busy, or measures: nothing may run beside it. */
  readonly alone: boolean
}

/** Folders whose tests start servers, threads or programs: each file gets a process of its own. */
const APART = /(^|\/)(adapters|cli|e2e|page|plugin|real|repository)\//
/** Files whose times are what they report or judge. */
const MEASURING = /(^test\/workers\/real\/|\/(report|plugin-speed|performance|real-coordinator)\.test\.ts$)/
/** The suite that also runs on the Bun inside OpenCode. */
const REAL_WORKERS = /^test\/workers\/real\//

const TOGETHER_LIMIT_MS = 240_000
const APART_LIMIT_MS = 120_000
const E2E_LIMIT_MS = 300_000

/** The Bun that OpenCode embeds, as an npm package beside our own. */
const OLDER_BUN = resolve(import.meta.dir, "../../node_modules/bun-1.3/bin/bun.exe")

function isEndToEnd(file: string): boolean {
  return file.startsWith("test/e2e/")
}

/** All suites of `test/` whose path contains one of `filters` (all of them without a filter), quick ones first. */
export function suitesOf(filters: readonly string[]): Suite[] {
  const files = [...new Bun.Glob("test/**/*.test.{ts,tsx}").scanSync()]
    .filter((file) => filters.length === 0 || filters.some((filter) => file.includes(filter)))
    .toSorted()
  const together = files.filter((file) => !APART.test(file))
  const apart = files
    .filter((file) => APART.test(file))
    .toSorted((a, b) => Number(isEndToEnd(a)) - Number(isEndToEnd(b)))

  const here = process.execPath
  const result: Suite[] = []
  if (together.length > 0) {
    result.push({
      title: `${together.length} files together`,
      bun: here,
      files: together,
      limitMs: TOGETHER_LIMIT_MS,
      alone: true,
    })
  }
  for (const file of apart) {
    const limitMs = isEndToEnd(file) ? E2E_LIMIT_MS : APART_LIMIT_MS
    const suite = { title: file, bun: here, files: [file], limitMs, alone: MEASURING.test(file) }
    result.push(suite)
    if (REAL_WORKERS.test(file)) result.push({ ...suite, title: `${file} on Bun 1.3.14`, bun: OLDER_BUN })
  }
  return result
}
