/** Runs one suite in a process of its own and says what became of it. */
import { mkdtempSync, existsSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Subprocess } from "bun"
import { descendants, end, type Process } from "./processes.ts"
import type { Suite } from "./suites.ts"

/** One test may take so long; bun kills the child processes of one that takes longer, and with them its file's server. */
const TEST_LIMIT_MS = 90_000

export interface Outcome {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
  /** Sentences about failures that no test could report. */
  readonly complaints: readonly string[]
}

/** A process that was told to end may still be seen for a moment. */
const LEAVE_MS = 1_000

/** The totals of a JUnit report: the attributes of its outermost element. */
function totals(report: string): { tests: number; failures: number; skipped: number } {
  const head = /<testsuites\b[^>]*>/.exec(report)?.[0] ?? ""
  const read = (name: string): number => Number(new RegExp(`\\b${name}="(\\d+)"`).exec(head)?.[1] ?? 0)
  return { tests: read("tests"), failures: read("failures"), skipped: read("skipped") }
}

function endOf({ signalCode, exitCode }: Subprocess): string {
  return signalCode === null ? `code ${exitCode}` : String(signalCode)
}

/** The files that ran no test: they failed to load, or contain none. */
function withoutTests(report: string, files: readonly string[]): string[] {
  return files.filter((file) => !report.includes(`file="${file}"`))
}

/** What is still there after the time to leave. */
async function leftBehind(): Promise<Process[]> {
  const until = performance.now() + LEAVE_MS
  let left = descendants()
  while (left.length > 0 && performance.now() < until) {
    await Bun.sleep(50)
    left = descendants()
  }
  return left
}

export async function runSuite(suite: Suite): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), "lanes-test-"))
  const report = join(folder, "junit.xml")
  const files = suite.files.map((file) => `./${file}`)
  try {
    const child = Bun.spawn(
      [suite.bun, "test", `--timeout=${TEST_LIMIT_MS}`, "--reporter=junit", `--reporter-outfile=${report}`, ...files],
      { stdin: "ignore", stdout: "inherit", stderr: "inherit" },
    )
    const complaints: string[] = []
    let overdue = false
    const timer = setTimeout(() => {
      overdue = true
      end(descendants())
      child.kill("SIGKILL")
    }, suite.limitMs)
    const code = await child.exited
    clearTimeout(timer)

    const junit = existsSync(report) ? readFileSync(report, "utf8") : ""
    const { tests, failures, skipped } = totals(junit)
    if (overdue) complaints.push(`${suite.title}: not done within ${suite.limitMs / 1000} s`)
    else if (junit === "") complaints.push(`${suite.title}: ended with ${endOf(child)} and reported no test`)
    else {
      for (const file of withoutTests(junit, suite.files))
        complaints.push(`${file}: failed to load or contains no test`)
      if (code !== 0 && failures + complaints.length === 0) {
        complaints.push(`${suite.title}: ended with ${endOf(child)} without a failed test`)
      }
    }

    const left = await leftBehind()
    for (const { pid, name } of left)
      complaints.push(`${suite.title}: left process ${pid} behind: ${name.slice(0, 160)}`)
    end(left)
    return { passed: tests - failures - skipped, failed: failures + complaints.length, skipped, complaints }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
