/** The package as a user has it: built, packed into a tarball, and unpacked somewhere else. */

import { mkdirSync, readdirSync, rmSync } from "node:fs"
import { mkdtempSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"

const ROOT = resolve(import.meta.dir, "../..")

export interface PackedPlugin extends Disposable {
  /** The unpacked package: a `plugin` entry of opencode.json. */
  readonly directory: string
}

export function packPlugin(): PackedPlugin {
  const folder = mkdtempSync(join(tmpdir(), "opencode-lanes-packed-"))
  run([process.execPath, "scripts/build.ts", "--no-types"], ROOT)
  run([process.execPath, "pm", "pack", "--ignore-scripts", "--quiet", "--destination", folder], ROOT)
  const tarball = readdirSync(folder).find((name) => name.endsWith(".tgz"))
  if (tarball === undefined) throw new Error("nothing was packed")
  const directory = join(folder, "node_modules", "opencode-lanes")
  mkdirSync(directory, { recursive: true })
  run(["tar", "-xzf", join(folder, tarball), "--strip-components=1", "-C", directory], folder)
  return { directory, [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }) }
}

function run(command: string[], cwd: string): void {
  const { exitCode, stderr } = Bun.spawnSync(command, { cwd, stdout: "ignore", stderr: "pipe" })
  if (exitCode !== 0) throw new Error(`${command.join(" ")} failed: ${stderr.toString()}`)
}
