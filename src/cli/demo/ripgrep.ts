/**
 * A stand-in for ripgrep, for machines without one: OpenCode's search tools call `rg`, and would download it from the
 * internet at the first search. It answers the two calls OpenCode makes, in ripgrep's own format:
 *
 *   rg --files [--glob=PATTERN]… [FOLDER]                the files
 *   rg --json [--glob=PATTERN]… -- REGEX [FILE|FOLDER]   the matching lines, one JSON object each
 *
 * Made for small folders: no ignore files, and JavaScript's regular expressions.
 */

import { readFileSync, statSync } from "node:fs"
import { join } from "node:path"

const { files, json, globs, positional } = read(process.argv.slice(2))
if (files) list(positional[0] ?? ".")
else if (json && positional[0] !== undefined) search(positional[0], positional[1] ?? ".")
else refuse("only --files and --json searches are known")

function read(args: readonly string[]): { files: boolean; json: boolean; globs: string[]; positional: string[] } {
  const found = { files: false, json: false, globs: [] as string[], positional: [] as string[] }
  const rest = [...args]
  for (let arg = rest.shift(); arg !== undefined; arg = rest.shift()) {
    if (arg === "--") found.positional.push(...rest.splice(0))
    else if (arg === "--files") found.files = true
    else if (arg === "--json") found.json = true
    else if (arg.startsWith("--glob=")) found.globs.push(arg.slice("--glob=".length))
    else if (arg === "--glob" || arg === "-g") found.globs.push(rest.shift() ?? "")
    else if (!arg.startsWith("-")) found.positional.push(arg)
  }
  return found
}

function list(folder: string): void {
  const found = filesIn(folder)
  for (const path of found) print(path)
  process.exitCode = found.length > 0 ? 0 : 1
}

function search(pattern: string, where: string): void {
  const regex = compile(pattern)
  let matched = false
  const paths = statSync(where).isFile() ? [where] : filesIn(where)
  for (const path of paths) {
    let offset = 0
    for (const [index, line] of readFileSync(path, "utf8").split("\n").entries()) {
      const submatches = matchesIn(line, regex)
      if (submatches.length > 0) {
        matched = true
        const place = { path: { text: path }, lines: { text: `${line}\n` }, line_number: index + 1 }
        print(JSON.stringify({ type: "match", data: { ...place, absolute_offset: offset, submatches } }))
      }
      offset += Buffer.byteLength(line) + 1
    }
  }
  process.exitCode = matched ? 0 : 1
}

function matchesIn(line: string, regex: RegExp): { match: { text: string }; start: number; end: number }[] {
  return [...line.matchAll(regex)].map((match) => {
    const start = Buffer.byteLength(line.slice(0, match.index))
    return { match: { text: match[0] }, start, end: start + Buffer.byteLength(match[0]) }
  })
}

function compile(pattern: string): RegExp {
  // Rust writes flags in front, JavaScript behind.
  const inline = /^\(\?([ims]+)\)/.exec(pattern)
  try {
    return new RegExp(pattern.slice(inline?.[0].length ?? 0), `g${inline?.[1] ?? ""}`)
  } catch {
    return refuse(`regex parse error: ${pattern}`)
  }
}

/** Paths below a folder as ripgrep prints them; `!` in front of a glob leaves files out. */
function filesIn(folder: string): string[] {
  const out = globs.filter((glob) => glob.startsWith("!")).map((glob) => glob.slice(1))
  const only = globs.filter((glob) => !glob.startsWith("!"))
  const matches = (path: string, glob: string): boolean =>
    new Bun.Glob(glob.includes("/") ? glob.replace(/^\//, "") : `**/${glob}`).match(path)
  return [...new Bun.Glob("**/*").scanSync({ cwd: folder, dot: true })]
    .filter((path) => !out.some((glob) => matches(path, glob)))
    .filter((path) => only.length === 0 || only.some((glob) => matches(path, glob)))
    .toSorted()
    .map((path) => (folder === "." ? `./${path}` : join(folder, path)))
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}

function refuse(reason: string): never {
  process.stderr.write(`rg: ${reason}\n`)
  process.exit(2)
}
