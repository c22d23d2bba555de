/** One task as one line of the board, in columns; a narrow terminal gets fewer of them. */

import type { TaskState } from "../../core/task.ts"
import type { Board, BoardTask } from "./board.ts"
import type { Colors } from "./colors.ts"
import { fit, printable } from "./columns.ts"
import { duration } from "./durations.ts"

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
/** Of two blanks, the mark and a blank. */
const MARK_WIDTH = 4
const AGENT_WIDTH = 9
const LEAST_DESCRIPTION = 18
const MOST_DESCRIPTION = 48

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
  { title: "ran", width: 8, align: "right", of: (task, board, now) => orNothing(board.ran(task, now), duration) },
  { title: "tool", width: 11, align: "left", of: ({ tool }) => orNothing(tool, printable) },
  { title: "tokens", width: 8, align: "right", of: ({ tokens }) => (tokens === 0 ? "" : tokens.toLocaleString("en")) },
]
/** What a narrow terminal does without, in this order: the mark says the state, too. */
const DROPPED_FIRST = ["state", "tokens", "tool", "waited", "ran"]

/** How wide the parts of a line are. */
export interface Layout {
  readonly columns: readonly Column[]
  readonly description: number
  /** Of all before the columns. */
  readonly left: number
}

/** The word for a state, as all our commands say it. */
export function stateWord(state: TaskState): string {
  return WORDS[state]
}

/** The columns for a terminal of `width` cells. */
export function layoutFor(width: number): Layout {
  const fixed = MARK_WIDTH + AGENT_WIDTH + 1
  let columns = COLUMNS
  const room = (): number => width - fixed - columns.reduce((sum, column) => sum + column.width, 0)
  for (const title of DROPPED_FIRST) {
    if (room() >= LEAST_DESCRIPTION) break
    columns = columns.filter((column) => column.title !== title)
  }
  const description = Math.max(0, Math.min(MOST_DESCRIPTION, room()))
  return { columns, description, left: fixed + description }
}

/** The titles of the columns, to be put at `left`. */
export function titlesOf({ columns }: Layout): string {
  return columns
    .map((column) => cell(column, column.title))
    .join("")
    .trimEnd()
}

export function taskLine(task: BoardTask, board: Board, layout: Layout, now: number, colors: Colors): string {
  const { columns, description } = layout
  const name = `${fit(printable(task.agent), AGENT_WIDTH)} ${fit(printable(task.description), description)}`
  const cells = columns.map((column) => cell(column, column.of(task, board, now))).join("")
  return paint(task.state, `${name}${cells}`.trimEnd(), colors)
}

function orNothing<T>(value: T | undefined, shown: (value: T) => string): string {
  return value === undefined ? "" : shown(value)
}

function cell({ align, width }: Column, text: string): string {
  return align === "right" ? fit(text, width, "right") : `  ${fit(text, width - 2)}`
}

function paint(state: TaskState, text: string, colors: Colors): string {
  const mark = MARKS[state]
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
