/**
 * The board as lines of a terminal: each lane with its slots, under it its tasks.
 *
 *   provider:acme ■■ 2/2 queue 1              state      waited     ran  tool       tokens
 *     ✓ explore   Find the login code         done         0.0s    3.4s  read        7,120
 *     ● explore   Trace a checkout            running      0.0s    3.6s  grep        3,420
 *     ○ explore   List the routes             waiting      3.6s
 */

import type { LaneView } from "../../core/lanes.ts"
import type { TaskState } from "../../core/task.ts"
import type { Board } from "./board.ts"
import type { Colors } from "./colors.ts"
import { cut, printable } from "./columns.ts"
import { laneBar } from "./lane-bar.ts"
import { layoutFor, taskLine, titlesOf } from "./task-line.ts"

/** Where and when it is painted. */
export interface Frame {
  readonly columns: number
  readonly rows: number
  /** Epoch ms. */
  readonly now: number
  readonly colors: Colors
}

/** What a low terminal does without: blank lines, then lines of tasks that are over, then of tasks that wait. */
interface Thrift {
  readonly gaps: boolean
  /** Tasks in these states are counted instead of listed. */
  readonly folded: readonly TaskState[]
}

const OVER: readonly TaskState[] = ["completed", "error", "cancelled"]
const WAITING: readonly TaskState[] = ["pending"]
const THRIFT: readonly Thrift[] = [
  { gaps: true, folded: [] },
  { gaps: false, folded: [] },
  { gaps: false, folded: OVER },
  { gaps: false, folded: [...OVER, ...WAITING] },
]
const LEAST_NAME = 8

/** At most `rows` lines of at most `columns` cells. */
export function boardLines(board: Board, frame: Frame): string[] {
  let lines: string[] = []
  for (const thrift of THRIFT) {
    lines = layout(board, frame, thrift)
    if (lines.length <= frame.rows) return lines
  }
  const fitting = lines.slice(0, Math.max(0, frame.rows - 1))
  return [...fitting, frame.colors.dim(`  ${lines.length - fitting.length} more lines`)]
}

function layout(board: Board, { columns: width, now, colors }: Frame, { gaps, folded }: Thrift): string[] {
  const columns = layoutFor(width)
  const lines: string[] = []
  for (const lane of board.lanes) {
    const tasks = board.tasks.filter((task) => task.lane === lane.lane)
    if (tasks.length === 0 && lane.used === 0) continue
    if (gaps && lines.length > 0) lines.push("")
    const { text, cells } = headOf(lane, width, colors)
    const gap = columns.left - cells
    const titled = lines.length === 0 && gap > 0
    lines.push(titled ? `${text}${" ".repeat(gap)}${colors.dim(titlesOf(columns))}` : text)
    const tally = (states: readonly TaskState[]): number => tasks.filter(({ state }) => states.includes(state)).length
    const over = tally(OVER)
    const waiting = tally(WAITING)
    if (folded.includes("completed") && over > 0) lines.push(colors.dim(`  ${over} finished`))
    for (const task of tasks) {
      if (!folded.includes(task.state)) lines.push(taskLine(task, board, columns, now, colors))
    }
    if (folded.includes("pending") && waiting > 0) lines.push(colors.dim(`  ${waiting} waiting`))
  }
  if (board.trouble !== undefined) lines.push(colors.red(cut(board.trouble, width)))
  return lines
}

/** A lane's name and its bar; where they do not fit, the numbers alone. */
function headOf(lane: LaneView, width: number, colors: Colors): { text: string; cells: number } {
  const wide = laneBar(lane, colors)
  const squares = Bun.stringWidth(wide) + 1 + LEAST_NAME <= width
  const bar = squares ? wide : laneBar(lane, colors, { squares })
  const name = cut(printable(lane.lane), Math.max(1, width - Bun.stringWidth(bar) - 1))
  return { text: `${colors.bold(name)} ${bar}`, cells: Bun.stringWidth(name) + 1 + Bun.stringWidth(bar) }
}
