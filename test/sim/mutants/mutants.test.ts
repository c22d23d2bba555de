import { join } from "node:path"

import { describe, expect, test } from "bun:test"

import type * as Differential from "../../../src/sim/differential.ts"
import type * as Sim from "../../../src/sim/index.ts"
import { playSeed } from "../../../src/sim/index.ts"
import type { FaultPlan } from "../../../src/sim/index.ts"
import { DIFFERENTIAL, MUTANTS } from "./list.ts"
import type { Mutant } from "./load.ts"
import { mutated } from "./load.ts"
import { REGRESSIONS } from "./regressions.ts"

const SEEDS = 120
const LIMIT_MS = 60_000

/** Load and faults under which a kind of mutant shows soon. */
function plan({ faults }: typeof Sim, how: Mutant["with"] = "swarm"): FaultPlan {
  const plans: Readonly<Record<NonNullable<Mutant["with"]>, FaultPlan>> = {
    swarm: faults.swarm(),
    calm: () => ({ "agent.odd": 0.5, "user.continue": 0.2, "user.cancel": 0.1 }),
    limits: faults.only("user.limits", "user.cancel"),
    crashes: () => ({ "coordinator.crash": 1, "agent.odd": 0.2 }),
    sleep: () => ({ "machine.sleep": 1, "agent.odd": 0.2 }),
    continues: () => ({ "user.continue": 0.6, "coordinator.crash": 1, "user.cancel": 0.3 }),
  }
  return plans[how]
}

/** What is played ends in a violation of one of these invariants. */
function isFound({ Violation }: typeof Sim, breaks: readonly number[], play: () => unknown): void {
  let found: unknown
  try {
    play()
  } catch (thrown) {
    found = thrown
  }
  expect(found).toBeInstanceOf(Violation)
  expect(breaks).toContain((found as Sim.Violation).invariant)
}

describe("a core that is broken on purpose does not pass", () => {
  for (const mutant of MUTANTS) {
    test(
      mutant.name,
      async () => {
        using broken = mutated(mutant)
        const sim = (await import(join(broken.path, "src/sim/index.ts"))) as typeof Sim
        isFound(sim, mutant.breaks, () => sim.campaign({ seeds: SEEDS, faults: plan(sim, mutant.with), shrink: false }))
      },
      LIMIT_MS,
    )
  }
})

describe("what campaigns found: fixed, and found again where the fix is taken back", () => {
  for (const regression of REGRESSIONS) {
    test(
      `${regression.name} (seed ${regression.seed})`,
      async () => {
        const { seed, faults } = regression
        const options = { shrink: false, ...(faults === undefined ? {} : { faults: () => faults }) }
        playSeed(seed, options)
        using broken = mutated(regression)
        const sim = (await import(join(broken.path, "src/sim/index.ts"))) as typeof Sim
        isFound(sim, regression.breaks, () => sim.playSeed(seed, options))
      },
      LIMIT_MS,
    )
  }
})

describe("nor one that two runs give away", () => {
  for (const mutant of DIFFERENTIAL) {
    test(
      mutant.name,
      async () => {
        using broken = mutated(mutant)
        const path = join(broken.path, "src/sim/differential.ts")
        const { agent, Simulation } = (await import(join(broken.path, "src/sim/index.ts"))) as typeof Sim
        expect(Simulation).toBeDefined()
        const differ = (await import(path)) as typeof Differential
        const seeds = Array.from({ length: 20 }, (_, seed) => seed)
        const seen = (find: (seed: number) => string | undefined): boolean =>
          seeds.some((seed) => find(seed) !== undefined)
        const load = (sim: Sim.Simulation): void => {
          for (let i = 0; i < 30; i++) sim.launch({}, agent().think("1s..20s").tool("grep", "1s..30s").done())
        }
        const checks = {
          "24": () => seen((seed) => differs(() => differ.wallClockDecides(seed))),
          "27": () => seen((seed) => differs(() => differ.replaysOtherwise(seed))),
          "28": () => seen((seed) => differs(() => differ.runsTwoWays(seed))),
          "29": () => seen((seed) => differ.higherLimitStartsLater(seed, [3, 8], { scenario: load, oracles: [] })),
        }
        expect(checks[mutant.check]()).toBe(true)
      },
      LIMIT_MS,
    )
  }
})

/** A violation on the way shows it as well. */
function differs(find: () => string | undefined): string | undefined {
  try {
    return find()
  } catch (thrown) {
    return String(thrown)
  }
}
