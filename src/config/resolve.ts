import { DEFAULTS } from "../core/options.ts"
import type { Options } from "../core/options.ts"
import { conflictOf, deriveBounds } from "./bounds.ts"
import { invalid } from "./parse.ts"
import type { Config } from "./schema.ts"
import { received } from "./words.ts"

/** What a default depends on and only the host knows. */
export interface Host {
  /** Cores of the machine; unknown counts as 2. */
  readonly cores?: number
  /** What an unset `recover` means here: `ask` in the plugin. */
  readonly recover?: Options["recover"]
}

export interface Resolved {
  readonly options: Options
  readonly agents: boolean
  readonly ultrawork: boolean
  /** `false`, or the port the page listens on; 0 = any free one. */
  readonly page: false | { readonly port: number }
}

/**
 * Gives every key a value. Expects a checked configuration; throws `CONFIG_INVALID` if explicit bounds contradict each
 * other.
 */
export function resolveOptions(config: Config, host: Host = {}): Resolved {
  const conflict = conflictOf(config)
  if (conflict !== undefined) {
    const { key, expected } = conflict
    throw invalid([{ path: [key], expected, received: received(config[key]) }], {})
  }
  const { agents = true, ultrawork = true, page = false, $schema: _editors, ...set } = config
  const options: Options = {
    ...DEFAULTS,
    maxWorkers: Math.min(8, Math.max(2, Math.floor(host.cores ?? DEFAULTS.maxWorkers))),
    recover: host.recover ?? DEFAULTS.recover,
    ...set,
    ...deriveBounds(config),
    providerConcurrency: ownMap(config.providerConcurrency),
    modelConcurrency: ownMap(config.modelConcurrency),
  }
  return { options, agents, ultrawork, page: page === true ? { port: 0 } : page }
}

/** Without a prototype, so that a model called `toString` has no limit unless somebody set one. */
function ownMap(map: Readonly<Record<string, number>> = {}): Readonly<Record<string, number>> {
  return Object.assign(Object.create(null) as Record<string, number>, map)
}
