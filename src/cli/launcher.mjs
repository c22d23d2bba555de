#!/usr/bin/env sh
":" //; command -v bun >/dev/null 2>&1 && exec bun "$0" "$@"; exec node "$0" "$@"
// Read by a shell up to here, by Bun or Node from here on. Under Bun the command line runs at once; under Node a Bun is
// looked for, and where there is none npm fetches one into its cache, as npx does.

import { spawn, spawnSync } from "node:child_process"
import { accessSync, constants, realpathSync } from "node:fs"
import { homedir } from "node:os"
import { delimiter, dirname, join } from "node:path"
import { fileURLToPath } from "node:url"

const PACKAGE = "bun@1.4.5"
/** The oldest that is tested with. */
const OLDEST = [1, 3]

const here = dirname(realpathSync(fileURLToPath(import.meta.url)))
const cli = join(here, "cli.js")

if (recent(process.versions.bun)) await import(cli)
else runWith(found() ?? fetched())

function recent(version) {
  const [major = 0, minor = 0] = (version ?? "").split(".").map(Number)
  return major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])
}

/** A Bun of this machine that is young enough. */
function found() {
  const folders = [...upwards(here), ...upwards(process.cwd())].map((folder) => join(folder, "node_modules", ".bin"))
  const own = [process.env.BUN_INSTALL ?? join(homedir(), ".bun")].map((folder) => join(folder, "bin"))
  for (const folder of [...(process.env.PATH ?? "").split(delimiter), ...folders, ...own]) {
    const bun = join(folder, "bun")
    if (folder !== "" && executable(bun) && recent(ask(bun, ["--version"]))) return bun
  }
  return undefined
}

function fetched() {
  process.stderr.write(
    `lanes runs on Bun, which is not on this machine: npm brings ${PACKAGE} (about 40 MB, the first time).\n`,
  )
  const bun = ask("npm", ["exec", "--yes", `--package=${PACKAGE}`, "--call", "command -v bun"], "inherit")
  if (bun && recent(ask(bun, ["--version"]))) return bun
  process.stderr.write("error: npm could not fetch it. Install Bun 1.3 or later: https://bun.sh\n")
  process.exit(1)
}

function ask(command, args, stderr = "ignore") {
  const { status, stdout } = spawnSync(command, args, { encoding: "utf8", stdio: ["ignore", "pipe", stderr] })
  return status === 0 ? stdout.trim().split("\n").at(-1) : undefined
}

/** The terminal is the child's; signals sent to us alone are passed on, and its end is ours. */
function runWith(bun) {
  const child = spawn(bun, [cli, ...process.argv.slice(2)], { stdio: "inherit" })
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal))
  child.on("error", (error) => {
    process.stderr.write(`error: ${bun} cannot be started: ${error.message}\n`)
    process.exit(1)
  })
  child.on("exit", (code, signal) => {
    if (signal === null) process.exit(code ?? 1)
    process.removeAllListeners(signal)
    process.kill(process.pid, signal)
  })
}

function upwards(folder) {
  const parent = dirname(folder)
  return parent === folder ? [folder] : [folder, ...upwards(parent)]
}

function executable(path) {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
