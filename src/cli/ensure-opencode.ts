/** Sees to it that the program `opencode` can be started: the one of the machine, else one that npm fetches. */

import { existsSync } from "node:fs"
import { homedir } from "node:os"
import { join } from "node:path"
import { findBinary } from "../adapters/opencode-binary.ts"

/** The version this package is tested with. */
const PACKAGE = "opencode-ai@1.18.33"

/**
 * Finds `opencode`, and where there is none has npm fetch it into its cache, as `npx` does. A fetched or otherwise
 * out-of-the-way one is named to the rest of this process by `OPENCODE_BIN`.
 *
 * @throws LanesError BINARY_MISSING
 */
export async function ensureOpenCode(say: (sentence: string) => void): Promise<string> {
  try {
    return findBinary()
  } catch (thrown) {
    // A wrong OPENCODE_BIN is the user's to put right.
    if (process.env["OPENCODE_BIN"]) throw thrown
    const found = atHome() ?? (await fetched(say))
    if (found === undefined) throw thrown
    process.env["OPENCODE_BIN"] = found
    return found
  }
}

/** Where OpenCode's own installer puts it. */
function atHome(): string | undefined {
  const path = join(homedir(), ".opencode", "bin", "opencode")
  return existsSync(path) ? path : undefined
}

async function fetched(say: (sentence: string) => void): Promise<string | undefined> {
  const npm = Bun.which("npm")
  if (npm === null) return undefined
  say(`OpenCode is not on this machine: npm brings ${PACKAGE} (about 60 MB, the first time).`)
  const child = Bun.spawn([npm, "exec", "--yes", `--package=${PACKAGE}`, "--call", "command -v opencode"], {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  })
  const [stdout, stderr, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ])
  const path = stdout.trim().split("\n").at(-1) ?? ""
  if (code === 0 && existsSync(path)) return path
  say(`npm could not fetch it: ${stderr.trim().split("\n").at(-1) ?? `code ${code}`}`)
  return undefined
}
