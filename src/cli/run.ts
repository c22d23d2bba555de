/** `lanes run`: one task in a session of its own; its text on stdout. */

import { defineCommand } from "citty"
import type { CommandDef } from "citty"
import { createLanes } from "../compose.ts"
import type { LaunchInput } from "../lanes.ts"
import { carryOut, exitCodeFor } from "./carry-out.ts"
import { chooseServer, SERVER_ARGUMENT } from "./choose-server.ts"
import type { ChosenServer } from "./choose-server.ts"
import { onInterrupt } from "./interrupt.ts"
import type { Interrupt } from "./interrupt.ts"
import { launchOnly } from "./launch-only.ts"
import { UsageError } from "./output/errors.ts"
import { progressFor } from "./output/reporter-for.ts"
import type { Reporter } from "./output/reporter.ts"
import { resultText } from "./output/result-text.ts"
import { directoryOf, modelOf, ttlOf } from "./task-options.ts"

const args = {
  prompt: { type: "positional", required: false, description: "What to do; - or nothing reads it from stdin" },
  agent: { type: "string", description: "A sub-agent of the server. Default: general", valueHint: "name" },
  model: { type: "string", description: "Default: the agent's, then the server's", valueHint: "provider/model" },
  ttl: { type: "string", description: "Longest run time, such as 90s or 5m", valueHint: "time" },
  server: SERVER_ARGUMENT,
  dir: { type: "string", description: "The project to work in. Default: this folder", valueHint: "folder" },
  wait: {
    type: "boolean",
    default: true,
    description: "Wait for the end and print the result",
    negativeDescription: "Launch, print the task's id and leave; needs a server that stays",
  },
  json: { type: "boolean", description: "One JSON object per event on stdout, the summary last" },
} as const

export const run: CommandDef<typeof args> = defineCommand({
  meta: { name: "run", description: "Run one task and print its result" },
  args,
  run: async ({ args: given }) => {
    const input = await inputOf(given)
    const directory = directoryOf(given.dir)
    using interrupt = onInterrupt()
    using reporter = progressFor({ json: given.json === true })
    process.stdout.on("error", () => interrupt.stop(1))
    const server = await chooseServer(given.server, (sentence) => reporter.say(sentence))
    if (!given.wait && server.whose === "spawned") {
      throw new UsageError("--no-wait needs a server that stays: start `opencode serve` and name it with --server.")
    }
    const json = given.json === true
    if (!given.wait) return launchOnly(server, directory, input, json)
    const { code, text } = await waited(server, directory, input, reporter, interrupt)
    if (!json) process.stdout.write(text)
    return code
  },
})

async function waited(
  server: ChosenServer,
  directory: string,
  input: LaunchInput,
  reporter: Reporter,
  interrupt: Interrupt,
): Promise<{ code: number; text: string }> {
  reporter.status(server.whose === "spawned" ? "Starting OpenCode" : `Reaching the OpenCode at ${server.address}`)
  await using lanes = await createLanes({ ...server.lanes, directory, log: (warning) => reporter.say(warning) })
  reporter.status(`One task in ${directory}`)
  const summary = await carryOut(lanes, [input], reporter, interrupt)
  await lanes.close()
  reporter.finish(summary)
  const code = exitCodeFor(summary, 1, interrupt)
  const [result] = summary.results
  if (result?.outcome.state === "completed") return { code, text: resultText(result.outcome.text, process.stdout) }
  if (result !== undefined) reporter.say(`${result.outcome.reason}: ${result.outcome.sentence}`)
  return { code, text: "" }
}

async function inputOf(given: {
  readonly prompt?: string | undefined
  readonly agent?: string | undefined
  readonly model?: string | undefined
  readonly ttl?: string | undefined
}): Promise<LaunchInput> {
  const { agent, model, ttl } = given
  const said = {
    ...(agent === undefined ? {} : { agent }),
    ...(model === undefined ? {} : { model: modelOf(model, "--model") }),
    ...(ttl === undefined ? {} : { ttlMs: ttlOf(ttl, "--ttl") }),
  }
  return { prompt: await promptOf(given.prompt), ...said }
}

async function promptOf(given: string | undefined): Promise<string> {
  if (given === undefined && process.stdin.isTTY) {
    throw new UsageError('lanes run: there is no prompt. Write lanes run "…", or pipe it in.')
  }
  const prompt = given === undefined || given === "-" ? await Bun.stdin.text() : given
  if (prompt.trim() === "") throw new UsageError("lanes run: the prompt is empty.")
  return prompt
}
