/** Our entry in the list `plugin` of OpenCode's configuration. */

import { existsSync, readFileSync } from "node:fs"
import { join, resolve, sep } from "node:path"
import { applyEdits, getNodeValue, modify, parseTree } from "jsonc-parser/lib/esm/main.js"
import type { JSONPath, Node, ParseError } from "jsonc-parser/lib/esm/main.js"
import type { Environment } from "../adapters/config-folders.ts"
import { userFolder } from "../adapters/config-folders.ts"
import { sentenceOf } from "./output/errors.ts"

export const PACKAGE = "opencode-lanes"

/** What OpenCode's files are called; in one folder, it reads both. */
export const HOST_NAMES: readonly string[] = ["opencode.json", "opencode.jsonc"]

/** A configuration of OpenCode's, and what its list says. */
export interface HostFile {
  readonly file: string
  /** Empty when there is no such file. */
  readonly text: string
  /** Undefined: it has no list. */
  readonly plugins: readonly unknown[] | undefined
  /** Ours, as it is written there. */
  readonly ours: unknown
  /** Why OpenCode cannot read it. */
  readonly trouble?: string
}

/** The user's folder that OpenCode reads whatever `OPENCODE_CONFIG_DIR` says. */
export function sharedFolder(env: Environment): string {
  return userFolder({ ...env, OPENCODE_CONFIG_DIR: undefined })
}

/**
 * The file of a folder to add to: the last that has a list (in the shared folder OpenCode heeds no other), else the
 * last, else the one to make. One that cannot be read comes first.
 */
export function hostFileIn(folder: string, env: Environment = process.env): HostFile {
  const files = [...(folder === sharedFolder(env) ? ["config.json"] : []), ...HOST_NAMES]
    .map((name) => join(folder, name))
    .filter((file) => existsSync(file))
    .map((file) => readHost(file))
  return (
    files.find(({ trouble }) => trouble !== undefined) ??
    files.findLast(({ plugins }) => plugins !== undefined) ??
    files.at(-1) ?? { file: join(folder, "opencode.json"), text: "", plugins: undefined, ours: undefined }
  )
}

/** Never throws: what is wrong is its `trouble`. */
export function readHost(file: string, content?: string): HostFile {
  const nothing = { file, text: "", plugins: undefined, ours: undefined }
  try {
    const text = content ?? textOf(file)
    const errors: ParseError[] = []
    const root = treeOf(text, errors)
    const [first] = errors
    if (first !== undefined) {
      const line = text.slice(0, first.offset).split("\n").length
      return { ...nothing, trouble: `${file}:${line}: this is not valid JSON with comments` }
    }
    if (root !== undefined && root.type !== "object") return { ...nothing, trouble: `${file}: this is not an object` }
    const list = listsIn(root).at(-1)
    const plugins: unknown = list === undefined ? undefined : getNodeValue(list)
    if (plugins === undefined) return { ...nothing, text }
    if (!Array.isArray(plugins)) return { ...nothing, trouble: `${file}: "plugin" is to be a list` }
    return { file, text, plugins, ours: plugins.find(isOurs) }
  } catch (thrown) {
    return { ...nothing, trouble: `${file} cannot be read: ${sentenceOf(thrown)}` }
  }
}

/** The text with our entry added. Comments and order stay. */
export function withPlugin({ file, text }: HostFile): string {
  if (text.trim() === "") {
    return `${JSON.stringify({ $schema: "https://opencode.ai/config.json", plugin: [PACKAGE] }, null, 2)}\n`
  }
  // An edit would go into the first of them, and OpenCode takes the last.
  if (listsIn(treeOf(text)).length > 1)
    throw new Error(
      `${file}: the key "plugin" stands there twice. Leave one, then run this again; nothing was written.`,
    )
  return withValue(text, ["plugin", -1], PACKAGE)
}

/** The text with a value set at a path, -1 being the end of a list. Comments and order stay. */
export function withValue(text: string, path: JSONPath, value: unknown): string {
  const formattingOptions = { insertSpaces: !/^\t/m.test(text), tabSize: 2, eol: text.includes("\r\n") ? "\r\n" : "\n" }
  return applyEdits(text, modify(text, path, value, { formattingOptions }))
}

/** What a file says; a mark of its byte order is no part of it. */
export function textOf(file: string): string {
  return existsSync(file) ? readFileSync(file, "utf8").replace(/^\uFEFF/, "") : ""
}

/** The name of an entry: `name`, `name@version`, a path, or the first of a pair with options. */
export function nameOf(entry: unknown): string {
  const name: unknown = Array.isArray(entry) ? entry[0] : entry
  return typeof name === "string" ? name : ""
}

/** A path may name the package's folder or the plugin in it. */
const BUILT = /[/\\]dist[/\\]server\.js$/

function isOurs(entry: unknown): boolean {
  const name = nameOf(entry).replace(BUILT, "").replaceAll("\\", "/")
  return name === PACKAGE || name.startsWith(`${PACKAGE}@`) || name.replace(/\/+$/, "").endsWith(`/${PACKAGE}`)
}

function treeOf(text: string, errors: ParseError[] = []): Node | undefined {
  return parseTree(text, errors, { allowTrailingComma: true, allowEmptyContent: true })
}

/** What stands under the key `plugin`; a key may stand there twice. */
function listsIn(root: Node | undefined): Node[] {
  return (root?.children ?? []).flatMap(({ children: [key, value] = [] }) =>
    key?.value === "plugin" && value !== undefined ? [value] : [],
  )
}

/** Where a package of an entry is: the path itself, else where OpenCode installs it. Undefined: not installed yet. */
export function installedAt(entry: unknown, cacheFolder: string, folder: string): string | undefined {
  const name = nameOf(entry)
  const path = (name.startsWith("file://") ? decodeURIComponent(new URL(name).pathname) : name).replace(BUILT, "")
  const candidates =
    path.includes("/") || path.includes(sep)
      ? [resolve(folder, path)]
      : // Of a bare name OpenCode 1.18 makes two copies, and loads that of the latest.
        [...(name === PACKAGE ? [`${PACKAGE}@latest`] : []), name].map((spec) =>
          join(cacheFolder, "opencode", "packages", spec, "node_modules", PACKAGE),
        )
  return candidates.find((candidate) => existsSync(join(candidate, "package.json")))
}
