import { describe, expect, test } from "bun:test"
import { LANES, quoted, watchTraces } from "../helpers/command.ts"
import { TestTerminal } from "../helpers/terminal.ts"

const DEMO = [...LANES, "demo"]
const LIMIT_MS = 60_000
const TASKS = 9

describe.skipIf(Bun.which("tmux") === null)("lanes demo in a terminal", () => {
  test(
    "paints one table that fits, wide or narrow, and ends with a cursor",
    async () => {
      using traces = watchTraces()
      using wide = new TestTerminal({ columns: 100, rows: 30 }, traces.env)
      using narrow = new TestTerminal({ columns: 60, rows: 20 }, traces.env)
      for (const terminal of [wide, narrow]) terminal.type(`clear; ${quoted(DEMO)}; echo exit=$?`)

      for (const terminal of [wide, narrow]) {
        await terminal.shows(/provider:acme ■■ 2\/2 queue [123]/)
        await terminal.shows(/[●✓] oracle +Review .*todowrite/)
        expect(terminal.cursorVisible).toBe(false)
        const screen = terminal.screen()
        const table = screen.filter((line) => /^ {2}[●○✓] /.test(line))
        expect(table).toHaveLength(TASKS)
        // A line that wrapped would leave its end at the beginning of the next one.
        const others = screen.filter((line) => line !== "" && !table.includes(line))
        for (const line of others)
          expect(line).toMatch(/^(Agents|[Ee]ach|Offline|[a-z]|\d tasks|provider:|model:|default )/)
      }
      expect(wide.screen().join("\n")).toMatch(/state +waited +ran +tool +tokens/)

      for (const terminal of [wide, narrow]) {
        await terminal.shows(/^exit=0$/)
        expect(terminal.cursorVisible).toBe(true)
        expect(terminal.screen(true).filter((line) => /^ {2}✓ /.test(line))).toHaveLength(TASKS)
        expect(terminal.screen(true).join(" ")).toMatch(/9 of 9 tasks completed/)
      }
      expect(traces.left().files).toEqual([])
    },
    LIMIT_MS,
  )

  test(
    "Ctrl-C cancels, cleans up and gives the cursor back",
    async () => {
      using traces = watchTraces()
      using terminal = new TestTerminal({ columns: 100, rows: 30 }, traces.env)
      terminal.type(`clear; ${quoted(DEMO)}; echo exit=$?`)
      await terminal.shows(/● explore .* (grep|read) /)
      terminal.press("C-c")
      await terminal.shows(/^exit=130$/, 10_000)
      expect(terminal.screen().join("\n")).toMatch(/– oracle +Judge the error handling +cancelled/)
      expect(terminal.cursorVisible).toBe(true)
      expect(traces.left().files).toEqual([])
    },
    LIMIT_MS,
  )
})
