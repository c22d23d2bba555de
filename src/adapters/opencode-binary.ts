/** Where the program `opencode` is. */

import { accessSync, constants, statSync } from "node:fs"
import { delimiter, dirname, isAbsolute, join, resolve } from "node:path"
import { fileURLToPath } from "node:url"
import { LanesError } from "../core/errors.ts"

/** Where to look; each defaults to the running process. */
export interface FindBinaryOptions {
  /** An explicit path or a name on PATH; nothing else is tried. */
  binary?: string
  cwd?: string
  env?: Record<string, string | undefined>
}

/**
 * Looks at the option, `OPENCODE_BIN`, the `node_modules/.bin` of this package and of the working
 * directory upwards, then PATH.
 *
 * @throws LanesError `BINARY_MISSING`
 */
export function findBinary(options: FindBinaryOptions = {}): string {
  const { cwd = process.cwd(), env = process.env } = options
  const chosen = options.binary ?? (env["OPENCODE_BIN"] || undefined)
  if (chosen !== undefined) {
    const found = isName(chosen)
      ? onPath(chosen, env["PATH"])
      : executable(isAbsolute(chosen) ? chosen : resolve(cwd, chosen))
    if (found) return found
    const source = options.binary === undefined ? "OPENCODE_BIN" : "The option `binary`"
    throw new LanesError("BINARY_MISSING", `${source} names "${chosen}", which is not an executable file.`)
  }
  const here = dirname(fileURLToPath(import.meta.url))
  for (const folder of [...upwards(here), ...upwards(cwd)]) {
    const found = executable(join(folder, "node_modules", ".bin", "opencode"))
    if (found) return found
  }
  const found = onPath("opencode", env["PATH"])
  if (found) return found
  throw new LanesError(
    "BINARY_MISSING",
    "OpenCode was not found in node_modules/.bin or on PATH.",
    "Install it (npm install -g opencode-ai) or set OPENCODE_BIN to its path.",
  )
}

function isName(binary: string): boolean {
  return !binary.includes("/") && !binary.includes("\\")
}

function onPath(name: string, path: string | undefined): string | undefined {
  for (const folder of (path ?? "").split(delimiter)) {
    const found = folder === "" ? undefined : executable(join(folder, name))
    if (found) return found
  }
  return undefined
}

function executable(path: string): string | undefined {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile() ? path : undefined
  } catch {
    return undefined
  }
}

function upwards(folder: string): string[] {
  const parent = dirname(folder)
  return parent === folder ? [folder] : [folder, ...upwards(parent)]
}
