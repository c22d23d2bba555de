import type { NoticeItem } from "../../core/effects.ts"
import type { TaskRow } from "../../core/task.ts"
import type { ToolNames } from "../names.ts"
import { duration, inert } from "./plain.ts"

/** Lines of a list at most; a batch may have fifty tasks and more. */
const LISTED = 60

export interface NoticeAbout {
  /** The task this message tells of. */
  readonly row: TaskRow
  /** What the same turn launched, this one included, in the order of launch. */
  readonly batch: readonly TaskRow[]
  /** It starts a turn. */
  readonly wakes: boolean
}

/**
 * A fixed template: ids, states, durations. Nothing a task has written is in it, and what was written about it is made
 * inert and short.
 */
export function notice({ epoch }: NoticeItem, { row, batch, wakes }: NoticeAbout, names: ToolNames): string {
  const open = batch.filter(({ state }) => state === "pending" || state === "running")
  const told = wakes && batch.length > 1 ? batch : [row]
  return [
    "<system-reminder>",
    headline(row, open.length, epoch, wakes),
    "",
    ...told.slice(0, LISTED).map((task) => line(task, names)),
    ...(told.length > LISTED ? [`- and ${told.length - LISTED} more`] : []),
    "",
    whatNow(wakes, open.length),
    "</system-reminder>",
  ].join("\n")
}

function whatNow(wakes: boolean, open: number): string {
  if (wakes) return "Read the results you need, each once, check them, and go on with what they were for."
  return open > 0
    ? "Nothing to do now; you will be told when all have ended."
    : "Nothing to do now; read the result when you need it."
}

function headline(row: TaskRow, open: number, epoch: number, wakes: boolean): string {
  const again = epoch > 1 ? ` (continued, run ${epoch})` : ""
  if (open > 0) return `Background task ${row.id} ${ended(row)}${again}; ${open} of its batch still at work.`
  return wakes
    ? `All background tasks of this batch have ended; ${row.id} ${ended(row)}${again}.`
    : `Background task ${row.id} ${ended(row)}${again}.`
}

function ended({ state, outcome }: TaskRow): string {
  if (state === "completed") return "completed"
  return state === "error"
    ? `failed (${outcome?.reason ?? "unknown"})`
    : `was cancelled (${outcome?.reason ?? "unknown"})`
}

function line(row: TaskRow, names: ToolNames): string {
  const open = row.state === "pending" || row.state === "running"
  const how = open
    ? `${row.state}, you will be told`
    : `${ended(row)}, ${duration(row.ranMs)}: ${names.output}(task_id="${row.id}")`
  return `- ${row.id} "${inert(row.spec.description, 80).replaceAll('"', "'")}" ${how}`
}

/** Tasks still at work, for a conversation that has just forgotten most of what was said. */
export function stillAtWork(rows: readonly TaskRow[], names: ToolNames): string {
  return [
    "Background tasks of this conversation that are still at work; you will be notified when they end:",
    ...rows
      .slice(0, LISTED)
      .map(
        (row) => `- ${row.id} "${inert(row.spec.description, 80)}" ${row.state}: ${names.output}(task_id="${row.id}")`,
      ),
  ].join("\n")
}

/** Ends that could not be told when they happened. */
export function toldLate(rows: readonly TaskRow[], names: ToolNames): string {
  return [
    "<system-reminder>",
    "Background tasks that ended a while ago, which could not be told then:",
    "",
    ...rows.slice(0, LISTED).map((row) => line(row, names)),
    "</system-reminder>",
  ].join("\n")
}
