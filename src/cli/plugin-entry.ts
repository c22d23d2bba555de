/** Our entry in the list `plugin` of OpenCode's configuration. */

import { existsSync, readFileSync } from "node:fs"
import { join, sep } from "node:path"
import { applyEdits, findNodeAtLocation, getNodeValue, modify, parseTree } from "jsonc-parser/lib/esm/main.js"
import type { ParseError } from "jsonc-parser/lib/esm/main.js"

export const PACKAGE = "opencode-lanes"

/** A configuration of OpenCode's, and what its list says. */
export interface HostFile {
  readonly file: string
  /** Empty when there is no such file. */
  readonly text: string
  readonly plugins: readonly unknown[]
  /** Ours, as it is written there. */
  readonly ours: unknown
}

/** The file of a folder that OpenCode reads: the one that is there, else the one to make. */
export function hostFileIn(folder: string): HostFile {
  const names = ["opencode.jsonc", "opencode.json"]
  const file = join(folder, names.find((name) => existsSync(join(folder, name))) ?? "opencode.json")
  const text = existsSync(file) ? readFileSync(file, "utf8") : ""
  const plugins = pluginsIn(file, text)
  return { file, text, plugins, ours: plugins.find(isOurs) }
}

/** The text with our entry added, or the same text when it is there already. Comments and order stay. */
export function withPlugin({ text, plugins, ours }: HostFile): string {
  if (ours !== undefined) return text
  if (text.trim() === "") {
    return `${JSON.stringify({ $schema: "https://opencode.ai/config.json", plugin: [PACKAGE] }, null, 2)}\n`
  }
  const formattingOptions = { insertSpaces: !/^\t/m.test(text), tabSize: 2, eol: text.includes("\r\n") ? "\r\n" : "\n" }
  const edits =
    plugins.length === 0
      ? modify(text, ["plugin"], [PACKAGE], { formattingOptions })
      : modify(text, ["plugin", plugins.length], PACKAGE, { formattingOptions, isArrayInsertion: true })
  return applyEdits(text, edits)
}

/** The name of an entry: `name`, `name@version`, a path, or the first of a pair with options. */
export function nameOf(entry: unknown): string {
  const name: unknown = Array.isArray(entry) ? entry[0] : entry
  return typeof name === "string" ? name : ""
}

function isOurs(entry: unknown): boolean {
  const name = nameOf(entry).replaceAll("\\", "/")
  return name === PACKAGE || name.startsWith(`${PACKAGE}@`) || name.replace(/\/+$/, "").endsWith(`/${PACKAGE}`)
}

function pluginsIn(file: string, text: string): readonly unknown[] {
  const errors: ParseError[] = []
  const root = parseTree(text, errors, { allowTrailingComma: true, allowEmptyContent: true })
  const [first] = errors
  if (first !== undefined) {
    const line = text.slice(0, first.offset).split("\n").length
    throw new Error(
      `${file}:${line}: this is not valid JSON with comments. Correct it, then run this again; nothing was written.`,
    )
  }
  const node = root === undefined ? undefined : findNodeAtLocation(root, ["plugin"])
  const value: unknown = node === undefined ? [] : getNodeValue(node)
  if (Array.isArray(value)) return value
  throw new Error(`${file}: "plugin" is to be a list. Correct it, then run this again; nothing was written.`)
}

/** Where a package of an entry is: the path itself, else where OpenCode installs it. Undefined: not installed yet. */
export function installedAt(entry: unknown, cacheFolder: string, folder: string): string | undefined {
  const name = nameOf(entry)
  const path = name.startsWith("file://") ? decodeURIComponent(new URL(name).pathname) : name
  const candidates =
    path.includes("/") || path.includes(sep)
      ? [join(folder, path), path]
      : // Of a bare name OpenCode 1.18 makes two copies, and loads that of the latest.
        [...(name === PACKAGE ? [`${PACKAGE}@latest`] : []), name].map((spec) =>
          join(cacheFolder, "opencode", "packages", spec, "node_modules", PACKAGE),
        )
  return candidates.find((candidate) => existsSync(join(candidate, "package.json")))
}
