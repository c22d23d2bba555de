/** A real OpenCode of the demo's own: a private home, a scripted model, the sample project. Offline, and gone after use. */

import { join } from "node:path"
import { findBinary } from "../../adapters/opencode-binary.ts"
import { startServer } from "../../adapters/opencode-server.ts"
import { DEMO_AGENTS, DEMO_PROVIDERS } from "./conversations.ts"
import { makePrivateHome } from "./private-home.ts"
import { writeSampleProject } from "./sample-project.ts"
import { startScriptedModel } from "./scripted-model.ts"

/** A running private OpenCode. */
export interface PrivateOpenCode extends AsyncDisposable {
  readonly url: string
  readonly password: string
  /** The sample project. */
  readonly directory: string
}

/**
 * Starts everything; `signal` gives up starting.
 *
 * @throws LanesError as `startServer` does, or the signal's reason
 */
export async function startPrivateOpenCode(options: { readonly signal?: AbortSignal } = {}): Promise<PrivateOpenCode> {
  await using undo = new AsyncDisposableStack()
  const model = undo.use(startScriptedModel())
  const home = undo.use(makePrivateHome({ model, providers: DEMO_PROVIDERS, agents: DEMO_AGENTS }))
  // A host that leaves at once runs no asynchronous clean-up: then the process group and the folder go here.
  let group: number | undefined
  const leave = (): void => {
    if (group !== undefined) killGroup(group)
    home.dispose()
  }
  process.on("exit", leave)
  undo.defer(() => void process.off("exit", leave))

  const directory = writeSampleProject(join(home.projects, "corner-shop"), home.env)
  const server = undo.use(await startServer({ cwd: directory, env: home.env, binary: findBinary(), ...options }))
  group = server.pid
  const resources = undo.move()
  return {
    url: server.url,
    password: server.password,
    directory,
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  }
}

function killGroup(group: number): void {
  try {
    process.kill(-group, "SIGKILL")
  } catch {
    // it has ended already
  }
}
