import { createHash } from "node:crypto"
import { chmodSync, lstatSync, mkdirSync, readdirSync, realpathSync } from "node:fs"
import { homedir } from "node:os"
import { basename, dirname, isAbsolute, join, resolve } from "node:path"

import { LanesError } from "../core/errors.ts"

type Environment = Readonly<Record<string, string | undefined>>

/** Where what we keep lives: `opencode-lanes` in `XDG_STATE_HOME`, else in `~/.local/state`. */
export function stateFolder(env: Environment = process.env): string {
  const xdg = env["XDG_STATE_HOME"]
  // The specification of XDG tells to ignore a relative path.
  const base = xdg && isAbsolute(xdg) ? xdg : join(env["HOME"] || homedir(), ".local", "state")
  return join(base, "opencode-lanes")
}

/** The folder of one project: a name for people, and a digest that keeps two projects of one name apart. */
export function projectFolder(state: string, directory: string): string {
  const path = canonical(directory)
  const name =
    basename(path)
      .replaceAll(/[^\w.-]/g, "_")
      .slice(0, 40) || "root"
  return join(state, `${name}-${createHash("sha256").update(path).digest("hex").slice(0, 12)}`)
}

/** Those of all projects. */
export function projectFolders(state: string): string[] {
  try {
    return readdirSync(state, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => join(state, name))
  } catch {
    return []
  }
}

/** The one spelling of a directory, however it was reached. */
export function canonical(directory: string): string {
  try {
    return realpathSync(directory)
  } catch {
    return resolve(directory)
  }
}

/** Makes a folder only its owner may enter, and refuses one that is a link or somebody else's. */
export function ensurePrivate(folder: string): void {
  try {
    mkdirSync(dirname(folder), { recursive: true, mode: 0o700 })
  } catch (thrown) {
    throw unusable(folder, messageOf(thrown))
  }
  try {
    mkdirSync(folder, { mode: 0o700 })
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== "EEXIST") throw unusable(folder, messageOf(thrown))
  }
  const found = lstatSync(folder, { throwIfNoEntry: false })
  if (found?.isDirectory() !== true) throw unusable(folder, "it is not a folder")
  const uid = process.getuid?.()
  if (uid !== undefined && found.uid !== uid) throw unusable(folder, "it belongs to somebody else")
  if ((found.mode & 0o077) !== 0) chmodSync(folder, 0o700)
}

function unusable(folder: string, why: string): LanesError {
  return new LanesError(
    "JOURNAL_FAILED",
    `The journal's folder ${folder} cannot be used: ${why}.`,
    "Set XDG_STATE_HOME to a folder of yours, or switch the journal off.",
  )
}

function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown)
}
