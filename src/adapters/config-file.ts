import { join } from "node:path"
import { configKeys, mergeConfigs, parseBackgroundTask, parseConfig } from "../config.ts"
import type { Config, ConfigLayer } from "../config.ts"
import { isSameFolder, projectFolders, userFolder } from "./config-folders.ts"
import type { Environment } from "./config-folders.ts"
import { readJsonc } from "./config-jsonc.ts"

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
    for (const layer of folderLayers(folder, warnings)) layers.push(withoutLimits(layer, user, warnings))
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

function folderLayers(folder: string, warnings: string[]): ConfigLayer[] {
  const layers: ConfigLayer[] = []
  for (const file of THEIRS.map((name) => join(folder, name))) {
    const value = readJsonc(file, KEY)
    if (value === undefined) continue
    const read = parseBackgroundTask(value, { file, at: KEY })
    warnings.push(...read.warnings)
    layers.push({ source: file, config: read.config, lenient: true })
  }
  for (const file of OURS.map((name) => join(folder, name))) {
    const value = readJsonc(file)
    if (value !== undefined) layers.push({ source: file, config: parseConfig(value, { file }) })
  }
  return layers
}

/** A repository does not decide what its reader pays, nor which ports its reader's machine opens. */
function withoutLimits(layer: ConfigLayer, user: string, warnings: string[]): ConfigLayer {
  const entries = Object.entries(layer.config)
  const ignored = entries.filter(([key]) => READERS_OWN.has(key)).map(([key]) => key)
  if (ignored.length === 0) return layer
  warnings.push(
    `${layer.source}: ${ignored.join(", ")} ignored: a project does not decide what its reader pays; ` +
      `set this in ${join(user, "opencode-lanes.json")}`,
  )
  return { ...layer, config: Object.fromEntries(entries.filter(([key]) => !READERS_OWN.has(key))) }
}
