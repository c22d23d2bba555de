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
    const width = process.stdout.isTTY ? process.stdout.columns : 120
    return print(table(tasks, all === true, width, Date.now(), colorsFor(process.stdout)))
  },
})

function table(tasks: readonly FoundTask[], all: boolean, width: number, now: number, colors: Colors): string {
  const wide = Math.max(12, width - (11 + 2 + 10 + 8 + 2 + 10))
  const line = (cells: readonly string[]): string => {
    const [id = "", state = "", ran = "", agent = "", about = ""] = cells
    return `${fit(id, 11)}  ${fit(state, 9)} ${fit(ran, 8, "right")}  ${fit(agent, 9)} ${fit(about, wide)}`.trimEnd()
  }
  const lines = [colors.dim(line(["id", "state", "time", "agent", "task"]))]
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
    const text = line([
      row.id,
      state,
      duration(timeOf(row, living, now)),
      printable(row.spec.agent ?? ""),
      printable(about),
    ])
    lines.push(row.state === "error" ? colors.red(text) : row.settledAt === undefined ? text : colors.dim(text))
  }
  return lines.join("\n")
}

/** How long it ran, or has waited so far; of what nobody looks after, as far as it is known. */
export function timeOf(row: TaskRow, living: boolean, now: number): number {
  if (row.outcome !== undefined) return row.outcome.durationMs
  if (row.state === "pending") return living ? Math.max(0, now - row.queuedAt) : row.queuedMs
  return living && row.startedAt !== undefined ? Math.max(row.ranMs, now - row.startedAt) : row.ranMs
}
