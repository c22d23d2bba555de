/** Two plugins that do the same, each as npm gives it, in an OpenCode of its own with the same model. */

import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { startOpenCode } from "../../../test/helpers/opencode.ts"
import type { TestOpenCode } from "../../../test/helpers/opencode.ts"
import { packPlugin } from "../../../test/helpers/packed-plugin.ts"
import { BENCH } from "../harness/peers.ts"

export interface Contender {
  readonly oc: TestOpenCode
  readonly tool: string
  /** A message tells that the task has ended; a list may also name those that still run. */
  readonly tells: (text: string, task: string) => boolean
  readonly args: (child: { prompt: string; description: string }) => Record<string, unknown>
}

export interface PluginPair extends AsyncDisposable {
  readonly contenders: Readonly<Record<"ours" | "oh-my-opencode", Contender>>
}

/** Both read their limit from `oh-my-opencode.json`. */
export async function startPair({ slots }: { readonly slots: number }): Promise<PluginPair> {
  await using undo = new AsyncDisposableStack()
  const packed = undo.use(packPlugin())
  const ours: Contender = {
    oc: undo.use(await startOpenCode({ plugins: [packed.directory] })),
    tool: "delegate_task",
    tells: (text, task) => new RegExp(`${task}[^\\n]*(completed|failed)`).test(text),
    args: ({ prompt, description }) => ({ prompt, description, agent: "general", run_in_background: true }),
  }
  const theirs: Contender = {
    oc: undo.use(await startOpenCode({ plugins: [join(BENCH, "node_modules", "oh-my-opencode")], env: QUIET })),
    tool: "task",
    tells: (text, task) => text.includes(task),
    args: ({ prompt, description }) => ({
      prompt,
      description,
      subagent_type: "explore",
      run_in_background: true,
      load_skills: [],
    }),
  }
  for (const { oc } of [ours, theirs])
    writeFileSync(join(oc.home.configFolder, "oh-my-opencode.json"), JSON.stringify(SETTINGS(slots)))
  const resources = undo.move()
  return { contenders: { ours, "oh-my-opencode": theirs }, [Symbol.asyncDispose]: () => resources.disposeAsync() }
}

/** Nothing of it asks the network, which there may not be. */
const QUIET = {
  OMO_SEND_ANONYMOUS_TELEMETRY: "0",
  OMO_DISABLE_POSTHOG: "1",
  HTTPS_PROXY: "http://127.0.0.1:9",
  HTTP_PROXY: "http://127.0.0.1:9",
  NO_PROXY: "127.0.0.1,localhost",
}
const THEIR_AGENTS = [
  "sisyphus",
  "explore",
  "librarian",
  "oracle",
  "prometheus",
  "metis",
  "momus",
  "atlas",
  "hephaestus",
  "multimodal-looker",
  "sisyphus-junior",
  "plan",
]
const SETTINGS = (slots: number): object => ({
  agents: Object.fromEntries(THEIR_AGENTS.map((name) => [name, { model: "acme/fast" }])),
  disabled_hooks: ["auto-update-checker", "startup-toast"],
  background_task: { defaultConcurrency: slots },
})
