/** Every configuration OpenCode reads for a directory, in its order; as OpenCode 1.18 does it, measured. */

import { existsSync } from "node:fs"
import { homedir } from "node:os"
import { dirname, join, resolve } from "node:path"
import type { Environment } from "../adapters/config-folders.ts"
import type { HostFile } from "./plugin-entry.ts"
import { HOST_NAMES, hostFileIn, readHost, sharedFolder } from "./plugin-entry.ts"

/** Without a directory: what holds for all projects. All lists count, and of one name the last. */
export function hostFiles(directory: string | undefined, env: Environment = process.env): HostFile[] {
  const {
    OPENCODE_CONFIG: one,
    OPENCODE_CONFIG_DIR: folder,
    OPENCODE_CONFIG_CONTENT: content,
    OPENCODE_DISABLE_PROJECT_CONFIG: disabled = "",
    HOME: home,
  } = env
  const projects = directory === undefined || /^(1|true)$/i.test(disabled) ? [] : foldersDownTo(directory)
  const folders = [
    ...projects,
    ...[...projects.toReversed(), home || homedir()].map((above) => join(above, ".opencode")),
    ...(folder ? [resolve(folder)] : []),
  ]
  const files = [...(one ? [resolve(one)] : []), ...folders.flatMap((at) => HOST_NAMES.map((name) => join(at, name)))]
  const shared = hostFileIn(sharedFolder(env), env)
  return [
    shared,
    ...[...new Set(files)].filter((file) => file !== shared.file && existsSync(file)).map((file) => readHost(file)),
    ...(content ? [readHost("OPENCODE_CONFIG_CONTENT", content)] : []),
  ]
}

/** From the root of the worktree; where there is none, from that of the file system. */
function foldersDownTo(directory: string): string[] {
  const folders: string[] = []
  for (let at = resolve(directory); ; at = dirname(at)) {
    folders.unshift(at)
    if (existsSync(join(at, ".git")) || at === dirname(at)) return folders
  }
}
