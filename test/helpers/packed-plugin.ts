/** The package as a user has it: built, packed, and unpacked somewhere else beside the packages it depends on. */

import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join, resolve } from "node:path"
import manifest from "../../package.json" with { type: "json" }
import { pack } from "../../scripts/build/pack.ts"

const ROOT = resolve(import.meta.dir, "../..")

export interface PackedPlugin extends Disposable {
  /** The unpacked package: a `plugin` entry of opencode.json. */
  readonly directory: string
}

export function packPlugin(): PackedPlugin {
  const folder = mkdtempSync(join(tmpdir(), "opencode-lanes-packed-"))
  const { directory } = pack(folder, { types: false })
  for (const name of Object.keys(manifest.dependencies)) {
    const link = join(dirname(directory), name)
    mkdirSync(dirname(link), { recursive: true })
    symlinkSync(join(ROOT, "node_modules", name), link)
  }
  return { directory, [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }) }
}
