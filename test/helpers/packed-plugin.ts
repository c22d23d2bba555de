/** The package as a user has it: built, packed, and unpacked where no other package lies beside it. */

import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { pack } from "../../scripts/build/pack.ts"

export interface PackedPlugin extends Disposable {
  /** The unpacked package: a `plugin` entry of opencode.json. */
  readonly directory: string
  /** What `npm publish` would send. */
  readonly tarball: string
}

export function packPlugin(): PackedPlugin {
  const folder = mkdtempSync(join(tmpdir(), "opencode-lanes-packed-"))
  const { directory, tarball } = pack(folder, { types: false })
  return { directory, tarball, [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }) }
}
