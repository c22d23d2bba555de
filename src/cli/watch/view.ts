/**
 * The watch as lines of a terminal:
 *
 *   shop   2 running   1 queued   6 done   1 failed   $0.12                settled ▁ ▃▂ █
 *   provider:acme ■■ 2/2 queue 1   default □□□ 0/3
 *
 *     task                          agent     state      waited     ran  tool     tokens   cost
 *   ● Find the login code           explore   running      0.0s    3.4s  read      7,120  $0.01
 */

import type { TaskRow, TaskState } from "../../core/task.ts"
import type { Colors } from "../output/colors.ts"
import { cut, fit, printable } from "../output/columns.ts"
import { duration } from "../output/durations.ts"
import { laneBar } from "../output/lane-bar.ts"
import { stateWord } from "../output/task-line.ts"
import { detailLines } from "./detail.ts"
import type { Frame } from "./frame.ts"
import type { WatchModel } from "./model.ts"
import { spark } from "./spark.ts"

const MARKS: Readonly<Record<TaskState, string>> = {
  pending: "○",
  running: "●",
  completed: "✓",
  error: "✗",
  cancelled: "–",
}
const SPARK = { columns: 20, stretchMs: 15_000 }

interface Column {
  readonly title: string
  /** With the two blanks before it. */
  readonly width: number
  readonly right?: boolean
  readonly of: (row: TaskRow, now: number) => string
}

const COLUMNS: readonly Column[] = [
  { title: "agent", width: 12, of: ({ spec }) => printable(spec.agent ?? "") },
  { title: "state", width: 11, of: ({ state }) => stateWord(state) },
  {
    title: "waited",
    width: 9,
    right: true,
    of: (row, now) => duration((row.startedAt ?? row.settledAt ?? now) - row.queuedAt),
  },
  {
    title: "ran",
    width: 9,
    right: true,
    of: (row, now) => (row.startedAt === undefined ? "" : duration((row.settledAt ?? now) - row.startedAt)),
  },
  { title: "tool", width: 12, of: ({ state, lastTool }) => (state === "running" ? printable(lastTool ?? "") : "") },
  {
    title: "tokens",
    width: 10,
    right: true,
    of: ({ tokens }) => nothingOr(sum(tokens), (n) => n.toLocaleString("en")),
  },
  { title: "cost", width: 9, right: true, of: ({ cost }) => nothingOr(cost, (n) => `$${n.toFixed(n < 0.01 ? 4 : 2)}`) },
]
/** What a narrow terminal does without, in this order: the mark says the state, too. */
const DROPPED_FIRST = ["state", "cost", "tokens", "agent", "tool", "waited", "ran"]
const LEAST_NAME = 20

/** Exactly what fits: `rows` lines of at most `columns` cells. */
export function watchLines(model: WatchModel, frame: Frame): string[] {
  const { columns, rows, colors } = frame
  const head = [header(model, frame), ...laneLines(model, frame), ""]
  const foot = footer(model, frame)
  const room = Math.max(1, rows - head.length - 1)
  model.page = Math.max(1, room - 2)
  const body = model.inDetail ? detailLines(model, frame, room) : listLines(model, frame, room)
  const lines = [...head, ...body.slice(0, room)]
  while (lines.length < rows - 1) lines.push("")
  return [...lines.slice(0, rows - 1), colors.dim(cut(foot, columns))]
}

function header(model: WatchModel, { columns, colors, now, title }: Frame): string {
  const counts = { running: 0, pending: 0, completed: 0, error: 0, cancelled: 0 }
  let cost = 0
  const settled: number[] = []
  for (const row of model.source.list()) {
    counts[row.state]++
    cost += row.cost
    if (row.settledAt !== undefined) settled.push(row.settledAt)
  }
  const facts = [
    colors.cyan(`${counts.running} running`),
    colors.yellow(`${counts.pending} queued`),
    colors.green(`${counts.completed} done`),
    counts.error > 0 ? colors.red(`${counts.error} failed`) : colors.dim("0 failed"),
    colors.dim(`$${cost.toFixed(2)}`),
  ]
  const line = `${colors.bold(printable(title))}   ${facts.join("   ")}`
  const bars = `settled ${spark(settled, SPARK.columns, SPARK.stretchMs, now)}`
  const gap = columns - Bun.stringWidth(line) - Bun.stringWidth(bars)
  if (gap >= 3)
    return `${line}${" ".repeat(gap)}${colors.dim("settled ")}${colors.green(bars.slice("settled ".length))}`
  if (Bun.stringWidth(line) <= columns) return line
  return cut(
    `${counts.running} running ${counts.pending} queued ${counts.completed} done ${counts.error} failed`,
    columns,
  )
}

/** As many lanes side by side as fit, the busy ones first, on at most three lines. */
function laneLines(model: WatchModel, { columns, colors }: Frame): string[] {
  const lanes = [...model.source.usage()].sort(
    (a, b) => b.queued - a.queued || b.used - a.used || a.lane.localeCompare(b.lane),
  )
  const lines: string[] = []
  let line = ""
  for (const lane of lanes) {
    const name = cut(printable(lane.lane), Math.max(8, columns - 20))
    const text = `${name} ${laneBar(lane, colors, { squares: columns >= 50 })}`
    const longer = line === "" ? text : `${line}   ${text}`
    if (Bun.stringWidth(longer) <= columns) line = longer
    else {
      lines.push(line)
      line = Bun.stringWidth(text) <= columns ? text : cut(`${name} ${lane.used}/${lane.limit ?? "∞"}`, columns)
    }
  }
  return [...lines, line].slice(0, 3)
}

function listLines(model: WatchModel, { columns: width, now, colors }: Frame, room: number): string[] {
  const rows = model.rows()
  if (rows.length === 0)
    return [
      colors.dim(
        cut(
          model.filter === ""
            ? "  No tasks yet: they appear as they are launched."
            : `  No task fits "${model.filter}".`,
          width,
        ),
      ),
    ]
  let columns = COLUMNS
  const name = (): number => width - 4 - columns.reduce((all, column) => all + column.width, 0)
  for (const title of DROPPED_FIRST) {
    if (name() >= LEAST_NAME) break
    columns = columns.filter((column) => column.title !== title)
  }
  const wide = Math.max(1, name())
  const line = (mark: string, text: string, cell: (column: Column) => string): string =>
    ` ${mark} ${fit(text, wide)}${columns.map((column) => (column.right === true ? fit(cell(column), column.width, "right") : `  ${fit(cell(column), column.width - 2)}`)).join("")}`
  const shown = room - 1
  const at = Math.max(
    0,
    rows.findIndex(({ id }) => id === model.selected),
  )
  // The chosen one stays in sight, near the middle when there is more above and below.
  const first = Math.max(0, Math.min(rows.length - shown, at - Math.floor(shown / 2)))
  return [
    colors.dim(line(" ", "task", ({ title }) => title).trimEnd()),
    ...rows.slice(first, first + shown).map((row) => {
      const mark = MARKS[row.state]
      const text = line(mark, printable(row.spec.description), (column) => column.of(row, now))
      if (row.id === model.selected) return colors.inverse(fit(text, width))
      return paint(row.state, text.trimEnd(), mark, colors)
    }),
  ]
}

function footer(model: WatchModel, { columns }: Frame): string {
  if (model.mode === "filter") return ` /${model.filter}▏  enter keeps it, esc clears it`
  if (model.mode === "sure") {
    const [before, after] = [' Cancel "', '"?  y / n']
    const room = Math.max(1, columns - before.length - after.length)
    return `${before}${cut(printable(model.chosen()?.spec.description ?? ""), room)}${after}`
  }
  const [long, short] =
    model.mode === "detail"
      ? ["↑↓ scroll  esc back  c cancel  q quit", "↑↓  esc back  c cancel  q"]
      : ["↑↓ choose  enter look  c cancel  / filter  q quit", "↑↓  enter look  c cancel  /  q quit"]
  const keys = columns < 52 ? short : long
  const more = model.said !== "" ? model.said : model.filter === "" ? "" : `filter: ${model.filter}`
  return more === "" || columns < 60 ? ` ${more === "" ? keys : more}` : ` ${keys}   ${more}`
}

function paint(state: TaskState, text: string, mark: string, colors: Colors): string {
  const colored = {
    pending: colors.yellow,
    running: colors.cyan,
    completed: colors.green,
    error: colors.red,
    cancelled: colors.dim,
  }[state](mark)
  const line = text.replace(mark, () => colored)
  return state === "running" || state === "error" ? line : colors.dim(line)
}

function sum({ input, output, reasoning, cacheRead, cacheWrite }: TaskRow["tokens"]): number {
  return input + output + reasoning + cacheRead + cacheWrite
}

function nothingOr(value: number, shown: (value: number) => string): string {
  return value === 0 ? "" : shown(value)
}
