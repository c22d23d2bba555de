/** `lanes output`: what a task has said, from wherever it runs. */

import { defineCommand } from "citty"
import type { CommandDef } from "citty"
import type { Lanes } from "../lanes.ts"
import type { FoundTask } from "./journals.ts"
import { ask, Journals, ORPHAN_HINT, print, toStderr } from "./journals.ts"
import { timeOf } from "./list.ts"
import { duration } from "./output/durations.ts"
import { printable } from "./output/columns.ts"
import { EXIT } from "./output/exit-codes.ts"
import { resultText } from "./output/result-text.ts"
import { stateWord } from "./output/task-line.ts"

const args = {
  id: { type: "positional", required: true, description: "A task's id, bg_…, or its session's, ses_…" },
  follow: { type: "boolean", description: "Wait for its end" },
  full: { type: "boolean", description: "The whole conversation; its coordinator is asked for it" },
  json: { type: "boolean", description: "The task as one JSON object" },
} as const

export const output: CommandDef<typeof args> = defineCommand({
  meta: { name: "output", description: "Print a task's result, or how far it is" },
  args,
  run: async ({ args: { id, follow, full, json } }) => {
    using journals = await Journals.open()
    let found = journals.task(id)
    if (follow === true) found = await untilSettled(journals, found)
    if (full === true)
      return print(conversation((await ask(found, { type: "messages", id: found.row.id })) as Conversation))
    if (json === true) print(JSON.stringify({ ...found.row, living: found.living }))
    else show(found)
    const { outcome } = found.row
    return outcome === undefined || outcome.state === "completed" ? EXIT.ok : EXIT.failed
  },
})

type Conversation = Awaited<ReturnType<Lanes["messages"]>>

const LOOK_MS = 100

/** Looks until it is over; an owner that dies meanwhile may have an heir. */
async function untilSettled(journals: Journals, first: FoundTask): Promise<FoundTask> {
  let said = ""
  for (let found = first; ; found = journals.task(first.row.id)) {
    if (found.row.outcome !== undefined) return found
    const line = statusLine(found)
    if (!found.living) throw new Error(`${line}. No coordinator looks after it now. ${ORPHAN_HINT}`)
    const news = `${found.row.state} ${found.row.lastTool ?? ""}`
    if (news !== said) toStderr(line)
    said = news
    await Bun.sleep(LOOK_MS)
  }
}

function show(found: FoundTask): void {
  const { row, living } = found
  const { outcome } = row
  if (outcome === undefined) {
    toStderr(`${statusLine(found)}${living ? "" : `; the last that was known. ${ORPHAN_HINT}`}`)
    if (row.lastText !== undefined) print(resultText(row.lastText, process.stdout))
    return
  }
  if (outcome.state !== "completed") toStderr(`${outcome.reason}: ${printable(outcome.sentence)}`)
  process.stdout.write(resultText(outcome.text, process.stdout))
  for (const prompt of outcome.unsent) toStderr(`Not sent any more: ${printable(prompt)}`)
}

function statusLine({ row, living }: FoundTask): string {
  const tool = row.lastTool === undefined ? "" : `, last tool ${printable(row.lastTool)}`
  return `${row.id} ${stateWord(row.state)} for ${duration(timeOf(row, living, Date.now()))}${tool}`
}

function conversation(messages: Conversation): string {
  const parts = messages.map(({ role, text, tools, error }) => {
    const used = tools.map(({ name, state }) => `[${printable(name)}: ${printable(state)}]\n`).join("")
    const failed = error === undefined ? "" : `${printable(error)}\n`
    return `## ${role}\n\n${used}${resultText(text, process.stdout)}${failed}`
  })
  return parts.join("\n")
}
