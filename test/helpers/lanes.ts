/** Lanes on a real OpenCode, with what they said kept. */

import { compose } from "../../src/compose.ts"
import type { CreateOptions, EventType, LaneEvent, Lanes } from "../../src/index.ts"
import type { TestOpenCode } from "./opencode.ts"
import { scripted } from "./opencode.ts"
import type { Script } from "../../src/cli/demo/scripted-model.ts"
import type { Input, Now } from "../../src/core/inputs.ts"
import { firstDifference } from "../../src/sim/replay.ts"

export interface TestLanes extends AsyncDisposable {
  readonly lanes: Lanes
  readonly heard: LaneEvent[]
  /** Events of one kind, of one task if named. */
  of<T extends EventType>(type: T, id?: string): LaneEvent<T>[]
  /** Launches a task of the agent `general` that plays a script. */
  run(script: Script, input?: Partial<Parameters<Lanes["launch"]>[0]>): ReturnType<Lanes["launch"]>
}

/** Fast polls, so that what needs several of them is over soon; every bound can be overridden. */
const QUICK = { pollIntervalMs: 500, minIdleMs: 1_500, minStabilityMs: 3_000 }

/**
 * What the core was told is kept, and replayed when the lanes are closed: real threads and a real OpenCode must have led to
 * exactly what a new core decides from the same log.
 */
export async function lanesOn(oc: TestOpenCode, options: Partial<CreateOptions> = {}): Promise<TestLanes> {
  const inputs: { readonly input: Input; readonly now: Now }[] = []
  const { lanes, coordinator } = await compose({
    server: oc.url,
    password: oc.password,
    directory: oc.directory,
    configFiles: false,
    journal: "memory",
    record: (input, now) => inputs.push({ input, now }),
    ...options,
    config: { ...QUICK, ...options.config },
  })
  const { options: initial } = coordinator
  const heard: LaneEvent[] = []
  const said: LaneEvent[] = []
  lanes.on("*", (event) => {
    heard.push(event)
    // `expect` of Bun writes its matchers into the objects it is given.
    said.push(structuredClone(event))
  })
  return {
    lanes,
    heard,
    of: (type, id) =>
      heard.filter((event) => event.type === type && (id === undefined || ("id" in event && event.id === id))) as never,
    run: (script, input = {}) =>
      lanes.launch({ agent: "general", prompt: scripted(`Play ${script.id}`, script), ...input }),
    [Symbol.asyncDispose]: async () => {
      await lanes.close()
      // What was recovered was said before anybody could listen.
      if (said[0]?.seq !== 1) return
      const difference = firstDifference({ options: initial, inputs }, said)
      if (difference !== undefined)
        throw new Error(`The log of ${inputs.length} inputs replays otherwise: ${difference}`)
    },
  }
}
