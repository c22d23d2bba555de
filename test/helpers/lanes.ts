/** Lanes on a real OpenCode, with what they said kept. */

import { createLanes } from "../../src/index.ts"
import type { CreateOptions, EventType, LaneEvent, Lanes } from "../../src/index.ts"
import type { TestOpenCode } from "./opencode.ts"
import { scripted } from "./opencode.ts"
import type { Script } from "../../src/cli/demo/scripted-model.ts"

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

export async function lanesOn(oc: TestOpenCode, options: Partial<CreateOptions> = {}): Promise<TestLanes> {
  const lanes = await createLanes({
    server: oc.url,
    password: oc.password,
    directory: oc.directory,
    configFiles: false,
    journal: "memory",
    ...options,
    config: { ...QUICK, ...options.config },
  })
  const heard: LaneEvent[] = []
  lanes.on("*", (event) => heard.push(event))
  return {
    lanes,
    heard,
    of: (type, id) =>
      heard.filter((event) => event.type === type && (id === undefined || ("id" in event && event.id === id))) as never,
    run: (script, input = {}) =>
      lanes.launch({ agent: "general", prompt: scripted(`Play ${script.id}`, script), ...input }),
    [Symbol.asyncDispose]: () => lanes.close(),
  }
}
