/** `lanes batch`: many tasks side by side, each in its lane; their texts on stdout in the order of the lines. */

import { readFileSync } from "node:fs"
import { defineCommand } from "citty"
import type { Config } from "../config.ts"
import type { Lanes } from "../lanes.ts"
import { readBatch } from "./batch-file.ts"
import type { BatchTask } from "./batch-file.ts"
import { carryOut, exitCodeFor } from "./carry-out.ts"
import { chooseServer, SERVER_ARGUMENT } from "./choose-server.ts"
import { interruptible } from "./interrupt.ts"
import { openLanes } from "./open-lanes.ts"
import { codeOf, UsageError } from "./output/errors.ts"
import { progressFor } from "./output/reporter-for.ts"
import { resultsText } from "./output/result-text.ts"
import { directoryOf, limitsOf } from "./task-options.ts"
import type { Verb } from "./verb.ts"

const args = {
  file: {
    type: "positional",
    required: false,
    description: "One JSON object per line: prompt, and if wanted agent, model, description, ttl; - reads stdin",
  },
  limits: {
    type: "string",
    description: "Slots for this batch, such as 4,anthropic=3: the default lane's, a provider's, a model's",
    valueHint: "limits",
  },
  server: SERVER_ARGUMENT,
  dir: { type: "string", description: "The project to work in. Default: this folder", valueHint: "folder" },
  json: { type: "boolean", description: "One JSON object per event on stdout, the summary last" },
} as const

export const batch: Verb = defineCommand({
  meta: { name: "batch", description: "Run the tasks of a file side by side and print their results" },
  args,
  run: async ({ args: given }) => {
    const file = given.file ?? (process.stdin.isTTY ? undefined : "-")
    if (file === undefined) throw new UsageError("lanes batch: there is no file. Write lanes batch tasks.jsonl.")
    const tasks = await readTasks(file)
    const directory = directoryOf(given.dir)
    const config: Config = given.limits === undefined ? {} : limitsOf(given.limits)
    return interruptible(async (interrupt) => {
      using reporter = progressFor({ json: given.json === true })
      const server = await chooseServer(given.server, (sentence) => reporter.say(sentence))
      await using lanes = (await openLanes(server, { directory, config }, reporter, interrupt)).lanes
      await checkAll(lanes, tasks, file)
      reporter.status(`${tasks.length} tasks in ${directory}`)
      const inputs = tasks.map(({ input }) => input)
      const summary = await carryOut(lanes, inputs, reporter, interrupt)
      await lanes.close()
      reporter.finish(summary)
      if (given.json !== true) process.stdout.write(resultsText(summary, process.stdout))
      return exitCodeFor(summary, tasks.length, interrupt)
    })
  },
})

async function readTasks(file: string): Promise<BatchTask[]> {
  if (file === "-") return readBatch(await Bun.stdin.text(), "stdin")
  try {
    return readBatch(readFileSync(file, "utf8"), file)
  } catch (thrown) {
    if (thrown instanceof UsageError) throw thrown
    if ((thrown as NodeJS.ErrnoException).code === "ENOENT") throw new UsageError(`${file}: there is no such file.`)
    throw new UsageError(`${file}: ${thrown instanceof Error ? thrown.message : String(thrown)}`)
  }
}

/** What only the server knows: agents and models. Nothing is launched before all of them are found. */
async function checkAll(lanes: Lanes, tasks: readonly BatchTask[], file: string): Promise<void> {
  for (const { line, input } of tasks) {
    try {
      await lanes.check(input)
    } catch (thrown) {
      if (!/^(AGENT|MODEL)_|^INVALID_INPUT$/.test(codeOf(thrown))) throw thrown
      const name = file === "-" ? "stdin" : file
      throw new UsageError(`${name} line ${line}: ${thrown instanceof Error ? thrown.message : String(thrown)}`)
    }
  }
}
