/**
 * Writes what is derived from the one schema of the configuration: `schema.json`, and between its markers the table
 * in README.md. `--check` writes nothing and fails if either is out of date.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { relative, resolve } from "node:path"
import { configKeys, jsonSchema } from "../src/config.ts"

const BEGIN = "<!-- config:begin (written by scripts/schema.ts) -->"
const END = "<!-- config:end -->"

/** Backslashes and bars would end a cell. */
const cell = (text: string): string => text.replaceAll("\\", "\\\\").replaceAll("|", "\\|")
const code = (text: string): string => (text === "" ? "" : `\`${text}\``)
/** A default that depends on the machine is told in words. */
const value = (text: string): string => (text.includes(" ") ? text : code(text))
/** The formatter keeps short lists on one line. */
const inline = (json: string): string =>
  json.replace(/\[\s+("[^"]*"(?:,\s+"[^"]*")*)\s+\]/g, (_, list: string) => `[${list.replace(/\s+/g, " ")}]`)

/** The README's table: key, default, range and sentence of each; † = not from a project. */
export function configTable(): string {
  const rows = configKeys.map(({ key, default: unset, range, meaning, readersOnly }) => {
    return `| ${[code(key) + (readersOnly ? " †" : ""), value(unset), range, meaning].map(cell).join(" | ")} |`
  })
  return ["| key | default | range | meaning |", "|---|---|---|---|", ...rows].join("\n")
}

/** The text with a new table between the markers; `undefined` if it has no markers. */
export function withTable(text: string): string | undefined {
  const [from, to] = [text.indexOf(BEGIN), text.indexOf(END)]
  if (from < 0 || to < from) return undefined
  return `${text.slice(0, from + BEGIN.length)}\n\n${configTable()}\n\n${text.slice(to)}`
}

/** What each derived file should hold; a sentence where that cannot be said. */
function derived(root: string): { path: string; text: string }[] | string {
  const files = [{ path: resolve(root, "schema.json"), text: `${inline(JSON.stringify(jsonSchema(), null, 2))}\n` }]
  const readme = resolve(root, "README.md")
  if (existsSync(readme)) {
    const text = withTable(readFileSync(readme, "utf8"))
    if (text === undefined) return `README.md has no place for the table: write the lines\n${BEGIN}\n${END}`
    files.push({ path: readme, text })
  }
  return files
}

/** Writes the files under `root`, or checks them; returns the exit code. */
export function run(root: string, check: boolean, say: (line: string) => void): number {
  const files = derived(root)
  if (typeof files === "string") {
    say(files)
    return 1
  }
  const old = files.filter(({ path, text }) => !existsSync(path) || readFileSync(path, "utf8") !== text)
  const names = old.map(({ path }) => relative(root, path)).join(" and ")
  if (check && old.length > 0) {
    say(`${names} out of date; run: bun scripts/schema.ts`)
    return 1
  }
  if (!check) for (const { path, text } of old) writeFileSync(path, text)
  if (old.length === 0) say("schema.json and the table of keys are up to date")
  else say(`${names} written`)
  return 0
}

if (import.meta.main) {
  process.exit(run(resolve(import.meta.dir, ".."), process.argv.includes("--check"), (line) => console.log(line)))
}
