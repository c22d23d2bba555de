import type { Config } from "../config.ts"
import { playSeed } from "./campaign.ts"
import type { CampaignOptions } from "./campaign.ts"
import type { FaultPlan } from "./faults.ts"
import { faults } from "./faults.ts"
import { firstDifference } from "./replay.ts"
import type { RunResult } from "./result.ts"
import type { Simulation } from "./simulate.ts"

/** Promises that take two runs to see. Each answers with a sentence when it does not hold. */

/** 24: the same seed with a wall clock that is set about decides the same at the same moments. */
export function wallClockDecides(seed: number): string | undefined {
  const still = playSeed(seed, { faults: faults.none() }).result
  const jumping = playSeed(seed, { faults: () => ({ "wall.jump": 1 }) }).result
  return still.hash === jumping.hash ? undefined : `seed ${seed} runs otherwise when the wall clock is set`
}

/** 27: what was recorded replays to the same. */
export function replaysOtherwise(seed: number, plan: FaultPlan = faults.swarm()): string | undefined {
  const { sim } = playSeed(seed, { faults: plan, record: true })
  for (const { options, inputs, said } of sim.world.recordings) {
    const difference = firstDifference({ options, inputs }, said)
    if (difference !== undefined) return `seed ${seed}, ${difference}`
  }
  return undefined
}

/** 28: the same seed gives the same hash. */
export function runsTwoWays(seed: number, plan: FaultPlan = faults.swarm()): string | undefined {
  const [once, again] = [playSeed(seed, { faults: plan }).result.hash, playSeed(seed, { faults: plan }).result.hash]
  return once === again ? undefined : `seed ${seed} gave ${once} and ${again}`
}

/** 29: one lane, nothing goes wrong: with a higher limit no task starts later. */
export function higherLimitStartsLater(
  seed: number,
  limits: readonly [number, number],
  how: Pick<CampaignOptions, "oracles"> & { readonly scenario: (sim: Simulation, tasks: number) => void },
): string | undefined {
  const play = (defaultConcurrency: number): RunResult =>
    playSeed(seed, { ...how, faults: faults.none(), config: { defaultConcurrency } satisfies Config }).result
  const [low, high] = [play(limits[0]), play(limits[1])]
  for (const { id } of low.rows) {
    const [before, after] = [low.startedAt(id) ?? 0, high.startedAt(id) ?? 0]
    if (after > before + POLL_MS) {
      return `seed ${seed}: ${id} starts at ${Math.round(after)} ms with ${limits[1]} slots, at ${Math.round(before)} ms with ${limits[0]}`
    }
  }
  return undefined
}

/** Ends are seen at the next poll; so much later a start may be without being late. */
const POLL_MS = 2_000
