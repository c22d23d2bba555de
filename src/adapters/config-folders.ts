import { existsSync, realpathSync } from "node:fs"
import { homedir } from "node:os"
import { dirname, isAbsolute, join, resolve, sep } from "node:path"

export type Environment = Readonly<Record<string, string | undefined>>

/** The user's folder: `OPENCODE_CONFIG_DIR`, else `opencode` in `XDG_CONFIG_HOME` or `~/.config`. */
export function userFolder(env: Environment, home: string = env["HOME"] || homedir()): string {
  if (env["OPENCODE_CONFIG_DIR"]) return resolve(env["OPENCODE_CONFIG_DIR"])
  const xdg = env["XDG_CONFIG_HOME"]
  // The specification of XDG tells to ignore a relative path.
  return join(xdg && isAbsolute(xdg) ? xdg : join(home, ".config"), "opencode")
}

/**
 * The project's `.opencode` folders that exist, from the worktree's root down to the directory, so that the nearest
 * one comes last and wins. OpenCode's switch to leave out a project's configuration holds here too.
 */
export function projectFolders(directory: string, env: Environment, worktree?: string): string[] {
  if (/^(1|true)$/i.test(env["OPENCODE_DISABLE_PROJECT_CONFIG"] ?? "")) return []
  const from = resolve(directory)
  const top = projectRoot(from, worktree)
  const found: string[] = []
  for (let at = from; ; at = dirname(at)) {
    if (existsSync(join(at, ".opencode"))) found.unshift(join(at, ".opencode"))
    if (at === top || at === dirname(at)) return found
  }
}

/**
 * Outside a worktree (OpenCode calls it `/` then) only the directory itself counts: whoever may write to a folder
 * above it does not configure it.
 */
function projectRoot(directory: string, worktree: string | undefined): string {
  const root = worktree === undefined ? gitRoot(directory) : resolve(worktree)
  const isAbove = root !== undefined && root !== dirname(root) && `${directory}${sep}`.startsWith(`${root}${sep}`)
  return isAbove ? root : directory
}

/** Whether two paths are one folder, however they are written. */
export function isSameFolder(a: string, b: string): boolean {
  try {
    return realpathSync(a) === realpathSync(b)
  } catch {
    return resolve(a) === resolve(b)
  }
}

/** `.git` is a folder, or a file in further worktrees and submodules. */
function gitRoot(directory: string): string | undefined {
  for (let at = resolve(directory); ; at = dirname(at)) {
    if (existsSync(join(at, ".git"))) return at
    if (at === dirname(at)) return undefined
  }
}
