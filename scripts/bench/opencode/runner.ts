import type { Script } from "../../../src/cli/demo/scripted-model.ts"
import { createLanes } from "../../../src/index.ts"
import type { Config } from "../../../src/config.ts"
import { AGENT } from "./population.ts"
import type { TestOpenCode } from "../../../test/helpers/opencode.ts"
import { scripted } from "../../../test/helpers/opencode.ts"

/** How a task ended for whoever ran it. */
export interface Settled {
  readonly state: string
  readonly reason: string
  /** Epoch ms. */
  readonly at: number
  readonly sessionID: string
}

/** Whoever runs tasks on an OpenCode and says when they are done. */
export interface Runner extends AsyncDisposable {
  /** `model` as `provider/model`. */
  launch(script: Script, model?: string): Promise<Settled>
}

/** Ours, as `createLanes` makes it; only limits differ from the defaults. */
export async function ours(oc: TestOpenCode, config: Config, events = true): Promise<Runner> {
  const lanes = await createLanes({
    server: oc.url,
    password: oc.password,
    directory: oc.directory,
    configFiles: false,
    journal: "memory",
    events,
    config,
  })
  const settledAt = new Map<string, number>()
  lanes.on("task:settled", ({ id, at }) => void settledAt.set(id, at))
  return {
    launch: async (script, model) => {
      const task = await lanes.launch({
        agent: AGENT,
        prompt: scripted(`Play ${script.id}`, script),
        ...(model === undefined ? {} : { model }),
      })
      const { state, reason, sessionID = "" } = await task.done
      return { state, reason, sessionID, at: settledAt.get(task.id) ?? Number.NaN }
    },
    [Symbol.asyncDispose]: () => lanes.close(),
  }
}
