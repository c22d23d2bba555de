import { LanesError } from "../core/errors.ts"
import { conflictOf } from "./bounds.ts"
import type { Conflict } from "./bounds.ts"
import { ENTRIES, isKey } from "./schema.ts"
import type { Config } from "./schema.ts"
import { pathText } from "./words.ts"

/** One place that sets something. */
export interface ConfigLayer {
  /** The file, or words for another place: `plugin options`. */
  readonly source: string
  readonly config: Config
  /** Its values give way in a conflict, with a warning (`oh-my-opencode.json` is not ours to refuse). */
  readonly lenient?: boolean
}

export interface MergedConfig {
  readonly config: Config
  /** Path of each set key, entries of maps one by one, to the source that set it. */
  readonly setBy: ReadonlyMap<string, string>
  readonly warnings: readonly string[]
}

/**
 * Merges layers, later wins; the maps of limits merge entry by entry. Throws `CONFIG_INVALID` if bounds set in
 * different places contradict each other, naming both places.
 */
export function mergeConfigs(layers: readonly ConfigLayer[]): MergedConfig {
  const merged: Record<string, unknown> = {}
  const setBy = new Map<string, string>()
  const lenient = new Set<string>()
  for (const layer of layers) {
    for (const [name, value] of Object.entries(layer.config) as [string, unknown][]) {
      if (!isKey(name) || name === "$schema" || value === undefined) continue
      if (ENTRIES[name].keyed === undefined) {
        merged[name] = value
        setBy.set(name, layer.source)
        if (layer.lenient === true) lenient.add(name)
        else lenient.delete(name)
        continue
      }
      const map = (merged[name] ??= Object.create(null)) as Record<string, unknown>
      for (const [id, limit] of Object.entries(value as object)) {
        map[id] = limit
        setBy.set(pathText([name, id]), layer.source)
      }
    }
  }
  return { ...settle(merged, setBy, lenient), setBy }
}

function settle(
  merged: Config,
  setBy: ReadonlyMap<string, string>,
  lenient: ReadonlySet<string>,
): { config: Config; warnings: string[] } {
  let config = merged
  const warnings: string[] = []
  for (let conflict = conflictOf(config); conflict !== undefined; conflict = conflictOf(config)) {
    const { key, other, expected, remedy } = conflict
    const yields = [key, other].find((name) => lenient.has(name))
    if (yields === undefined) throw contradiction(config, conflict, setBy)
    const value = remedy[yields]
    warnings.push(
      `${setBy.get(yields)}: ${yields} ${config[yields]} does not fit ${yields === key ? other : key} ` +
        `(set in ${setBy.get(yields === key ? other : key)}: ${key} is ${expected}); ${value} is used`,
    )
    config = { ...config, [yields]: value }
  }
  return { config, warnings }
}

function contradiction(
  config: Config,
  { key, other, expected }: Conflict,
  setBy: ReadonlyMap<string, string>,
): LanesError {
  return new LanesError(
    "CONFIG_INVALID",
    `Two places of the configuration contradict each other; change one of them, or leave one out:\n` +
      `  ${key}: expected ${expected}, got ${config[key]}\n` +
      `  ${key} is set in ${setBy.get(key)}, ${other} in ${setBy.get(other)}`,
  )
}
