/** `lanes list`: the tasks of all coordinators of a project, living or not. */

import { defineCommand } from "citty"
import type { CommandDef } from "citty"
import type { TaskRow } from "../core/task.ts"
import type { FoundTask } from "./journals.ts"
import { Journals, print, warnOfOrphans } from "./journals.ts"
import type { Colors } from "./output/colors.ts"
import { colorsFor } from "./output/colors.ts"
import { fit, printable } from "./output/columns.ts"
import { duration } from "./output/durations.ts"
import { sizeOf } from "./output/size.ts"
import { stateWord } from "./output/task-line.ts"
import { directoryOf } from "./task-options.ts"

const args = {
  all: { type: "boolean", description: "Of all projects, not of this folder's alone" },
  dir: { type: "string", description: "Of another project", valueHint: "folder" },
  json: { type: "boolean", description: "One JSON object per task" },
} as const

export const list: CommandDef<typeof args> = defineCommand({
  meta: { name: "list", description: "List tasks, whoever launched them" },
  args,
  run: async ({ args: { all, dir, json } }) => {
    using journals = await Journals.open()
    const tasks = journals.tasks(all === true ? undefined : directoryOf(dir))
    if (json === true)
      return print(tasks.map(({ row, living }) => `${JSON.stringify({ ...row, living })}\n`).join("") || "\n")
    warnOfOrphans(tasks)
    if (tasks.length === 0)
      return print(`No tasks${all === true ? "" : " of this project; --all shows those of the others"}.`)
    const width = process.stdout.isTTY ? sizeOf(process.stdout).columns : 120
    return print(table(tasks, all === true, width, Date.now(), colorsFor(process.stdout)))
  },
})

interface Column {
  readonly title: "id" | "state" | "time" | "agent"
  readonly width: number
  /** Blanks behind it. */
  readonly gap: number
  readonly align?: "right"
}

type Cells = Readonly<Record<Column["title"] | "task", string>>

const COLUMNS: readonly Column[] = [
  { title: "id", width: 11, gap: 2 },
  { title: "state", width: 9, gap: 1 },
  { title: "time", width: 8, gap: 2, align: "right" },
  { title: "agent", width: 9, gap: 1 },
]
/** What a narrow terminal does without, in this order. */
const DROPPED_FIRST: readonly Column["title"][] = ["agent", "time", "state"]
const LEAST_TASK = 12

function table(tasks: readonly FoundTask[], all: boolean, width: number, now: number, colors: Colors): string {
  const { columns, room } = layoutFor(width)
  const line = (cells: Cells): string =>
    [...columns.map((column) => cell(column, cells[column.title])), fit(cells.task, room)].join("").trimEnd()
  const lines = [colors.dim(line({ id: "id", state: "state", time: "time", agent: "agent", task: "task" }))]
  let project = ""
  for (const { row, living } of tasks.toSorted((a, b) =>
    all ? a.row.spec.directory.localeCompare(b.row.spec.directory) : 0,
  )) {
    if (all && row.spec.directory !== project) {
      project = row.spec.directory
      lines.push(colors.bold(printable(project)))
    }
    const orphan = !living && row.settledAt === undefined
    const state = orphan ? `${stateWord(row.state)}?` : stateWord(row.state)
    const about = row.state === "error" ? `${row.spec.description}: ${row.outcome?.reason ?? ""}` : row.spec.description
    const text = line({
      id: row.id,
      state,
      time: duration(timeOf(row, living, now)),
      agent: printable(row.spec.agent ?? ""),
      task: printable(about),
    })
    lines.push(row.state === "error" ? colors.red(text) : row.settledAt === undefined ? text : colors.dim(text))
  }
  return lines.join("\n")
}

/** As many columns as leave room for the task. */
function layoutFor(width: number): { readonly columns: readonly Column[]; readonly room: number } {
  let columns = COLUMNS
  const room = (): number => width - columns.reduce((sum, column) => sum + column.width + column.gap, 0)
  for (const title of DROPPED_FIRST) {
    if (room() >= LEAST_TASK) break
    columns = columns.filter((column) => column.title !== title)
  }
  return { columns, room: Math.max(0, room()) }
}

function cell({ width, gap, align }: Column, text: string): string {
  return fit(text, width, align) + " ".repeat(gap)
}

/** How long it ran, or has waited so far; of what nobody looks after, as far as it is known. */
export function timeOf(row: TaskRow, living: boolean, now: number): number {
  if (row.outcome !== undefined) return row.outcome.durationMs
  if (row.state === "pending") return living ? Math.max(0, now - row.queuedAt) : row.queuedMs
  return living && row.startedAt !== undefined ? Math.max(row.ranMs, now - row.startedAt) : row.ranMs
}
