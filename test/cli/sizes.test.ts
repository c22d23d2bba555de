/** Terminals of odd sizes, and pipes, which have none. */

import { expect, test } from "bun:test"
import { mkdirSync } from "node:fs"
import { join } from "node:path"
import { PassThrough } from "node:stream"
import { LiveReporter } from "../../src/cli/output/live-reporter.ts"
import type { Watched } from "../../src/cli/output/reporter.ts"
import type { LaneEvent } from "../../src/index.ts"
import { LANES, quoted, run, watchTraces } from "../helpers/command.ts"
import { leaveRows } from "../helpers/journals.ts"
import { inTerminal } from "../helpers/pty.ts"
import { settledRow } from "../helpers/rows.ts"

const COMMAND = quoted(LANES)

/** What a terminal of that width gets, a line each, without colours. */
async function lines(words: string, columns: number, env: Record<string, string | undefined>): Promise<string[]> {
  const { stdout } = await inTerminal(`${COMMAND} ${words}`, { columns, rows: columns === 0 ? 0 : 24, env })
  return Bun.stripANSI(stdout).trimEnd().split("\n")
}

const widest = (of: readonly string[]): number => Math.max(...of.map((line) => Bun.stringWidth(line)))

test("lanes list drops columns where there is no room for them", async () => {
  using traces = watchTraces()
  const directory = join(traces.folder, "project")
  mkdirSync(directory)
  await leaveRows(String(traces.env["XDG_STATE_HOME"]), directory, [settledRow({ id: "bg_4k2m9x0a" })])
  const heads: Record<number, string> = {
    80: "id           state         time  agent     task",
    0: "id           state         time  agent     task",
    50: "id           state         time  task",
    40: "id           state     task",
    30: "id           task",
  }
  for (const [columns, head] of Object.entries(heads)) {
    const shown = await lines(`list --dir '${directory}'`, Number(columns), traces.env)
    expect(shown).toEqual([head, expect.stringMatching(/^bg_4k2m9x0a  .*(find the login code|find the.*…)$/)])
    expect(widest(shown)).toBeLessThanOrEqual(Number(columns) || 80)
  }
})

test("lanes help takes a terminal without a size for one of 80 columns", async () => {
  expect(await lines("help", 0, process.env)).toEqual(await lines("help", 80, process.env))
})

test("lanes doctor cuts no path: a pipe gets it in one line, a narrow terminal in several", async () => {
  using traces = watchTraces()
  const state = join(traces.folder, "a-folder-with-a-long-name".repeat(5))
  mkdirSync(state)
  const env = { ...traces.env, XDG_STATE_HOME: state }
  const { stdout } = await run([...LANES, "doctor", "--server", "http://127.0.0.1:9"], { env })
  expect(stdout).toContain(`ok    journal     tasks are kept in ${state}/opencode-lanes\n`)
  const narrow = await lines("doctor --server http://127.0.0.1:9", 40, env)
  expect(widest(narrow)).toBeLessThanOrEqual(40)
  expect(narrow.map((line) => line.trim()).join("")).toContain(`${state}/opencode-lanes`)
})

test("the live table is painted on a terminal without a size, and below what is said meanwhile", () => {
  const terminal = Object.assign(new PassThrough({ encoding: "utf8" }), { isTTY: true, columns: 0, rows: 0 })
  const painted = (): string => Bun.stripANSI(terminal.read() as string)
  using reporter = new LiveReporter(terminal)
  let tell: (event: LaneEvent) => unknown = () => {}
  const watched = { usage: () => [], list: () => [], get: () => undefined }
  reporter.follow({ ...watched, on: (_type, handler) => ((tell = handler), () => {}) } satisfies Watched)
  const queued = { lane: "default", ahead: 0, description: "Find the login", agent: "explore" }
  tell({ type: "task:queued", id: "bg_1", epoch: 1, at: 1_000, seq: 1, ...queued })
  reporter.status("One task")
  expect(painted()).toMatch(/One task.*○ explore +Find the login/s)
  reporter.say("A limit is ignored.")
  expect(painted()).toMatch(/A limit is ignored\..*One task.*○ explore +Find the login/s)
})
