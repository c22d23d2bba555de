/** The plugin as OpenCode would load it: whose lists name it, where it lies, and what it last said. */

import { existsSync, readdirSync, readFileSync, statSync } from "node:fs"
import { homedir } from "node:os"
import { join } from "node:path"
import { projectFolders, userFolder } from "../../adapters/config-folders.ts"
import type { HostFile } from "../plugin-entry.ts"
import { hostFileIn, installedAt, nameOf, PACKAGE } from "../plugin-entry.ts"
import type { Finding } from "./finding.ts"
import { messageOf } from "./finding.ts"

const area = "plugin"

/** Whose lists name the plugin, where it lies, and who else would take its tools' names. */
export function pluginFindings(directory: string): Finding[] {
  const findings: Finding[] = []
  const own = userFolder(process.env)
  const folders = [own, directory, ...projectFolders(directory, process.env)]
  const files: HostFile[] = []
  for (const folder of new Set(folders)) {
    try {
      files.push(hostFileIn(folder))
    } catch (thrown) {
      findings.push({ area, mark: "bad", sentence: messageOf(thrown) })
    }
  }
  const listing = files.filter(({ ours }) => ours !== undefined)
  if (listing.length === 0) {
    const sentence = "no configuration of OpenCode lists it: its tools are not there in OpenCode"
    return [...findings, { area, mark: "note", sentence, remedy: "lanes init adds it" }]
  }
  for (const { file, ours } of listing) findings.push(...loadedFrom(file, ours))
  if (listing.length > 1)
    findings.push({ area, mark: "note", sentence: "it is listed more than once; OpenCode loads the last one" })
  const rival = files
    .flatMap(({ plugins }) => plugins.map(nameOf))
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
  return [...findings, ...logFindings()]
}

function loadedFrom(file: string, entry: unknown): Finding[] {
  const cache = process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache")
  const folder = installedAt(entry, cache, join(file, ".."))
  if (folder === undefined)
    return [
      { area, mark: "note", sentence: `${file} lists "${nameOf(entry)}"; OpenCode installs it when it starts next` },
    ]
  const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as { version?: string }
  const built = existsSync(join(folder, "dist", "server.js")) && existsSync(join(folder, "dist", "session-worker.js"))
  return [
    {
      area,
      mark: "ok",
      sentence: `${file} lists "${nameOf(entry)}": version ${manifest.version ?? "unknown"} in ${folder}`,
    },
    ...(built
      ? []
      : [
          {
            area,
            mark: "bad" as const,
            sentence: `${join(folder, "dist")} is not complete`,
            remedy: "install the package again",
          },
        ]),
  ]
}

/** What a plugin that was really loaded has said last, in OpenCode's own log. */
function logFindings(): Finding[] {
  const folder = join(process.env["XDG_DATA_HOME"] || join(homedir(), ".local", "share"), "opencode", "log")
  if (!existsSync(folder)) return []
  const newest = readdirSync(folder)
    .map((name) => join(folder, name))
    .filter((file) => file.endsWith(".log"))
    .toSorted((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs)
  for (const file of newest.slice(0, 5)) {
    const line = readFileSync(file, "utf8")
      .split("\n")
      .findLast((entry) => entry.includes(`service=${PACKAGE}`) && entry.includes("loaded from"))
    if (line !== undefined) return [{ area, mark: "ok", sentence: `OpenCode's log: ${line.trim()}` }]
  }
  return [
    {
      area,
      mark: "note",
      sentence: "OpenCode's log does not show it yet",
      remedy: "start OpenCode and say something to it",
    },
  ]
}
