/** What `lanes watch` paints, line by line, and how the terminal is taken and given back. */

import { describe, expect, test } from "bun:test"
import { join } from "node:path"
import { PassThrough } from "node:stream"

import { colorsFor } from "../../src/cli/output/colors.ts"
import { FullScreen } from "../../src/cli/watch/full-screen.ts"
import { keysOf } from "../../src/cli/watch/keys.ts"
import { WatchModel } from "../../src/cli/watch/model.ts"
import { watchLines } from "../../src/cli/watch/view.ts"
import { quoted } from "../helpers/command.ts"
import { StubSource, stubRow } from "../helpers/stub-source.ts"
import { TestTerminal } from "../helpers/terminal.ts"

const NAME = "Port the build to the new bundler and drop the old one"

function watched(over: object = {}): { model: WatchModel; source: StubSource; press: (keys: string) => void } {
  const source = new StubSource()
  Object.assign(source, over)
  source.put(stubRow({ id: "bg_00000001", sessionID: "ses_1", lastText: "So far three.", spec: { description: NAME } }))
  const model = new WatchModel(source, () => {})
  return { model, source, press: (keys) => keysOf(keys).forEach((key) => model.press(key)) }
}

const lines = (model: WatchModel, columns = 100, rows = 30): string[] =>
  watchLines(model, { columns, rows, now: Date.now(), colors: colorsFor({}, {}), title: "shop" })

/** What was asked of the source has been answered. */
const answered = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe("lanes watch paints", () => {
  test("the TODOs with their states, and reads them again when the task has moved", async () => {
    let list = [
      { content: "Read the store", status: "completed" },
      { content: "Judge \u001B[2Jit", status: "in_progress" },
      { content: "Tell", status: "pending" },
      { content: "Sing", status: "cancelled" },
      { content: "Dance", status: "someday" },
    ]
    const { model, source, press } = watched({ todos: async () => list, messages: async () => [] })
    press("\r")
    await answered()
    expect(lines(model).filter((line) => /^ [✓●○–] |todos/.test(line))).toEqual([
      " ── todos, 1 of 5 done",
      " ✓ done         Read the store",
      " ● in progress  Judge it",
      " ○ open         Tell",
      " – cancelled    Sing",
      " ○ someday      Dance",
    ])
    list = [{ content: "Tell", status: "completed" }]
    model.follow()
    await answered()
    expect(lines(model).join("\n")).toContain("1 of 5 done")
    const row = source.get("bg_00000001")
    if (row !== undefined) source.put({ ...row, steps: row.steps + 1 })
    model.follow()
    await answered()
    expect(lines(model).join("\n")).toContain("1 of 1 done")
  })

  test("why TODOs and transcript cannot be read, once, and the last words instead", async () => {
    const gone = (): Promise<never> => Promise.reject(new Error("Nobody answers at http://x."))
    const { model, press } = watched({ todos: gone, messages: gone })
    press("\r")
    await answered()
    const text = lines(model).join("\n")
    expect(text.match(/Nobody answers/g)).toHaveLength(1)
    expect(text).toContain("The transcript cannot be read: Nobody answers at http://x.")
    expect(text).toContain("So far three.")
  })

  test("at its end what comes later, until it is scrolled back", async () => {
    const reading = Promise.withResolvers<readonly object[]>()
    const { model, press } = watched({ messages: () => reading.promise })
    press("\r\u001B[F")
    expect(lines(model, 100, 14).join("\n")).toContain("So far three.")
    reading.resolve([
      { role: "user", text: "one\n".repeat(20), tools: [] },
      { role: "assistant", text: "Found it.", tools: [] },
    ])
    await answered()
    expect(lines(model, 100, 14).join("\n")).toContain("Found it.")
    press("\u001B[A".repeat(5))
    expect(lines(model, 100, 14).join("\n")).not.toContain("Found it.")
  })

  test("a question over what was looked at, with its answers in sight however narrow it is", () => {
    const { model, press } = watched()
    press("\r")
    expect(lines(model).join("\n")).toContain("── prompt")
    press("c")
    expect(lines(model).join("\n")).toContain("── prompt")
    press("n")
    press("\u001B")
    press("c")
    expect(lines(model).join("\n")).not.toContain("── prompt")
    for (const columns of [20, 40, 80]) {
      expect(lines(model, columns).at(-1)).toMatch(/^ Cancel "P.*"\? {2}y \/ n$/)
      for (const line of lines(model, columns)) expect(Bun.stringWidth(line)).toBeLessThanOrEqual(columns)
    }
  })
})

describe("the terminal", () => {
  test("is written to only where something changed, and at once", () => {
    const written: string[] = []
    const terminal = { columns: 20, rows: 5, write: (text: string) => void written.push(text) }
    using screen = new FullScreen(terminal as never, new PassThrough(), () => {})
    screen.paint(["one", "two", "three"])
    written.length = 0
    screen.paint(["one", "two", "three"])
    expect(written).toEqual([])
    screen.paint(["one", "2", "three"])
    expect(written).toEqual(["\u001B[?2026h\u001B[2;1H2\u001B[0m\u001B[K\u001B[?2026l"])
  })

  test.skipIf(Bun.which("tmux") === null)(
    "is given back when the command fails in the middle",
    async () => {
      using terminal = new TestTerminal({ columns: 60, rows: 10 }, process.env)
      const from = join(import.meta.dir, "../../src/cli/watch/full-screen.ts")
      const program = `const { FullScreen } = await import(${JSON.stringify(from)})
const screen = new FullScreen(process.stdout, process.stdin, () => { throw new Error("in the middle") })
screen.paint(["painted"])`
      terminal.type(`clear; echo before; ${quoted([process.execPath, "-e", program])} 2>/dev/null; echo exit=$?`)
      await terminal.shows(/^painted$/)
      expect(terminal.cursorVisible).toBe(false)
      terminal.press("x")
      await terminal.shows(/^exit=1$/)
      expect([terminal.cursorVisible, terminal.screen().includes("before")]).toEqual([true, true])
      terminal.type("echo typed")
      await terminal.shows(/echo typed/)
    },
    30_000,
  )
})
