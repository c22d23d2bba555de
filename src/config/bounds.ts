import { DEFAULTS } from "../core/options.ts"
import type { Options } from "../core/options.ts"
import type { Config } from "./schema.ts"

type BoundName = "staleTimeoutMs" | "toolStaleTimeoutMs" | "taskTtlMs"
type Bounds = Pick<Options, BoundName>

/** Two explicit bounds in the wrong order, and the nearest value each would have to take beside the other. */
export interface Conflict {
  /** The bound that is named in the message. */
  readonly key: BoundName
  readonly other: BoundName
  readonly expected: string
  readonly remedy: Readonly<Partial<Record<BoundName, number>>>
}

/** A stale bound leaves the last sixth of the run time to the TTL. */
const within = (ttl: number): number => Math.floor((ttl * 5) / 6)
const around = (stale: number): number => Math.ceil((stale * 6) / 5)

/** The first explicit conflict; those with the TTL come first, so that settling one by one ends in order. */
export function conflictOf(config: Config): Conflict | undefined {
  const { staleTimeoutMs: stale, toolStaleTimeoutMs: tool, taskTtlMs: ttl } = config
  for (const [key, bound] of [
    ["staleTimeoutMs", stale],
    ["toolStaleTimeoutMs", tool],
  ] as const) {
    if (bound === undefined || ttl === undefined || bound <= ttl) continue
    // Never under the range of the key itself.
    const remedy = { [key]: Math.max(1_000, within(ttl)), taskTtlMs: around(bound) }
    return { key, other: "taskTtlMs", expected: `an integer ≤ taskTtlMs (${ttl})`, remedy }
  }
  if (stale === undefined || tool === undefined || stale <= tool) return undefined
  const remedy = { toolStaleTimeoutMs: stale, staleTimeoutMs: tool }
  const expected = `an integer ≥ staleTimeoutMs (${stale})`
  return { key: "toolStaleTimeoutMs", other: "staleTimeoutMs", expected, remedy }
}

/**
 * The three bounds, the unset ones derived: stale ≤ tool-stale ≤ 5/6 of the TTL. What is set stays; so the TTL grows
 * with a longer stale bound, and the stale bounds shrink with a shorter TTL (below 1.2 s also under their own minimum,
 * since a bound that cannot be reached is none).
 */
export function deriveBounds(set: Config): Bounds {
  const longest = Math.max(set.staleTimeoutMs ?? 0, set.toolStaleTimeoutMs ?? 0)
  const taskTtlMs = set.taskTtlMs ?? Math.max(DEFAULTS.taskTtlMs, around(longest))
  const room = within(taskTtlMs)
  const toolStaleTimeoutMs =
    set.toolStaleTimeoutMs ?? Math.max(set.staleTimeoutMs ?? 0, Math.min(DEFAULTS.toolStaleTimeoutMs, room))
  const staleTimeoutMs = set.staleTimeoutMs ?? Math.min(DEFAULTS.staleTimeoutMs, toolStaleTimeoutMs, room)
  return { staleTimeoutMs, toolStaleTimeoutMs, taskTtlMs }
}
