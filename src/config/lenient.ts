import * as v from "valibot"
import { conflictOf } from "./bounds.ts"
import type { ConfigEntry } from "./entry.ts"
import { isPlain, plainCopy } from "./plain.ts"
import type { Origin } from "./parse.ts"
import { ENTRIES, isKey } from "./schema.ts"
import type { Config, ConfigKeyName } from "./schema.ts"
import { problemText, received } from "./words.ts"
import type { Problem } from "./words.ts"

export interface LenientConfig {
  readonly config: Config
  /** A sentence for each value that could not be honoured as it stands. */
  readonly warnings: readonly string[]
}

type Say = (problem: Problem, instead: string) => void

/**
 * Reads the key `background_task` of `oh-my-opencode.json`, which is not our file: unknown keys are ignored, numbers
 * out of range are brought into it, what cannot be honoured at all is left out. Never throws.
 */
export function parseBackgroundTask(value: unknown, origin: Origin = {}): LenientConfig {
  const warnings: string[] = []
  const at = origin.at ?? "background_task"
  const say: Say = (problem, instead) => {
    const where = origin.file === undefined ? "" : `${origin.file}: `
    warnings.push(`${where}${problemText({ ...problem, path: [at, ...problem.path] })}; ${instead}`)
  }
  try {
    return { config: relaxed(value, say), warnings }
  } catch {
    say({ path: [], expected: "a value that can be read", received: "an exception" }, "ignored")
    return { config: {}, warnings }
  }
}

function relaxed(value: unknown, say: Say): Config {
  const problems: Problem[] = []
  const copy = plainCopy(value, problems)
  for (const problem of problems) say(problem, "ignored")
  if (!isPlain(copy)) {
    if (problems.length === 0) say({ path: [], expected: "an object", received: received(copy) }, "ignored")
    return {}
  }
  const config: Record<string, unknown> = {}
  for (const [name, inner] of Object.entries(copy)) {
    if (!isKey(name) || name === "$schema") continue
    const usable = relaxedKey(name, inner, say)
    if (usable !== undefined) config[name] = usable
  }
  return inOrder(config, say)
}

function relaxedKey(name: ConfigKeyName, value: unknown, say: Say): unknown {
  const entry: ConfigEntry = ENTRIES[name]
  const problem = { path: [name], expected: entry.expected, received: received(value) }
  if (entry.keyed !== undefined) {
    if (isPlain(value)) return relaxedMap(name, value, entry, say)
    say(problem, "ignored")
    return undefined
  }
  if (v.is(entry.schema, value)) return value
  return clamped(value, entry, problem, say)
}

/** Each limit of a map by itself: one bad entry costs no other. */
function relaxedMap(name: string, map: Record<string, unknown>, entry: ConfigEntry, say: Say): unknown {
  const kept = Object.create(null) as Record<string, unknown>
  for (const [id, limit] of Object.entries(map)) {
    if (!v.is(entry.schema, { [id]: 0 })) {
      say(
        {
          path: [name, id],
          expected: entry.keyed === "model" ? "a model id" : 'a provider id without "/"',
          received: received(id),
        },
        "ignored",
      )
      continue
    }
    const problem = { path: [name, id], expected: "an integer ≥ 0", received: received(limit) }
    const usable = v.is(entry.schema, { [id]: limit }) ? limit : clamped(limit, entry, problem, say)
    if (usable !== undefined) kept[id] = usable
  }
  return kept
}

function clamped(value: unknown, { range, keyed }: ConfigEntry, problem: Problem, say: Say): number | undefined {
  if (range === undefined || typeof value !== "number" || Number.isNaN(value)) {
    say(problem, "ignored")
    return undefined
  }
  // In a map 0 is "unlimited", which nobody meant who wrote -1 or 0.4.
  const min = keyed === undefined ? range[0] : 1
  const usable = Math.min(range[1], Math.max(min, Math.round(value)))
  say(problem, `${usable} is used`)
  return usable
}

/** Bounds in the wrong order: the stale ones give way to the TTL, the tool's to the plain one. */
function inOrder(config: Config, say: Say): Config {
  let ordered = config
  for (let conflict = conflictOf(ordered); conflict !== undefined; conflict = conflictOf(ordered)) {
    const { key, expected, remedy } = conflict
    say({ path: [key], expected, received: received(ordered[key]) }, `${remedy[key]} is used`)
    ordered = { ...ordered, [key]: remedy[key] }
  }
  return ordered
}
