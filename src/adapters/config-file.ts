import { join } from "node:path"
import { configKeys, mergeConfigs, parseBackgroundTask, parseConfig } from "../config.ts"
import type { Config, ConfigLayer } from "../config.ts"
import { LanesError } from "../core/errors.ts"
import { isSameFolder, projectFolders, userFolder } from "./config-folders.ts"
import type { Environment } from "./config-folders.ts"
import { readJsonc } from "./config-jsonc.ts"
import { record } from "./loose.ts"

export interface LoadConfigInput {
  /** The directory the work happens in. */
  readonly directory: string
  /** Root of its worktree; by default the nearest folder above with a `.git`. */
  readonly worktree?: string
  readonly env?: Environment
  readonly home?: string
  /** Layers above the files, in order, checked strictly: plugin options, flags, options in code. */
  readonly over?: readonly { readonly source: string; readonly value: unknown }[]
}

/** One place that was read and what it set, for `lanes doctor`. */
export interface LoadedLayer {
  readonly file: string
  readonly keys: readonly string[]
}

export interface LoadedConfig {
  readonly config: Config
  readonly warnings: readonly string[]
  /** In the order they were read; later wins. */
  readonly layers: readonly LoadedLayer[]
  /** Path of each set key to the place that set it. */
  readonly setBy: ReadonlyMap<string, string>
}

/** In each folder, later wins; the first two are somebody else's files. */
const THEIRS = ["oh-my-opencode.json", "oh-my-opencode.jsonc"]
const OURS = ["opencode-lanes.json", "opencode-lanes.jsonc"]
const KEY = "background_task"

const READERS_OWN: ReadonlySet<string> = new Set(configKeys.filter((key) => key.readersOnly).map(({ key }) => key))

/**
 * Reads and merges every place that sets something: the user's folder, the project's `.opencode/` folders without the
 * limits in them, then `over`. Throws `CONFIG_INVALID`; files that are not there are no error.
 */
export function loadConfig(input: LoadConfigInput): LoadedConfig {
  const { directory, worktree, env = process.env, home, over = [] } = input
  const warnings: string[] = []
  const user = userFolder(env, home)
  const layers: ConfigLayer[] = folderLayers(user, warnings)
  for (const folder of projectFolders(directory, env, worktree)) {
    if (isSameFolder(folder, user)) continue
    layers.push(...folderLayers(folder, warnings, (value, file) => withoutLimits(value, file, user, warnings)))
  }
  for (const { source, value } of over) layers.push({ source, config: parseConfig(value, { file: source }) })
  const merged = mergeConfigs(layers)
  return {
    config: merged.config,
    warnings: [...warnings, ...merged.warnings],
    layers: layers.map(({ source, config }) => ({ file: source, keys: Object.keys(config) })),
    setBy: merged.setBy,
  }
}

/** What of a file's value counts. */
type Admit = (value: unknown, file: string) => unknown

function folderLayers(folder: string, warnings: string[], admit: Admit = (value) => value): ConfigLayer[] {
  const layers: ConfigLayer[] = []
  for (const file of THEIRS.map((name) => join(folder, name))) {
    const value = readTheirs(file, warnings)
    if (value === undefined) continue
    const read = parseBackgroundTask(admit(value, file), { file, at: KEY })
    warnings.push(...read.warnings)
    layers.push({ source: file, config: read.config, lenient: true })
  }
  for (const file of OURS.map((name) => join(folder, name))) {
    const value = readJsonc(file)
    if (value !== undefined) layers.push({ source: file, config: parseConfig(admit(value, file), { file }) })
  }
  return layers
}

/** Somebody else's file is no reason not to start, whatever is wrong with it. */
function readTheirs(file: string, warnings: string[]): unknown {
  try {
    return readJsonc(file, KEY)
  } catch (thrown) {
    warnings.push(`${LanesError.from(thrown, "CONFIG_INVALID").message} The file is left out.`)
    return undefined
  }
}

/**
 * A repository does not decide what its reader pays, nor which ports its reader's machine opens. Left out before the
 * check: what does not count cannot be wrong.
 */
function withoutLimits(value: unknown, file: string, user: string, warnings: string[]): unknown {
  const entries = Object.entries(record(value) ?? {})
  const ignored = entries.filter(([key]) => READERS_OWN.has(key)).map(([key]) => key)
  if (ignored.length === 0) return value
  warnings.push(
    `${file}: ${ignored.join(", ")} ignored: a project does not decide what its reader pays; ` +
      `set this in ${join(user, "opencode-lanes.json")}`,
  )
  return Object.fromEntries(entries.filter(([key]) => !READERS_OWN.has(key)))
}
