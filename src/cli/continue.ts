/** `lanes continue`: one more prompt for a task of a coordinator in another process. */

import { defineCommand } from "citty"
import type { CommandDef } from "citty"
import type { TaskRow } from "../core/task.ts"
import { stillThere } from "./choose-server.ts"
import { ask, Journals, print, toStderr } from "./journals.ts"
import { UsageError } from "./output/errors.ts"
import { promptOf } from "./prompt.ts"
import { runOne } from "./run-one.ts"

const args = {
  id: { type: "positional", required: true, description: "A task's id, bg_…, or its session's, ses_…" },
  prompt: { type: "positional", required: false, description: "What to do next; - or nothing reads it from stdin" },
  server: {
    type: "string",
    description:
      "Where to go on, once its process has ended: a running OpenCode, or spawn. Default: where it ran, else as for run",
    valueHint: "URL",
  },
} as const

export const goOn: CommandDef<typeof args> = defineCommand({
  meta: { name: "continue", description: "Give a task one more prompt, in its session" },
  args,
  run: async ({ args: { id, prompt, server } }) => {
    using journals = await Journals.open()
    const found = journals.task(id)
    if (found.living && server !== undefined)
      throw new UsageError(`--server: a process looks after ${id}, on a server of its own. Leave the option out.`)
    const text = await promptOf(prompt, `lanes continue ${id}`)
    if (!found.living && found.row.outcome !== undefined) return again(found.row, text, server)
    const { id: task, epoch } = (await ask(found, { type: "continue", id: found.row.id, prompt: text }, 15_000)) as {
      id: string
      epoch: number
    }
    const same = epoch === found.row.epoch && found.row.outcome === undefined
    toStderr(same ? "It gets the prompt as a follow-up of its run." : "It runs again, in the same session.")
    toStderr(`Read the answer with: lanes output ${task} --follow`)
    return print(task)
  },
})

/** Its coordinator has ended in order: the session goes on as a task of this process, and the answer is printed. */
async function again({ spec, sessionID }: TaskRow, prompt: string, wanted: string | undefined): Promise<number> {
  if (sessionID === undefined)
    throw new UsageError("lanes continue: it never had a session; run it anew with lanes run.")
  const { directory, description, agent, model } = spec
  const same = { ...(agent === undefined ? {} : { agent }), ...(model === undefined ? {} : { model }) }
  const server = wanted ?? (await stillThere([spec.server]))
  return runOne({ input: { prompt, sessionID, description, ...same }, directory, server, json: false })
}
