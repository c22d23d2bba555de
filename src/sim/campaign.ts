import { LanesError } from "../core/errors.ts"
import { checkWhole } from "./check.ts"
import { Dice } from "./dice.ts"
import type { FaultPlan } from "./faults.ts"
import { faults as plans } from "./faults.ts"
import { configOf, populate } from "./scenario.ts"
import type { RunResult } from "./result.ts"
import { Simulation } from "./simulate.ts"
import type { Config } from "../config.ts"
import type { Oracle } from "./truth.ts"

export interface CampaignOptions {
  /** How many; `SIM_NUM` overrides. */
  readonly seeds: number
  /** The first one; default 0. `SIM_SEED` plays that one alone. */
  readonly from?: number
  /** Default: `faults.swarm()`. */
  readonly faults?: FaultPlan
  /** Tasks per seed; default 5 to 50, as the seed says. */
  readonly tasks?: number
  /** Default: as the seed says. */
  readonly config?: Config | ((seed: number) => Config)
  /** Default: a mixed load with people who interfere. */
  readonly scenario?: (sim: Simulation, tasks: number) => void
  /** States, reasons, faults and refusals that must occur in some seed; refuses to pass without. */
  readonly sometimes?: readonly string[]
  /** Plays each seed twice and compares; `SIM_CHECK_DETERMINISM=1` does. */
  readonly twice?: boolean
  /** @internal */
  readonly oracles?: readonly Oracle[]
  /** As for `simulate`. */
  readonly shrink?: boolean
  /** Keeps inputs for `replay`. */
  readonly record?: boolean
  /** As for `simulate`. */
  readonly replay?: (seed: number) => string
  /** Hears of each seed when it is through. */
  readonly each?: (seed: number, run: RunResult) => void
}

export interface CampaignResult {
  readonly seeds: number
  readonly tasks: number
  readonly events: number
  readonly virtualMs: number
  /** How many seeds reached what. */
  readonly reached: Readonly<Record<string, number>>
  /** Of all seeds' hashes. */
  readonly hash: string
}

/** Plays many seeds, each with its own load, configuration and faults. Throws the first `Violation`, shrunk. */
export function campaign(options: CampaignOptions): CampaignResult {
  const single = numberFrom("SIM_SEED")
  const from = single ?? options.from ?? 0
  const seeds = single === undefined ? (numberFrom("SIM_NUM") ?? options.seeds) : 1
  checkWhole(seeds, "a number of seeds", 1)
  checkWhole(from, "the first seed")
  const twice = options.twice ?? process.env["SIM_CHECK_DETERMINISM"] === "1"
  const reached = new Map<string, number>()
  let [tasks, events, virtualMs, hash] = [0, 0, 0, 0]
  for (let seed = from; seed < from + seeds; seed++) {
    const run = playSeed(seed, options)
    if (twice && playSeed(seed, options).result.hash !== run.result.hash) {
      throw new LanesError(
        "INVALID_INPUT",
        `Seed ${seed} gave two different runs: something in it depends on more than the seed.`,
      )
    }
    tasks += run.sim.world.tasks.size
    events += run.result.events
    virtualMs += run.result.elapsed
    hash = (Math.imul(hash, 31) ^ Number.parseInt(run.result.hash, 16)) >>> 0
    for (const what of run.sim.world.tally.reached.keys()) reached.set(what, (reached.get(what) ?? 0) + 1)
    options.each?.(seed, run.result)
  }
  const missing = single === undefined ? (options.sometimes ?? []).filter((what) => !reached.has(what)) : []
  if (missing.length > 0) {
    throw new LanesError(
      "INVALID_INPUT",
      `${seeds} seeds never reached ${missing.join(", ")}.`,
      "Play more seeds, or faults and agents that lead there.",
    )
  }
  return {
    seeds,
    tasks,
    events,
    virtualMs,
    reached: Object.fromEntries(reached),
    hash: hash.toString(16).padStart(8, "0"),
  }
}

/** One seed of a campaign, from its first launch until nothing is retained. */
export function playSeed(
  seed: number,
  options: Omit<CampaignOptions, "seeds"> = {},
): { sim: Simulation; result: RunResult } {
  const dice = new Dice(seed)
  const config = typeof options.config === "function" ? options.config(seed) : (options.config ?? configOf(seed))
  const sim = new Simulation({
    seed,
    config,
    faults: options.faults ?? plans.swarm(),
    events: !dice.chance(0.15, "no events", 0),
    ...(options.oracles === undefined ? {} : { oracles: options.oracles }),
    ...(options.record === undefined ? {} : { record: options.record }),
    ...(options.shrink === undefined ? {} : { shrink: options.shrink }),
    ...(options.replay === undefined ? {} : { replay: options.replay }),
  })
  const { scenario = populate, tasks = dice.whole(5, 50, "tasks", 0) } = options
  checkWhole(tasks, "a number of tasks", 0)
  scenario(sim, tasks)
  const result = sim.run()
  sim.rest()
  return { sim, result }
}

function numberFrom(name: string): number | undefined {
  const text = process.env[name]
  if (text === undefined || text === "") return undefined
  const value = Number(text)
  if (Number.isInteger(value)) return value
  throw new LanesError("INVALID_INPUT", `Expected ${name} as an integer, got "${text}".`)
}
