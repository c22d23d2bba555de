/** A real OpenCode with the packed plugin, as a user has it. */

import { afterAll, beforeAll } from "bun:test"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { startOpenCode } from "./opencode.ts"
import type { TestOpenCode, UseOpenCodeOptions } from "./opencode.ts"
import { packPlugin } from "./packed-plugin.ts"

export interface PluginHomeOptions extends UseOpenCodeOptions {
  /** Plugin options, as in `["opencode-lanes", { … }]`. */
  readonly settings?: Record<string, unknown>
  /** Files of the user's config folder, by name. */
  readonly files?: Record<string, string>
  /** Plugins before and after ours. */
  readonly before?: readonly string[]
  readonly after?: readonly string[]
}

export interface PluginHome extends TestOpenCode {
  /** The unpacked package. */
  readonly packed: string
}

export async function startPluginHome({
  settings,
  files = {},
  before = [],
  after = [],
  ...options
}: PluginHomeOptions = {}): Promise<PluginHome> {
  await using undo = new AsyncDisposableStack()
  const packed = undo.use(packPlugin())
  const entry =
    settings === undefined ? packed.directory : ([packed.directory, settings] as [string, Record<string, unknown>])
  const oc = undo.use(await startOpenCode({ ...options, plugins: [...before, entry, ...after] }))
  // Nothing is read before the first request that names a directory.
  for (const [name, text] of Object.entries(files)) writeFileSync(join(oc.home.configFolder, name), text)
  const resources = undo.move()
  return { ...oc, packed: packed.directory, [Symbol.asyncDispose]: () => resources.disposeAsync() }
}

/** One for all tests of a file. */
export function usePluginHome(options: PluginHomeOptions = {}): PluginHome {
  let running: PluginHome | undefined
  beforeAll(async () => {
    running = await startPluginHome(options)
  }, 90_000)
  afterAll(async () => {
    await running?.[Symbol.asyncDispose]()
  }, 20_000)
  return new Proxy({} as PluginHome, {
    get: (_target, key) => {
      if (running === undefined) throw new Error("OpenCode runs only inside tests and hooks")
      return Reflect.get(running, key)
    },
  })
}
