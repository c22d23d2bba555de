import { describe, expect, test } from "bun:test"
import { Board } from "../../src/cli/output/board.ts"
import { boardLines } from "../../src/cli/output/board-view.ts"
import { canRepaint, colorsFor } from "../../src/cli/output/colors.ts"
import { cut, fit, printable, wrap } from "../../src/cli/output/columns.ts"
import { duration } from "../../src/cli/output/durations.ts"
import { exitCodeOf, sentenceOf, UsageError } from "../../src/cli/output/errors.ts"
import { resultLines, Tally } from "../../src/cli/output/summary.ts"
import { laneBar } from "../../src/cli/output/lane-bar.ts"
import { LanesError } from "../../src/index.ts"
import type { BareEvent } from "../../src/core/events.ts"
import { NO_TOKENS } from "../../src/core/snapshot.ts"
import type { Outcome } from "../../src/core/task.ts"
import { LANES, run } from "../helpers/command.ts"

const plain = colorsFor({}, {})

describe("the board", () => {
  test("follows a task from the queue to its end", () => {
    const board = boardOf([queued("a"), granted("a"), started("a", 0), queued("b")])
    expect(states(board)).toEqual(["running", "pending"])
    expect(board.lanes).toEqual([{ lane: "default", used: 1, limit: 1, queued: 1 }])
    apply(board, [settled("a", "completed"), { ...released("a"), queued: 1 }, granted("b"), started("b", 4_000)])
    expect(states(board)).toEqual(["completed", "running"])
    const [a, b] = board.tasks
    expect(a && { waited: board.waited(a, 99_999), ran: board.ran(a, 99_999) }).toEqual({ waited: 0, ran: 1_500 })
    expect(b && { waited: board.waited(b, 9_000), ran: board.ran(b, 9_000) }).toEqual({ waited: 4_000, ran: 8_000 })
  })

  test("counts a waiting time up, and starts again for a new epoch", () => {
    const board = boardOf([queued("a"), settled("a", "cancelled"), queued("a")])
    const task = board.task("a")
    expect(task && board.waited(task, 3_000)).toBe(2_000)
    expect(task && board.ran(task, 3_000)).toBeUndefined()
  })

  test("says that the server is away until it is back", () => {
    const board = boardOf([queued("a"), { type: "server:lost", message: "no answer" }])
    expect(lines(board, 80, 24).at(-1)).toMatch(/does not answer/)
    apply(board, [{ type: "server:back", lostMs: 1 }])
    expect(lines(board, 80, 24).at(-1)).not.toMatch(/does not answer/)
  })

  test("never paints wider or taller than the terminal, whatever tasks are called", () => {
    const names = [
      "x",
      "a name that goes on and on ".repeat(8),
      "検索する 検索する 検索する 検索する 検索",
      "\u001B[31mred\u0007\nnext",
    ]
    const events = names.flatMap((name, index) => [
      queued(`${index}`, name),
      granted(`${index}`),
      started(`${index}`, 0),
    ])
    const board = boardOf(events)
    for (let width = 20; width <= 140; width += 1) {
      for (const line of lines(board, width, 24)) {
        expect(Bun.stringWidth(line)).toBeLessThanOrEqual(width)
        expect(line).not.toMatch(/\p{Cc}/u)
      }
    }
    apply(
      board,
      names.map((_, index) => settled(`${index}`, "completed")),
    )
    expect(lines(board, 80, 5)).toHaveLength(5)
    apply(board, [queued("w"), queued("v")])
    expect(lines(board, 80, 4).slice(1)).toEqual([
      "  4 finished",
      expect.stringMatching(/○/),
      expect.stringMatching(/○/),
    ])
    expect(lines(board, 80, 3).slice(1)).toEqual(["  4 finished", "  2 waiting"])
    expect(lines(board, 80, 2).slice(1)).toEqual(["  2 more lines"])
    apply(board, [settled("w", "cancelled"), settled("v", "cancelled")])
    expect(lines(board, 80, 4)).toEqual([expect.stringMatching(/^default/), "  6 finished"])
  })

  test("draws slots as squares, with a bound for large lanes", () => {
    const lane = "x"
    expect(laneBar({ lane, used: 2, limit: 3, queued: 1 }, plain)).toBe("■■□ 2/3 queue 1")
    expect(laneBar({ lane, used: 3, limit: 2, queued: 0 }, plain)).toBe("■■■ 3/2")
    expect(laneBar({ lane, used: 2, limit: null, queued: 0 }, plain)).toBe("■■ 2/∞")
    expect(laneBar({ lane, used: 0, limit: null, queued: 0 }, plain)).toBe("0/∞")
    expect(laneBar({ lane, used: 1, limit: 60, queued: 0 }, plain)).toBe("■□□□□□□□□□□□ 1/60")
  })
})

describe("text", () => {
  test("durations are short and exact enough", () => {
    expect([0, 40, 60, 12_340, 59_949, 59_950, 135_000, 3_840_000].map(duration)).toEqual([
      "0.0s",
      "0.0s",
      "0.1s",
      "12.3s",
      "59.9s",
      "1m 0s",
      "2m 15s",
      "1h 4m",
    ])
  })

  test("columns are measured as a terminal shows them", () => {
    expect(fit("abc", 5)).toBe("abc  ")
    expect(fit("abc", 5, "right")).toBe("  abc")
    expect(fit("abcdef", 5)).toBe("abcd…")
    expect(fit("検索する", 5)).toBe("検索…")
    expect(cut("abc", 0)).toBe("")
    expect(wrap("one two three", 8)).toEqual(["one two", "three"])
    expect(wrap("an unbreakable one", 5)).toEqual(["an", "unbre", "akabl", "e one"])
    expect(printable("\u001B]8;;http://x\u0007a\u001B[1mb\r\n\tc\u202E")).toBe("ab c")
  })

  test("colours are for terminals; NO_COLOR and FORCE_COLOR decide otherwise", () => {
    const colored = (isTTY: boolean, env: Record<string, string>): boolean => colorsFor({ isTTY }, env).isColorSupported
    expect(colored(true, {})).toBe(true)
    expect(colored(false, {})).toBe(false)
    expect(colored(true, { NO_COLOR: "1" })).toBe(false)
    expect(colored(true, { NO_COLOR: "" })).toBe(true)
    expect(colored(true, { NO_COLOR: "1", FORCE_COLOR: "1" })).toBe(false)
    expect(colored(false, { FORCE_COLOR: "1" })).toBe(true)
    expect(colored(true, { FORCE_COLOR: "0" })).toBe(false)
    expect(colored(true, { TERM: "dumb" })).toBe(false)
    expect(canRepaint({ isTTY: true }, { NO_COLOR: "1" })).toBe(true)
    expect(canRepaint({ isTTY: true }, { TERM: "dumb" })).toBe(false)
  })

  test("results stay short, and failures say why", () => {
    const tally = new Tally()
    const long = settled("a", "completed", "word ".repeat(200))
    for (const event of [
      queued("a"),
      queued("b"),
      queued("c"),
      long,
      settled("b", "error"),
      settled("c", "cancelled"),
    ]) {
      tally.apply({ ...event, at: 1, seq: 1 })
    }
    const shown = resultLines(tally.summary(), 100, plain)
    expect(shown).toHaveLength(4)
    expect(shown[2]).toMatch(/ …$/)
    expect(shown[3]).toMatch(/failed: It ended\./)
    for (const line of shown) expect(line.length).toBeLessThanOrEqual(100)
  })
})

describe("errors", () => {
  test("usage is 2, all else 1, always one sentence", () => {
    expect(exitCodeOf(new UsageError("x"))).toBe(2)
    expect(exitCodeOf(new LanesError("CONFIG_INVALID", "x"))).toBe(2)
    expect(exitCodeOf(new LanesError("SERVER_UNREACHABLE", "x"))).toBe(1)
    expect(exitCodeOf("thrown")).toBe(1)
    expect(sentenceOf(new Error("It broke.\n"))).toBe("It broke.")
    expect(sentenceOf(new Error(""))).not.toBe("")
  })

  const wrong: readonly (readonly [string, string])[] = [
    ["dmo", 'There is no command "dmo". Did you mean "demo"?'],
    ["xylophone", 'There is no command "xylophone". See lanes --help.'],
    ["--vrsion", 'There is no option "--vrsion". Did you mean "--version"?'],
    ["demo --jsn", 'lanes demo has no option "--jsn". Did you mean "--json"?'],
    ["demo now", '"now" is one word too many for lanes demo'],
    ["demo --json=yes", "--json takes no value."],
    ["demo --model", "--model needs a value."],
    ["demo --model=", "--model needs a value."],
    ["demo --model fast", '--model: expected provider/model, got "fast".'],
    ["demo --server ftp://x", '--server: expected an address like http://127.0.0.1:4096, got "ftp://x".'],
    ["demo --server http://x", "--server needs --model provider/model: your server has no scripted model."],
  ]
  test.each(wrong)("lanes %s", async (line, sentence) => {
    const { exitCode, stdout, stderr } = await run([...LANES, ...line.split(" ")])
    expect({ exitCode, stdout }).toMatchObject({ exitCode: 2, stdout: "" })
    expect(stderr).toStartWith(`error: ${sentence}`)
    expect(stderr.trimEnd()).not.toContain("\n")
  })

  test("--version and --help", async () => {
    const { version } = (await import("../../package.json")) as { version: string }
    expect((await run([...LANES, "--version"])).stdout).toBe(`${version}\n`)
    expect((await run(LANES)).stdout).toMatch(/^ {2}demo +Watch/m)
    const { exitCode, stdout } = await run([...LANES, "demo", "--help"])
    expect(exitCode).toBe(0)
    expect(stdout).toMatch(/--json .*--model <provider\/model> .*--server <URL>/s)
  })
})

type Event = BareEvent
const OF = (id: string): { id: string; epoch: number } => ({ id, epoch: 1 })

function queued(id: string, description = "look"): Event {
  return { type: "task:queued", ...OF(id), lane: "default", ahead: 0, description, agent: "explore" }
}

function granted(id: string): Event {
  return { type: "lane:granted", ...OF(id), lane: "default", used: 1, limit: 1, queued: 0 }
}

function released(id: string): Event & { type: "lane:released" } {
  return { type: "lane:released", ...OF(id), lane: "default", used: 0, limit: 1, queued: 0 }
}

function started(id: string, queuedMs: number): Event {
  return { type: "task:started", ...OF(id), lane: "default", attempt: 1, queuedMs }
}

function settled(id: string, state: Outcome["state"], text = "fine"): Event {
  const reason = { completed: "FINISHED", error: "STALE", cancelled: "USER" } as const
  const numbers = { queuedMs: 0, durationMs: 1_500, tokens: NO_TOKENS, cost: 0, epoch: 1 }
  const outcome = {
    state,
    reason: reason[state],
    sentence: "It ended.",
    text,
    truncated: false,
    unsent: [],
    ...numbers,
  }
  return { type: "task:settled", ...OF(id), outcome, description: "look", lane: "default" }
}

function boardOf(events: readonly Event[]): Board {
  const board = new Board()
  apply(board, events)
  return board
}

function apply(board: Board, events: readonly Event[]): void {
  for (const event of events) board.apply({ ...event, at: 1_000, seq: 1 })
}

function states(board: Board): string[] {
  return board.tasks.map(({ state }) => state)
}

function lines(board: Board, columns: number, rows: number): string[] {
  return boardLines(board, { columns, rows, now: 1_000_000, colors: plain })
}
