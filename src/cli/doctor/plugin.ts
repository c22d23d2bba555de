/** The plugin as OpenCode would load it: whose lists name it, where it lies, and what it last said. */

import { existsSync, readFileSync, realpathSync } from "node:fs"
import { homedir } from "node:os"
import { join, sep } from "node:path"
import { hostFiles } from "../host-files.ts"
import { installedAt, nameOf, PACKAGE } from "../plugin-entry.ts"
import type { Finding } from "./finding.ts"
import { lastWords } from "./plugin-log.ts"

const area = "plugin"

/** Whose lists name the plugin, where it lies, and who else would take its tools' names. */
export function pluginFindings(directory: string): Finding[] {
  const files = hostFiles(directory)
  const findings = files.flatMap(({ trouble }): Finding[] =>
    trouble === undefined
      ? []
      : [{ area, mark: "bad", sentence: trouble, remedy: "correct it: OpenCode cannot read it" }],
  )
  const listing = files.filter(({ ours }) => ours !== undefined)
  if (listing.length === 0) {
    const sentence = "no configuration of OpenCode lists it: its tools are not there in OpenCode"
    return [...findings, { area, mark: "note", sentence, remedy: "lanes init adds it" }]
  }
  const installed: string[] = []
  for (const { file, ours } of listing) {
    const folder = folderOf(file, ours)
    if (folder !== undefined) installed.push(folder)
    findings.push(...loadedFrom(file, ours, folder))
  }
  if (listing.length > 1)
    findings.push({ area, mark: "note", sentence: "it is listed more than once; one entry is enough" })
  const rival = files
    .flatMap(({ plugins }) => (plugins ?? []).map(nameOf))
    .find((name) => /(^|[/\\])oh-my-open(code|agent)(?![a-z])/.test(name))
  if (rival !== undefined) {
    findings.push({
      area,
      mark: "note",
      sentence:
        `${rival} is listed too, and both would register background_output and background_cancel: ` +
        `ours are lanes_delegate, lanes_output and lanes_cancel`,
      remedy: 'remove one of the two from "plugin"',
    })
  }
  return [...findings, ...logFindings(directory, installed)]
}

function folderOf(file: string, entry: unknown): string | undefined {
  const cache = process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache")
  return installedAt(entry, cache, join(file, ".."))
}

function loadedFrom(file: string, entry: unknown, folder: string | undefined): Finding[] {
  if (folder === undefined)
    return [
      { area, mark: "note", sentence: `${file} lists "${nameOf(entry)}"; OpenCode installs it when it starts next` },
    ]
  const version = versionIn(folder)
  const sentence = `${file} lists "${nameOf(entry)}": version ${version ?? "unknown"} in ${folder}`
  const parts = ["server.js", "session-worker.js"].map((name) => join(folder, "dist", name))
  if (version !== undefined && parts.every((part) => existsSync(part))) return [{ area, mark: "ok", sentence }]
  const remedy = "install the package again"
  return [{ area, mark: "bad", sentence: `${sentence}; it is not complete`, remedy }]
}

/** Undefined: its package.json is damaged. */
function versionIn(folder: string): string | undefined {
  try {
    return (JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as { version: string }).version
  } catch {
    return undefined
  }
}

/** What a plugin that was really loaded has said: where from, and what it sees. */
function logFindings(directory: string, installed: readonly string[]): Finding[] {
  const words = lastWords()
  if (words === undefined) return []
  if (words === null) {
    return [
      {
        area,
        mark: "note",
        sentence: "OpenCode's log does not show it yet",
        remedy: "start OpenCode and say something to it",
      },
    ]
  }
  const { at, version, path, sees, complaints } = words
  const elsewhere = installed.length > 0 && !installed.some((folder) => path.startsWith(`${real(folder)}${sep}`))
  return [
    { area, mark: "ok", sentence: `OpenCode loaded version ${version} from ${path} (${at})` },
    ...(elsewhere
      ? [
          {
            area,
            mark: "note" as const,
            sentence: "that is not where the list names it now",
            remedy: "start OpenCode again",
          },
        ]
      : []),
    ...sees
      .filter((line) => line.startsWith(`${PACKAGE} sees in ${directory}:`))
      .slice(-1)
      .map((sentence): Finding => ({ area, mark: "ok", sentence: sentence.replace(`${PACKAGE} sees`, "it sees") })),
    ...complaints.map((sentence): Finding => ({ area, mark: "note", sentence: `it said: ${sentence}` })),
  ]
}

function real(folder: string): string {
  try {
    return realpathSync(folder)
  } catch {
    return folder
  }
}
