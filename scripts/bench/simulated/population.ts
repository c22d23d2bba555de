import { agent, simulate } from "../../../src/sim/index.ts"
import type { AgentScript, RunResult } from "../../../src/sim/index.ts"
import { verify } from "../harness/answer.ts"

interface Population {
  readonly script: (i: number) => AgentScript
  /** Virtual ms between two launches, so that some wait in a lane of five. */
  readonly everyMs: number
}

/** Agents as they are: most of the time of the first is polling, of the others beginnings and ends. */
export const populations: Readonly<Record<"minutes" | "mixed" | "short", Population>> = {
  minutes: {
    script: (i) =>
      agent()
        .stream(`${60 + (i % 7) * 30}s`)
        .done("Done."),
    everyMs: 60_000,
  },
  mixed: {
    script: () => agent().think("2s..20s").tool("grep", "1s..40s").todos(2).done("Done."),
    everyMs: 8_000,
  },
  short: { script: () => agent().think("2s..8s").tool("grep", "1s..2s").done("Done."), everyMs: 2_000 },
}

export interface Played {
  readonly tookMs: number
  readonly events: number
  readonly hours: number
}

/** Plays so many tasks, every invariant watched, until nothing is left to do. */
export function play(population: Population, tasks: number): Played {
  const sim = simulate({ seed: 7, config: { defaultConcurrency: 5 } })
  const parent = sim.session("ses_parent")
  for (let i = 0; i < tasks; i++)
    sim.at(i * population.everyMs, () => void parent.launch({ batch: `turn-${i}` }, population.script(i)))
  const begun = performance.now()
  const result: RunResult = sim.run({ max: "1000h" })
  const tookMs = performance.now() - begun
  verify(result.states["completed"] === tasks, `all ${tasks} tasks completed: ${JSON.stringify(result.states)}`)
  return { tookMs, events: result.events, hours: result.elapsed / 3_600_000 }
}
