/** `lanes run`: one task in a session of its own; its text on stdout. */

import { defineCommand } from "citty"
import type { LaunchInput } from "../lanes.ts"
import { SERVER_ARGUMENT } from "./choose-server.ts"
import { promptOf } from "./prompt.ts"
import { runOne } from "./run-one.ts"
import { directoryOf, modelOf, ttlOf } from "./task-options.ts"
import type { Verb } from "./verb.ts"

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

export const run: Verb = defineCommand({
  meta: { name: "run", description: "Run one task and print its result" },
  args,
  run: async ({ args: given }) => {
    const input = await inputOf(given)
    const directory = directoryOf(given.dir)
    return runOne({ input, directory, server: given.server, json: given.json === true, wait: given.wait })
  },
})

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
  return { prompt: await promptOf(given.prompt, "lanes run"), ...said }
}
