import { join } from "node:path"

import { describe, expect, test } from "bun:test"

import type * as Differential from "../../../src/sim/differential.ts"
import type * as Sim from "../../../src/sim/index.ts"
import { INVARIANTS, playSeed } from "../../../src/sim/index.ts"
import type { FaultPlan } from "../../../src/sim/index.ts"
import type * as All from "../../../src/sim/invariants/all.ts"
import type { Oracle } from "../../../src/sim/truth.ts"
import { DIFFERENTIAL, MUTANTS } from "./list.ts"
import type { Mutant } from "./load.ts"
import { mutated } from "./load.ts"
import { REGRESSIONS } from "./regressions.ts"

const SEEDS = 120
const LIMIT_MS = 60_000

const seeds = (count: number): number[] => Array.from({ length: count }, (_, seed) => seed)

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

/** A broken simulation, in which only one invariant is watched: it is found by that one's oracle, not by another's. */
async function watching({ path }: { readonly path: string }, invariant: number) {
  const sim = (await import(join(path, "src/sim/index.ts"))) as typeof Sim
  const { ORACLES } = (await import(join(path, "src/sim/invariants/all.ts"))) as typeof All
  const oracles = ORACLES.map((oracle) => only(invariant, oracle))
  /** Whether what is played ends in a violation of it. */
  const finds = (seed: number, options: Omit<Sim.CampaignOptions, "seeds">): boolean => {
    try {
      sim.playSeed(seed, { ...options, oracles, shrink: false })
      return false
    } catch (thrown) {
      if (!(thrown instanceof sim.Violation)) throw thrown
      return thrown.invariant === invariant
    }
  }
  return { sim, finds }
}

/** The oracle, heard only when it speaks of this invariant. */
function only(invariant: number, oracle: Oracle): Oracle {
  return (scene) =>
    oracle(
      new Proxy(scene, {
        get: (of, key): unknown =>
          key === "fail"
            ? (n: number, sentence: string) => n === invariant && of.fail(n, sentence)
            : Reflect.get(of, key, of),
      }),
    )
}

describe("a core that is broken on purpose does not pass", () => {
  for (const mutant of MUTANTS) {
    test(
      mutant.name,
      async () => {
        using broken = mutated(mutant)
        const { sim, finds } = await watching(broken, mutant.breaks)
        const faults = plan(sim, mutant.with)
        expect(seeds(SEEDS).some((seed) => finds(seed, { faults }))).toBe(true)
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
        const options = faults === undefined ? {} : { faults: () => faults }
        playSeed(seed, options)
        using broken = mutated(regression)
        const { finds } = await watching(broken, regression.breaks)
        expect(finds(seed, options)).toBe(true)
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
        const seen = (find: (seed: number) => string | undefined): boolean =>
          seeds(20).some((seed) => find(seed) !== undefined)
        const load = (sim: Sim.Simulation): void => {
          for (let i = 0; i < 30; i++) sim.launch({}, agent().think("1s..20s").tool("grep", "1s..30s").done())
        }
        const checks = {
          24: () => seen((seed) => differs(() => differ.wallClockDecides(seed))),
          27: () => seen((seed) => differs(() => differ.replaysOtherwise(seed))),
          28: () => seen((seed) => differs(() => differ.runsTwoWays(seed))),
          29: () => seen((seed) => differ.higherLimitStartsLater(seed, [3, 8], { scenario: load, oracles: [] })),
        }
        expect(checks[mutant.breaks]()).toBe(true)
      },
      LIMIT_MS,
    )
  }
})

test("every promise is broken by some mutant", () => {
  const broken = new Set([...MUTANTS, ...DIFFERENTIAL].map(({ breaks }) => breaks))
  expect(Object.keys(INVARIANTS).filter((n) => !broken.has(Number(n)))).toEqual([])
})

/** A violation on the way shows it as well. */
function differs(find: () => string | undefined): string | undefined {
  try {
    return find()
  } catch (thrown) {
    return String(thrown)
  }
}
