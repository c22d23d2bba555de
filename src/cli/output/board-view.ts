/**
 * The board as lines of a terminal: each lane with its slots, under it its tasks.
 *
 *   provider:acme ■■ 2/2 queue 1                      waited    ran  tool       tokens
 *     ✓ explore    Find the login code       done       0.0s   3.4s  read        7,120
 *     ● explore    Trace a checkout          running    0.0s   3.6s  grep        3,420
 *     ○ explore    List the routes           waiting    3.6s
 */

import type { LaneView } from "../../core/lanes.ts"
import type { TaskState } from "../../core/task.ts"
import type { Board, BoardTask } from "./board.ts"
import type { Colors } from "./colors.ts"
import { cut, fit, printable } from "./columns.ts"
import { duration } from "./durations.ts"

/** Where and when it is painted. */
export interface Frame {
  readonly columns: number
  readonly rows: number
  /** Epoch ms. */
  readonly now: number
  readonly colors: Colors
}

const WORDS: Readonly<Record<TaskState, string>> = {
  pending: "waiting",
  running: "running",
  completed: "done",
  error: "failed",
  cancelled: "cancelled",
}
const MARKS: Readonly<Record<TaskState, string>> = {
  pending: "○",
  running: "●",
  completed: "✓",
  error: "✗",
  cancelled: "–",
}
const MOST_SQUARES = 12
const AGENT_WIDTH = 9
const LEAST_DESCRIPTION = 18

interface Column {
  readonly title: string
  /** With the blanks before it. */
  readonly width: number
  readonly align: "left" | "right"
  readonly of: (task: BoardTask, board: Board, now: number) => string
}

const COLUMNS: readonly Column[] = [
  { title: "state", width: 11, align: "left", of: ({ state }) => WORDS[state] },
  { title: "waited", width: 8, align: "right", of: (task, board, now) => duration(board.waited(task, now)) },
  {
    title: "ran",
    width: 8,
    align: "right",
    of: (task, board, now) => {
      const ms = board.ran(task, now)
      return ms === undefined ? "" : duration(ms)
    },
  },
  { title: "tool", width: 11, align: "left", of: ({ tool }) => printable(tool ?? "") },
  { title: "tokens", width: 8, align: "right", of: ({ tokens }) => (tokens === 0 ? "" : tokens.toLocaleString("en")) },
]
/** What a narrow terminal does without, in this order: the mark says the state, too. */
const DROPPED_FIRST = ["state", "tokens", "tool"]

/** Slots as squares: `■■□ 2/3 queue 1`; of a large lane only as many as fit. */
export function laneBar({ used, limit, queued }: LaneView, colors: Colors): string {
  const all = limit === null ? used : Math.max(limit, used)
  const scale = all > MOST_SQUARES ? MOST_SQUARES / all : 1
  const full = Math.ceil(used * scale)
  const squares = colors.cyan("■".repeat(full)) + colors.dim("□".repeat(Math.max(0, Math.round(all * scale) - full)))
  const queue = queued > 0 ? colors.yellow(` queue ${queued}`) : ""
  return `${squares}${all > 0 ? " " : ""}${used}/${limit ?? "∞"}${queue}`
}

/** The word for a state, as the board says it. */
export function stateWord(state: TaskState): string {
  return WORDS[state]
}

/** Lines of at most `columns` cells; as few as it takes to fit into `rows`, finished tasks left out first. */
export function boardLines(board: Board, frame: Frame): string[] {
  const roomy = layout(board, frame, { gaps: true, finished: true })
  if (roomy.length <= frame.rows) return roomy
  const tight = layout(board, frame, { gaps: false, finished: true })
  return tight.length <= frame.rows ? tight : layout(board, frame, { gaps: false, finished: false })
}

function layout(board: Board, frame: Frame, { gaps, finished }: { gaps: boolean; finished: boolean }): string[] {
  const { columns: width, now, colors } = frame
  const shown = columnsFor(width)
  const rest = shown.reduce((sum, column) => sum + column.width, 0)
  const description = Math.max(0, Math.min(48, width - 4 - AGENT_WIDTH - 1 - rest))
  const lines: string[] = []
  for (const lane of board.lanes) {
    const tasks = board.tasks.filter((task) => task.lane === lane.lane)
    if (tasks.length === 0 && lane.used === 0) continue
    if (gaps && lines.length > 0) lines.push("")
    const head = headOf(lane, width, colors)
    const titles = lines.length === 0 ? shown.map((column) => cell(column, column.title)).join("") : ""
    const room = 4 + AGENT_WIDTH + 1 + description - head.width
    lines.push(room > 0 && titles !== "" ? `${head.text}${" ".repeat(room)}${colors.dim(titles.trimEnd())}` : head.text)
    const over = tasks.filter(({ state }) => state !== "pending" && state !== "running")
    for (const task of finished ? tasks : tasks.filter((each) => !over.includes(each))) {
      const { state } = task
      const cells = shown.map((column) => cell(column, column.of(task, board, now))).join("")
      const name = `${fit(printable(task.agent), AGENT_WIDTH)} ${fit(printable(task.description), description)}`
      lines.push(paint(state, colors, MARKS[state], `${name}${cells}`.trimEnd()))
    }
    if (!finished && over.length > 0) lines.push(colors.dim(`  ${over.length} finished`))
  }
  if (board.trouble !== undefined) lines.push(colors.red(cut(board.trouble, width)))
  return lines
}

function cell({ align, width }: Column, text: string): string {
  return align === "right" ? fit(text, width, "right") : `  ${fit(text, width - 2)}`
}

function columnsFor(width: number): readonly Column[] {
  let shown = COLUMNS
  for (const title of DROPPED_FIRST) {
    const rest = shown.reduce((sum, column) => sum + column.width, 0)
    if (width - 4 - AGENT_WIDTH - 1 - rest >= LEAST_DESCRIPTION) break
    shown = shown.filter((column) => column.title !== title)
  }
  return shown
}

function headOf(lane: LaneView, width: number, colors: Colors): { text: string; width: number } {
  const bar = laneBar(lane, colors)
  const barWidth = Bun.stringWidth(bar)
  const name = cut(printable(lane.lane), Math.max(8, width - barWidth - 1))
  return { text: `${colors.bold(name)} ${bar}`, width: Bun.stringWidth(name) + 1 + barWidth }
}

function paint(state: TaskState, colors: Colors, mark: string, text: string): string {
  switch (state) {
    case "pending":
      return colors.dim(`  ${mark} ${text}`)
    case "running":
      return `  ${colors.cyan(mark)} ${text}`
    case "completed":
      return `  ${colors.green(mark)} ${text}`
    case "error":
      return `  ${colors.red(mark)} ${text}`
    case "cancelled":
      return `  ${colors.yellow(mark)} ${text}`
  }
}
