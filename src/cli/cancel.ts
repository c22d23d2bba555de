/** `lanes cancel`: ends tasks of coordinators in other processes. */

import { defineCommand } from "citty"
import type { CommandDef } from "citty"
import type { TaskState } from "../core/task.ts"
import type { FoundTask } from "./journals.ts"
import { ask, Journals, print, toStderr } from "./journals.ts"
import { sentenceOf, UsageError } from "./output/errors.ts"
import { EXIT } from "./output/exit-codes.ts"
import { stateWord } from "./output/task-line.ts"
import { directoryOf } from "./task-options.ts"

const args = {
  id: { type: "positional", required: false, description: "A task's id, bg_…, or its session's, ses_…" },
  all: { type: "boolean", description: "All unfinished tasks of this project" },
  dir: { type: "string", description: "With --all: of another project", valueHint: "folder" },
} as const

export const cancel: CommandDef<typeof args> = defineCommand({
  meta: { name: "cancel", description: "Cancel a task, or all of a project" },
  args,
  run: async ({ args: { id, all, dir } }) => {
    if ((id === undefined) === (all !== true)) throw new UsageError("lanes cancel: name one task, or say --all.")
    using journals = await Journals.open()
    if (id !== undefined) return print(await cancelOne(journals.task(id)))
    const live = journals.tasks(directoryOf(dir)).filter(({ row }) => row.outcome === undefined)
    if (live.length === 0) return print("There is nothing to cancel.")
    let code: number = EXIT.ok
    await Promise.all(
      live.map(async (found) => {
        try {
          print(await cancelOne(found))
        } catch (thrown) {
          code = EXIT.failed
          toStderr(sentenceOf(thrown))
        }
      }),
    )
    return code
  },
})

async function cancelOne(found: FoundTask): Promise<string> {
  const { id, outcome, state } = found.row
  if (outcome !== undefined) return `${id} is ${stateWord(state)} already.`
  const { before, row } = (await ask(found, { type: "cancel", id })) as { before: TaskState; row: { state: TaskState } }
  return row.state === "cancelled"
    ? `${id} is cancelled; it was ${stateWord(before)}.`
    : `${id} is ${stateWord(row.state)} already.`
}
