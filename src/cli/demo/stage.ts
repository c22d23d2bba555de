/** Where the demo plays: its own OpenCode with a scripted model, or the user's with a real one. */

import { checkServer } from "../../adapters/check-server.ts"
import { httpTransport } from "../../adapters/http-transport.ts"
import { startServer } from "../../adapters/opencode-server.ts"
import { shownAddress } from "../../adapters/server-address.ts"
import type { CreateOptions } from "../../compose.ts"
import type { DemoTask } from "./conversations.ts"
import { DEMO_LANES, DEMO_TASKS } from "./conversations.ts"
import { startPrivateOpenCode } from "./private-opencode.ts"
import { REAL_TASKS } from "./real-tasks.ts"

/** What the user asked for. */
export interface StageOptions {
  /** `provider/model` of the user's; none = the scripted one. */
  readonly model?: string
  /** A running server of the user's; with `model` only. */
  readonly server?: string
}

/** A place with a server, its tasks and its limits. */
export interface Stage extends AsyncDisposable {
  readonly lanes: CreateOptions
  readonly tasks: readonly DemoTask[]
  /** Of the server's OpenCode. */
  readonly version: string
}

/** What will happen, in sentences for people; said before anything is started or sent. */
export function announcement({ model, server }: StageOptions): string[] {
  if (model === undefined) {
    return [
      "Agents answer questions about a sample project: on a real OpenCode, with a scripted model.",
      "Each task waits for a slot of its lane, which is the limit of a provider or a model.",
      "Offline: nothing leaves this machine, nothing costs anything, nothing is left behind.",
    ]
  }
  const whose =
    server === undefined ? "your OpenCode, with your configuration," : `the OpenCode at ${shownAddress(server)}`
  return [
    `This uses ${whose} in ${process.cwd()}`,
    `and sends ${REAL_TASKS.length} read-only tasks to the real model ${model}. Its provider may charge you. Ctrl-C stops.`,
  ]
}

/** Starts or reaches the server. `signal` gives up starting. */
export async function openStage(options: StageOptions, signal: AbortSignal): Promise<Stage> {
  return options.model === undefined ? privateStage(signal) : realStage({ ...options, model: options.model }, signal)
}

async function privateStage(signal: AbortSignal): Promise<Stage> {
  await using undo = new AsyncDisposableStack()
  const { url, password, directory } = undo.use(await startPrivateOpenCode({ signal }))
  const { version } = await checkServer(httpTransport({ baseUrl: url, password }))
  const resources = undo.move()
  return {
    // Polled more often than a server of the user's would be, so that the tokens can be seen to grow.
    lanes: {
      server: url,
      password,
      directory,
      configFiles: false,
      journal: "memory",
      config: { ...DEMO_LANES, pollIntervalMs: 200 },
    },
    tasks: DEMO_TASKS,
    version,
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  }
}

async function realStage({ model, server }: StageOptions & { model: string }, signal: AbortSignal): Promise<Stage> {
  await using undo = new AsyncDisposableStack()
  const own = server === undefined ? undo.use(await startServer({ signal })) : undefined
  const address = own === undefined ? { server: server as string } : { server: own.url, password: own.password }
  const { version } = await checkServer(httpTransport({ baseUrl: address.server, password: own?.password }), {
    at: shownAddress(address.server),
  })
  const resources = undo.move()
  return {
    lanes: { ...address, journal: "memory", config: { modelConcurrency: { [model]: 2 } } },
    tasks: REAL_TASKS,
    version,
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  }
}
