/** What the plugin itself has said last, in OpenCode's own log. */

import { closeSync, existsSync, fstatSync, openSync, readdirSync, readSync, statSync } from "node:fs"
import { homedir } from "node:os"
import { join } from "node:path"
import { PACKAGE } from "../plugin-entry.ts"

/** The words of one process, the last that loaded it. */
export interface LastWords {
  /** As the log has it. */
  readonly at: string
  readonly version: string
  readonly path: string
  /** What it found in each directory, newest last. */
  readonly sees: readonly string[]
  /** Warnings and errors, each once. */
  readonly complaints: readonly string[]
}

/** Of each log; it is appended to for weeks. */
const TAIL_BYTES = 4_000_000
const LOGS = 5

interface Entry {
  readonly at: string
  readonly level: string
  /** Names the process. */
  readonly run: string
  readonly message: string
}

/** Undefined: there is no log at all. Null: there is, and the plugin has never spoken in it. */
export function lastWords(): LastWords | null | undefined {
  const folder = join(process.env["XDG_DATA_HOME"] || join(homedir(), ".local", "share"), "opencode", "log")
  if (!existsSync(folder)) return undefined
  const newest = readdirSync(folder)
    .filter((name) => name.endsWith(".log"))
    .map((name) => join(folder, name))
    .toSorted((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs)
  for (const file of newest.slice(0, LOGS)) {
    const entries = tailOf(file).split("\n").flatMap(entryOf)
    const loaded = entries.findLast(({ message }) => LOADED.test(message))
    if (loaded === undefined) continue
    const [, version = "", path = ""] = LOADED.exec(loaded.message) ?? []
    const same = entries.filter(({ run }) => run === loaded.run)
    const said = (wanted: (entry: Entry) => boolean): string[] => [
      ...new Set(same.filter(wanted).map(({ message }) => message.replace(`${PACKAGE}: `, ""))),
    ]
    return {
      at: loaded.at,
      version,
      path,
      sees: said(({ message }) => message.startsWith(`${PACKAGE} sees `)),
      complaints: said(({ level }) => level === "WARN" || level === "ERROR"),
    }
  }
  return null
}

const LOADED = new RegExp(`^${PACKAGE} (\\S+) loaded from (.+)$`)

/** `timestamp=… level=INFO run=… message="…"`: as OpenCode 1.18 writes it, measured. Only ours. */
function entryOf(line: string): Entry[] {
  const [, at, level, run, quoted] =
    /^timestamp=(\S+) +level=(\w+) +run=(\S+) +message=("(?:[^"\\]|\\.)*")/.exec(line) ?? []
  if (at === undefined || level === undefined || run === undefined || quoted === undefined) return []
  const message = textOf(quoted)
  return /^opencode-lanes[ :]/.test(message) ? [{ at, level, run, message }] : []
}

function textOf(quoted: string): string {
  try {
    return JSON.parse(quoted) as string
  } catch {
    return quoted.slice(1, -1)
  }
}

function tailOf(file: string): string {
  const handle = openSync(file, "r")
  try {
    const { size } = fstatSync(handle)
    const bytes = Buffer.alloc(Math.min(size, TAIL_BYTES))
    const read = readSync(handle, bytes, 0, bytes.length, size - bytes.length)
    return bytes.toString("utf8", 0, read)
  } finally {
    closeSync(handle)
  }
}
