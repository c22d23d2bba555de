/** `lanes demo`: three agents and more tasks than the lanes admit, on a real OpenCode, watched live. */

import { defineCommand } from "citty"
import type { CommandDef } from "citty"
import { isServerAddress, shownAddress } from "../adapters/server-address.ts"
import { createLanes } from "../compose.ts"
import type { DemoTask } from "./demo/conversations.ts"
import { announcement, openStage } from "./demo/stage.ts"
import type { StageOptions } from "./demo/stage.ts"
import { ensureOpenCode } from "./ensure-opencode.ts"
import type { Interrupt } from "./interrupt.ts"
import { interruptible } from "./interrupt.ts"
import { UsageError } from "./output/errors.ts"
import { EXIT } from "./output/exit-codes.ts"
import type { Reporter } from "./output/reporter.ts"
import { reporterFor } from "./output/reporter-for.ts"
import { Tally } from "./output/summary.ts"

const args = {
  json: { type: "boolean", description: "One JSON object per event, the summary last" },
  model: { type: "string", description: "Use this real model of your own OpenCode", valueHint: "provider/model" },
  server: {
    type: "string",
    description: "With --model: a running OpenCode instead of one started here",
    valueHint: "URL",
  },
} as const

export const demo: CommandDef<typeof args> = defineCommand({
  meta: { name: "demo", description: "Watch agents work side by side: offline, free, about 15 seconds" },
  args,
  run: async ({ args: { json, model, server } }) => {
    const options = stageOptions(model, server)
    return interruptible(async (interrupt) => {
      using reporter = reporterFor({ json: json === true })
      return await play(options, interrupt, reporter)
    })
  },
})

function stageOptions(model: string | undefined, server: string | undefined): StageOptions {
  if (model !== undefined && !/^[^/\s]+\/\S+$/.test(model)) {
    throw new UsageError(`--model: expected provider/model, got "${model}".`)
  }
  if (server !== undefined && !isServerAddress(server)) {
    throw new UsageError(`--server: expected an address like http://127.0.0.1:4096, got "${shownAddress(server)}".`)
  }
  if (server !== undefined && model === undefined) {
    throw new UsageError("--server needs --model provider/model: your server has no scripted model.")
  }
  return { ...(model === undefined ? {} : { model }), ...(server === undefined ? {} : { server }) }
}

async function play(options: StageOptions, interrupt: Interrupt, reporter: Reporter): Promise<number> {
  for (const sentence of announcement(options)) reporter.say(sentence)
  if (options.server === undefined) await ensureOpenCode((sentence) => reporter.say(sentence))
  reporter.status(options.server === undefined ? "Starting OpenCode" : "Reaching OpenCode")
  await using stage = await openStage(options, interrupt.signal)
  await using lanes = await createLanes(stage.lanes)
  const tally = new Tally()
  lanes.on("*", (event) => tally.apply(event))
  reporter.status(`${stage.tasks.length} tasks, a session each, on OpenCode ${stage.version}`)
  reporter.follow(lanes)
  const stop = (): void => {
    reporter.status("Stopping; Ctrl-C again leaves at once")
    lanes.cancelAll()
  }
  interrupt.signal.addEventListener("abort", stop)
  try {
    const launched = []
    for (const task of stage.tasks) {
      interrupt.signal.throwIfAborted()
      launched.push(await launch(lanes, task, options.model))
    }
    await Promise.all(launched.map(({ done }) => done))
  } finally {
    interrupt.signal.removeEventListener("abort", stop)
  }
  const summary = tally.summary()
  if (interrupt.exitCode !== undefined) reporter.status("Stopped.")
  reporter.finish(summary)
  if (interrupt.exitCode !== undefined) return interrupt.exitCode
  return summary.completed === stage.tasks.length ? EXIT.ok : EXIT.failed
}

type Lanes = Awaited<ReturnType<typeof createLanes>>

/** Launches a task with the first of its agents that the server has. */
async function launch(
  lanes: Lanes,
  task: DemoTask,
  model: string | undefined,
): Promise<Awaited<ReturnType<Lanes["launch"]>>> {
  const { agents, description, prompt } = task
  const [agent, ...others] = agents
  try {
    const named = { ...(agent === undefined ? {} : { agent }), ...(model === undefined ? {} : { model }) }
    return await lanes.launch({ description, prompt, ...named })
  } catch (thrown) {
    const unknown = thrown instanceof Error && "code" in thrown && String(thrown.code).startsWith("AGENT_")
    if (!unknown || others.length === 0) throw thrown
    return launch(lanes, { ...task, agents: others }, model)
  }
}
