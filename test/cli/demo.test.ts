import { describe, expect, test } from "bun:test"
import type { LaneEvent } from "../../src/index.ts"
import { LANES, processesWith, quoted, run, watchTraces } from "../helpers/command.ts"
import { until } from "../helpers/processes.ts"

const DEMO = [...LANES, "demo"]
const LIMIT_MS = 60_000
const NOTHING = { files: [], processes: [] }
const TASKS = 9

interface SummaryLine {
  type: "summary"
  tasks: number
  completed: number
  makespanMs: number
  oneByOneMs: number
}

describe("lanes demo", () => {
  test(
    "without a terminal: plain lines, the results, exit 0, nothing left behind",
    async () => {
      using traces = watchTraces()
      const { exitCode, stdout, stderr } = await run(DEMO, traces)
      expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" })
      expect(stdout).toBe(Bun.stripANSI(stdout))
      for (const agent of ["explore", "librarian", "oracle"]) {
        expect(stdout).toMatch(new RegExp(`s  started +${agent} `))
        expect(stdout).toMatch(new RegExp(`s  done +${agent} .*ran \\d`))
      }
      for (const tool of ["grep", "read", "todowrite"]) expect(stdout).toMatch(new RegExp(`s  working .* ${tool}\\n`))
      expect(stdout).toMatch(/s  started .* waited [1-9]/)
      expect(stdout).toMatch(/Find the login code +login\(\) in src\/auth\/login\.ts/)
      expect(stdout).toMatch(
        /9 of 9 tasks completed in [\d.]+s\. One after another: [\dms. ]+, [\d.]+ times as long\.\n$/,
      )
      expect(traces.left()).toEqual(NOTHING)
    },
    LIMIT_MS,
  )

  test(
    "--json: one event a line in the order of the life cycle, no lane over its limit, the summary last",
    async () => {
      using traces = watchTraces()
      const { exitCode, stdout } = await run([...DEMO, "--json"], traces)
      expect(exitCode).toBe(0)
      const lines = stdout.trimEnd().split("\n")
      const objects = lines.map((line) => JSON.parse(line) as LaneEvent | SummaryLine)
      const summary = objects.at(-1) as SummaryLine
      const events = objects.slice(0, -1) as LaneEvent[]
      expect(summary).toMatchObject({ type: "summary", tasks: TASKS, completed: TASKS })
      expect(events.every(({ seq }, index) => index === 0 || seq === (events[index - 1]?.seq ?? 0) + 1)).toBe(true)

      const settled = events.filter((event) => event.type === "task:settled")
      expect(settled).toHaveLength(TASKS)
      for (const { id } of settled) {
        const own = events.filter((event) => "id" in event && event.id === id).map(({ type }) => type)
        const steps = own.filter((type) => /queued|started|session|settled/.test(type))
        expect(steps).toEqual(["task:queued", "task:started", "task:session", "task:settled"])
        expect(own.filter((type) => type.startsWith("task:")).at(-1)).toBe("task:settled")
      }

      const { peaks, limits } = countSlots(events)
      expect(limits).toEqual({ "provider:acme": 2, "model:globex/large": 1, default: 3 })
      // As many as allowed, never more: the demo shows full lanes, and more tasks than they admit.
      expect(peaks).toEqual({ "provider:acme": 2, "model:globex/large": 1, default: 2 })
      expect(events.some((event) => event.type === "task:queued" && event.ahead >= 2)).toBe(true)

      const ranMs = settled.reduce((sum, { outcome }) => sum + outcome.durationMs, 0)
      expect(summary.oneByOneMs).toBe(Math.round(ranMs))
      expect(summary.makespanMs).toBe((settled.at(-1)?.at ?? 0) - (events[0]?.at ?? 0))
      expect(summary.makespanMs).toBeLessThan(summary.oneByOneMs)
      expect(traces.left()).toEqual(NOTHING)
    },
    LIMIT_MS,
  )

  test(
    "when the reader of its output leaves, it leaves too",
    async () => {
      using traces = watchTraces()
      const { exitCode } = await run(["sh", "-c", `${quoted([...DEMO, "--json"])} | head -1`], traces)
      expect(exitCode).toBe(0)
      expect(traces.left()).toEqual(NOTHING)
    },
    LIMIT_MS,
  )

  test("when OpenCode does not start, it says so in a sentence", async () => {
    using traces = watchTraces()
    const { exitCode, stderr } = await run(DEMO, { env: { ...traces.env, OPENCODE_BIN: "/bin/false" } })
    expect(exitCode).toBe(1)
    expect(stderr).toMatch(/^error: .*\n$/)
    expect(traces.left()).toEqual(NOTHING)
  })
})

describe("lanes demo, interrupted", () => {
  test(
    "while it starts",
    async () => {
      using traces = watchTraces()
      const child = Bun.spawn(DEMO, { env: traces.env, stdout: "pipe", stderr: "inherit" })
      await until(() => traces.left().files.length > 0, 10_000)
      child.kill("SIGTERM")
      expect(await child.exited).toBe(143)
      expect(traces.left()).toEqual(NOTHING)
    },
    LIMIT_MS,
  )

  test(
    "a second time, it leaves at once, whatever hangs",
    async () => {
      using traces = watchTraces()
      const child = Bun.spawn([...DEMO, "--json"], { env: traces.env, stdout: "pipe", stderr: "ignore" })
      const reader = child.stdout.getReader()
      const decoder = new TextDecoder()
      for (let seen = ""; !seen.includes('"task:session"');) seen += decoder.decode((await reader.read()).value)
      // Everything below the demo stands still, so that a polite end would take its time.
      const below = processesWith(traces.folder).filter((pid) => pid !== child.pid)
      expect(below.length).toBeGreaterThan(0)
      for (const pid of below) process.kill(pid, "SIGSTOP")
      child.kill("SIGINT")
      // Signals within half a second count as one: a terminal and a parent may both send it.
      await Bun.sleep(600)
      expect(child.exitCode).toBeNull()
      const start = performance.now()
      child.kill("SIGINT")
      expect(await child.exited).toBe(130)
      expect(performance.now() - start).toBeLessThan(500)
      await until(() => traces.left().processes.length === 0, 5_000)
      expect(traces.left()).toEqual(NOTHING)
    },
    LIMIT_MS,
  )
})

function countSlots(events: readonly LaneEvent[]): {
  peaks: Record<string, number>
  limits: Record<string, number | null>
} {
  const used = new Map<string, number>()
  const peaks: Record<string, number> = {}
  const limits: Record<string, number | null> = {}
  for (const event of events) {
    if (event.type !== "lane:granted" && event.type !== "lane:released") continue
    const { lane, limit, type } = event
    const now = (used.get(lane) ?? 0) + (type === "lane:granted" ? 1 : -1)
    used.set(lane, now)
    peaks[lane] = Math.max(peaks[lane] ?? 0, now)
    limits[lane] = limit
  }
  expect([...used.values()].every((left) => left === 0)).toBe(true)
  return { peaks, limits }
}
