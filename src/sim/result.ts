import type { TaskRow } from "../core/task.ts"
import type { SimParent, SimTask } from "./handles.ts"
import type { Told } from "./parents.ts"
import type { World } from "./world.ts"

/** What came of a simulation so far. */
export class RunResult {
  readonly #world: World
  /** How many tasks are in each state. */
  readonly states: Readonly<Record<string, number>>
  /** How many ended for each reason. */
  readonly reasons: Readonly<Record<string, number>>
  /** What is remembered: a task is forgotten `retainMs` after its end. */
  readonly rows: readonly TaskRow[]
  /** Virtual ms since the beginning. */
  readonly elapsed: number
  /** Everything that happened: inputs, events, calls and what the loop ran. */
  readonly events: number
  /** The same for the same seed, in every process. */
  readonly hash: string

  /** @internal */
  constructor(world: World) {
    this.#world = world
    this.rows = world.coordinator?.list() ?? [...world.disk.rows.values()]
    // What was forgotten because it ended long ago has ended all the same.
    const known = new Set(this.rows.map(({ id }) => id))
    const forgotten = [...world.tally.ends].flatMap(([id, end]) => (known.has(id) ? [] : [end]))
    this.states = countBy([...this.rows, ...forgotten], ({ state }) => state)
    this.reasons = countBy(
      [...this.rows.map(({ outcome }) => outcome?.reason), ...forgotten.map(({ reason }) => reason)],
      (reason) => reason,
    )
    this.elapsed = world.loop.now
    this.events = world.happened + world.loop.count
    this.hash = world.trace.hash
  }

  /** The most slots of a lane that were taken at once. */
  peak(lane: string): number {
    return this.#world.tally.peaks.get(lane) ?? 0
  }

  /** When a task first got a slot; virtual ms. */
  startedAt(task: SimTask | string): number | undefined {
    return this.#world.tally.starts.get(typeof task === "string" ? task : task.id)
  }

  /** When a task last ended; virtual ms. */
  endedAt(task: SimTask | string): number | undefined {
    return this.#world.tally.ends.get(typeof task === "string" ? task : task.id)?.at
  }

  /** How long it waited for its first slot, or in vain; ms. */
  waited(task: SimTask | string): number {
    const id = typeof task === "string" ? task : task.id
    const launchedAt = this.#world.tasks.get(id)?.launchedAt
    return launchedAt === undefined ? 0 : (this.startedAt(id) ?? this.endedAt(id) ?? this.elapsed) - launchedAt
  }

  /** Time for which slots of a lane were taken, added up; ms. */
  slotMs(lane: string): number {
    return this.#world.tally.slotMs.get(lane) ?? 0
  }

  /** What a conversation was told, in order. */
  delivered(parent: SimParent | string): readonly Told[] {
    return [...(this.#world.conversations.get(typeof parent === "string" ? parent : parent.id)?.told.values() ?? [])]
  }

  /** How often something was reached: a state, a reason, a kind of fault. */
  reached(what: string): number {
    return this.#world.tally.reached.get(what) ?? 0
  }

  /** What happened, line by line. */
  timeline(): readonly string[] {
    return this.#world.trace.lines()
  }
}

function countBy<T>(rows: readonly T[], key: (row: T) => string | undefined): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const row of rows) {
    const name = key(row)
    if (name !== undefined) counts[name] = (counts[name] ?? 0) + 1
  }
  return counts
}
