import type { Options } from "./options.ts"
import type { LaneKey, TaskId } from "./task.ts"

export type LaneLimits = Pick<Options, "defaultConcurrency" | "providerConcurrency" | "modelConcurrency">

/** The right to run in a lane: one value, one owner, given back by that value. */
export interface SlotToken {
  readonly lane: LaneKey
  readonly task: TaskId
}

/** A lane as people see it; `limit` null = unlimited. */
export interface LaneView {
  readonly lane: LaneKey
  readonly used: number
  readonly limit: number | null
  readonly queued: number
}

/** Own keys only: a model called `constructor` has no limit. */
function limitIn(limits: Readonly<Record<string, number>>, key: string): number | undefined {
  return Object.hasOwn(limits, key) ? limits[key] : undefined
}

/** Provider = text before the first `/`; the model id keeps further slashes. */
export function splitModel(model: string): { provider: string; id: string } | undefined {
  const slash = model.indexOf("/")
  return slash <= 0 || slash === model.length - 1
    ? undefined
    : { provider: model.slice(0, slash), id: model.slice(slash + 1) }
}

/**
 * The one lane of an effective model: a limit of its own, else its provider's (shared by all the provider's models
 * without one), else `default`, shared by all the rest.
 */
export function laneOf(model: string | undefined, limits: LaneLimits): LaneKey {
  const parts = model === undefined ? undefined : splitModel(model)
  if (model === undefined || parts === undefined) return "default"
  const own = limitIn(limits.modelConcurrency, model) ?? limitIn(limits.modelConcurrency, parts.id)
  if (own !== undefined) return `model:${model}`
  return limitIn(limits.providerConcurrency, parts.provider) === undefined ? "default" : `provider:${parts.provider}`
}

/** Slots of a lane; Infinity = unlimited, undefined = the configuration no longer speaks of it. */
export function limitOf(lane: LaneKey, limits: LaneLimits): number | undefined {
  if (lane === "default") return limits.defaultConcurrency
  const name = lane.slice(lane.indexOf(":") + 1)
  const limit = lane.startsWith("provider:")
    ? limitIn(limits.providerConcurrency, name)
    : (limitIn(limits.modelConcurrency, name) ?? limitIn(limits.modelConcurrency, splitModel(name)?.id ?? name))
  return limit === 0 ? Number.POSITIVE_INFINITY : limit
}

interface Lane {
  limit: number
  readonly held: Set<SlotToken>
  /** First in, first out; a Map keeps the order and forgets any waiter in O(1). */
  readonly waiting: Map<TaskId, true>
  /** Stands before the head. A new one would walk over the places of all that have left before. */
  heads: Iterator<TaskId>
  /** Who came last: the one whose place is asked for most. */
  last?: TaskId
}

/** Tokens, not counters: a lane's use is the set of its live tokens. A blocked lane never blocks another. */
export class LaneAllocator {
  #limits: LaneLimits
  readonly #lanes = new Map<LaneKey, Lane>()
  #waiting = 0

  constructor(limits: LaneLimits) {
    this.#limits = limits
  }

  /** Tasks waiting over all lanes. */
  get waiting(): number {
    return this.#waiting
  }

  /** Who waits, over all lanes. */
  *waiters(): Generator<TaskId> {
    for (const { waiting } of this.#lanes.values()) yield* waiting.keys()
  }

  /** A request now would get its token at once. */
  hasRoom(lane: LaneKey): boolean {
    const of = this.#lanes.get(lane)
    return of === undefined || (of.waiting.size === 0 && of.held.size < of.limit)
  }

  /** A token now, or a place at the end of the queue. */
  request(lane: LaneKey, task: TaskId): SlotToken | undefined {
    const of = this.#lane(lane)
    if (of.waiting.size === 0 && of.held.size < of.limit) return grant(of, lane, task)
    of.waiting.set(task, true)
    of.last = task
    this.#waiting++
    return undefined
  }

  /** Leaves the queue; no other waiter changes place. */
  withdraw(lane: LaneKey, task: TaskId): void {
    const of = this.#lanes.get(lane)
    if (of?.waiting.delete(task)) {
      this.#waiting--
      this.#dropIfEmpty(lane, of)
    }
  }

  /** Gives a slot back; false if it was given back before. Follow with `grantNext`. */
  release(token: SlotToken): boolean {
    const of = this.#lanes.get(token.lane)
    if (of === undefined || !of.held.delete(token)) return false
    this.#dropIfEmpty(token.lane, of)
    return true
  }

  /** The next waiter of the lane, if there is a free slot and a waiter. */
  grantNext(lane: LaneKey): SlotToken | undefined {
    const of = this.#lanes.get(lane)
    if (of === undefined || of.held.size >= of.limit) return undefined
    const head = nextOf(of)
    if (head === undefined) return undefined
    of.waiting.delete(head)
    this.#waiting--
    return grant(of, lane, head)
  }

  /** New limits; a lane that is no longer named keeps its last one until it is empty. Follow with `grantNext`. */
  setLimits(limits: LaneLimits): void {
    this.#limits = limits
    for (const [lane, of] of this.#lanes) of.limit = limitOf(lane, limits) ?? of.limit
  }

  /** How many wait before this task. */
  ahead(lane: LaneKey, task: TaskId): number {
    const of = this.#lanes.get(lane)
    if (of?.last === task && of.waiting.has(task)) return of.waiting.size - 1
    let n = 0
    for (const id of of?.waiting.keys() ?? []) {
      if (id === task) return n
      n++
    }
    return 0
  }

  queued(lane: LaneKey): number {
    return this.#lanes.get(lane)?.waiting.size ?? 0
  }

  view(lane: LaneKey): LaneView {
    const of = this.#lanes.get(lane)
    const limit = of?.limit ?? limitOf(lane, this.#limits) ?? Number.POSITIVE_INFINITY
    return {
      lane,
      used: of?.held.size ?? 0,
      limit: limit === Number.POSITIVE_INFINITY ? null : limit,
      queued: of?.waiting.size ?? 0,
    }
  }

  /** `default`, every lane the configuration names by provider or full model, and every lane in use. */
  views(): LaneView[] {
    const keys = new Set<LaneKey>(["default"])
    for (const provider of Object.keys(this.#limits.providerConcurrency)) keys.add(`provider:${provider}`)
    for (const model of Object.keys(this.#limits.modelConcurrency)) if (splitModel(model)) keys.add(`model:${model}`)
    for (const lane of this.#lanes.keys()) keys.add(lane)
    return [...keys].map((lane) => this.view(lane))
  }

  #lane(lane: LaneKey): Lane {
    let of = this.#lanes.get(lane)
    if (of === undefined) {
      const waiting = new Map<TaskId, true>()
      const limit = limitOf(lane, this.#limits) ?? this.#limits.defaultConcurrency
      of = { limit, held: new Set(), waiting, heads: waiting.keys() }
      this.#lanes.set(lane, of)
    }
    return of
  }

  #dropIfEmpty(lane: LaneKey, of: Lane): void {
    if (of.held.size === 0 && of.waiting.size === 0) this.#lanes.delete(lane)
  }
}

/** The head of the queue. An iterator that has come to its end stays there, whoever comes later. */
function nextOf(of: Lane): TaskId | undefined {
  if (of.waiting.size === 0) return undefined
  const head = of.heads.next()
  if (head.done !== true) return head.value
  of.heads = of.waiting.keys()
  return of.heads.next().value as TaskId | undefined
}

function grant(of: Lane, lane: LaneKey, task: TaskId): SlotToken {
  const token: SlotToken = { lane, task }
  of.held.add(token)
  return token
}
