import type { Config } from "../config.ts"
import { parseConfig } from "../config.ts"
import { LanesError } from "../core/errors.ts"
import type { Options } from "../core/options.ts"
import type { TaskRow } from "../core/task.ts"
import { agent } from "./agent.ts"
import type { AgentScript } from "./agent.ts"
import type { Duration, Span } from "./duration.ts"
import { parseDuration, parseSpan } from "./duration.ts"
import { faults } from "./faults.ts"
import { simulate } from "./simulate.ts"

/** A load to try limits on, before anybody pays for it. */
export interface Plan {
  /** Limits and all else, as in a configuration file. */
  readonly config: Config
  readonly tasks: readonly PlannedTasks[]
  readonly seed: number
}

/** So many tasks alike. */
export interface PlannedTasks {
  readonly count: number
  readonly agent?: string
  readonly model?: string
  /** What one model step takes; default `5s..30s`. */
  readonly think: Span
  /** Tool calls before the answer, each a model step more; default 3. */
  readonly tools: number
  /** What one tool call takes; default `200ms..5s`. */
  readonly tool: Span
  /** When they are launched; default at once. */
  readonly at: Duration
}

/** How one lane did. */
export interface LaneForecast {
  readonly lane: string
  /** null = unlimited. */
  readonly limit: number | null
  readonly tasks: number
  /** Time in the queue; ms. */
  readonly waitP50: number
  readonly waitP95: number
  /** Share of its slots' time that was used, from the plan's first launch until its last task ended. */
  readonly utilisation: number
  /** What one more slot would change; undefined where nobody waits. */
  readonly oneMore?: { readonly makespan: number; readonly waitP95: number }
}

export interface Forecast {
  /** From the first launch to the last end; virtual ms. */
  readonly makespan: number
  readonly states: Readonly<Record<string, number>>
  readonly lanes: readonly LaneForecast[]
}

/** Nothing is given up or forgotten before it is counted. */
const FOREVER_MS = 3_650 * 86_400_000
const KEYS = ["count", "agent", "model", "think", "tools", "tool", "at"]

/** Checks a plan; refuses it with a sentence that names the place. */
export function parsePlan(value: unknown): Plan {
  const plan = objectOf(value, "the plan")
  const strange = Object.keys(plan).find((key) => !["config", "tasks", "seed", "$schema"].includes(key))
  if (strange !== undefined) throw bad(`"${strange}"`, "config, tasks or seed", "another key")
  const { tasks, seed = 0 } = plan
  if (!Array.isArray(tasks) || tasks.length === 0) throw bad("tasks", "a list of at least one entry", tasks)
  if (!Number.isInteger(seed)) throw bad("seed", "an integer", seed)
  return { config: parseConfig(plan["config"] ?? {}), tasks: tasks.map(plannedOf), seed: seed as number }
}

/** Plays a plan without faults, and again with one slot more in each lane where somebody waits. */
export function forecast(plan: Plan): Forecast {
  const base = play(plan)
  const lanes = base.lanes.map((lane) => {
    if (lane.waitP95 === 0 || lane.limit === null) return lane
    const more = play({ ...plan, config: raised(plan.config, lane.lane, lane.limit + 1) })
    const waitP95 = more.lanes.find((other) => other.lane === lane.lane)?.waitP95 ?? 0
    return { ...lane, oneMore: { makespan: more.makespan, waitP95 } }
  })
  return { ...base, lanes }
}

function play(plan: Plan): Forecast {
  // The plan's own tasks decide how many there are: caps are not what is tried here, nor is what is kept.
  const config = { ...plan.config, maxQueued: 1_000_000, maxPerRoot: 1_000_000, retainMs: FOREVER_MS }
  const sim = simulate({ seed: plan.seed, config, faults: faults.none() })
  for (const tasks of plan.tasks) sim.at(tasks.at, () => launch(tasks))
  const launch = ({ count, agent: name, model, ...how }: PlannedTasks): void => {
    const spec = { ...(name === undefined ? {} : { agent: name }), ...(model === undefined ? {} : { model }) }
    for (let i = 0; i < count; i++) sim.launch(spec, scriptOf(how))
  }
  const run = sim.run({ max: FOREVER_MS })
  const first = Math.min(...plan.tasks.map(({ at }) => parseDuration(at)))
  const lastEnd = (rows: readonly TaskRow[]): number =>
    rows.reduce((last, { id }) => Math.max(last, run.endedAt(id) ?? first), first)
  const byLane = Map.groupBy(run.rows, ({ lane }) => lane)
  const lanes = [...byLane].map(([lane, rows]) => {
    const waits = rows.map(({ id }) => run.waited(id)).toSorted((a, b) => a - b)
    const limit = limitOf(lane, sim.options)
    const slots = limit ?? run.peak(lane)
    const slotMs = slots * (lastEnd(rows) - first)
    const utilisation = slotMs === 0 ? 0 : Math.min(1, run.slotMs(lane) / slotMs)
    return {
      lane,
      limit,
      tasks: rows.length,
      waitP50: quantile(waits, 0.5),
      waitP95: quantile(waits, 0.95),
      utilisation,
    }
  })
  return {
    makespan: lastEnd(run.rows) - first,
    states: run.states,
    lanes: lanes.toSorted((a, b) => (a.lane < b.lane ? -1 : 1)),
  }
}

function scriptOf({ think, tools, tool }: Pick<PlannedTasks, "think" | "tools" | "tool">): AgentScript {
  let script = agent()
  for (let n = 0; n < tools; n++) script = script.think(think).tool("tool", tool)
  return script.think(think).done("done")
}

function limitOf(lane: string, options: Options): number | null {
  const name = lane.slice(lane.indexOf(":") + 1)
  const { defaultConcurrency, providerConcurrency, modelConcurrency } = options
  const bare = name.slice(name.indexOf("/") + 1)
  const limit =
    lane === "default"
      ? defaultConcurrency
      : lane.startsWith("provider:")
        ? providerConcurrency[name]
        : (modelConcurrency[name] ?? modelConcurrency[bare])
  return limit === undefined || limit === 0 ? null : limit
}

/** The same configuration with another limit for one lane. */
function raised(config: Config, lane: string, limit: number): Config {
  if (lane === "default") return { ...config, defaultConcurrency: limit }
  const name = lane.slice(lane.indexOf(":") + 1)
  if (lane.startsWith("provider:"))
    return { ...config, providerConcurrency: { ...config.providerConcurrency, [name]: limit } }
  return { ...config, modelConcurrency: { ...config.modelConcurrency, [name]: limit } }
}

function plannedOf(value: unknown, i: number): PlannedTasks {
  const at = `tasks[${i}]`
  const task = objectOf(value, at)
  const strange = Object.keys(task).find((key) => !KEYS.includes(key))
  if (strange !== undefined) throw bad(`${at}."${strange}"`, KEYS.join(", "), "another key")
  const { count, tools = 3 } = task
  if (!Number.isInteger(count) || (count as number) < 1) throw bad(`${at}.count`, "an integer ≥ 1", count)
  if (!Number.isInteger(tools) || (tools as number) < 0) throw bad(`${at}.tools`, "an integer ≥ 0", tools)
  const span = (key: string, otherwise: Span): Span => {
    const said = task[key] ?? otherwise
    if (typeof said !== "string" && typeof said !== "number") throw bad(`${at}.${key}`, "a duration", said)
    parseSpan(said, `${at}.${key}`)
    return said
  }
  const text = (key: string): Record<string, string> => {
    const said = task[key]
    if (said === undefined) return {}
    if (typeof said !== "string" || said === "") throw bad(`${at}.${key}`, "a text", said)
    return { [key]: said }
  }
  return {
    count: count as number,
    ...text("agent"),
    ...text("model"),
    think: span("think", "5s..30s"),
    tools: tools as number,
    tool: span("tool", "200ms..5s"),
    at: span("at", 0),
  }
}

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0
}

function objectOf(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  throw bad(what, "an object", value)
}

function bad(where: string, expected: string, got: unknown): LanesError {
  const shown = typeof got === "string" ? `"${got}"` : (JSON.stringify(got) ?? "nothing")
  return new LanesError("INVALID_INPUT", `The plan cannot be used: ${where}: expected ${expected}, got ${shown}.`)
}
