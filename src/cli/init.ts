/** `lanes init`: adds the plugin to OpenCode's configuration, and limits where there are none. Twice is once. */

import { existsSync, mkdirSync, renameSync, writeFileSync } from "node:fs"
import { dirname, join, resolve } from "node:path"
import { defineCommand } from "citty"
import type { CommandDef } from "citty"
import { loadConfig } from "../adapters/config-file.ts"
import { userFolder } from "../adapters/config-folders.ts"
import { hostFileIn, PACKAGE, withPlugin } from "./plugin-entry.ts"

const args = {
  global: { type: "boolean", description: "For all projects, in your own configuration of OpenCode" },
  print: { type: "boolean", description: "Show what would be written, and write nothing" },
  dir: { type: "string", description: "The project. Default: this folder", valueHint: "folder" },
} as const

const LIMITS = ["defaultConcurrency", "providerConcurrency", "modelConcurrency"]

/** What providers usually take from one person; whoever pays sets them. */
const RECOMMENDED = `{
  "$schema": "https://unpkg.com/${PACKAGE}/schema.json",
  // How many agents work at once: on models without a limit of their own,
  "defaultConcurrency": 5,
  // on all models of a provider together (0 = no limit),
  "providerConcurrency": { "anthropic": 3, "openai": 2 },
  // and on one model.
  "modelConcurrency": { "anthropic/claude-opus-4-5": 2 }
}
`

interface Writing {
  readonly file: string
  readonly text: string
  readonly about: string
}

export const init: CommandDef<typeof args> = defineCommand({
  meta: { name: "init", description: "Add the plugin to OpenCode's configuration" },
  args,
  run: ({ args: given }) => {
    const directory = resolve(given.dir ?? process.cwd())
    const own = userFolder(process.env)
    const host = hostFileIn(given.global === true ? own : directory)
    const writings: Writing[] = []
    const text = withPlugin(host)
    if (text !== host.text) writings.push({ file: host.file, text, about: `the plugin ${PACKAGE}` })
    const limits = limitsFor(directory, own)
    if (limits !== undefined) writings.push(limits)

    const out = process.stdout
    if (text === host.text) out.write(`${host.file} lists the plugin already.\n`)
    if (given.print === true) {
      for (const writing of writings) out.write(`\n${writing.file}\n\n${writing.text}`)
      return
    }
    for (const { file, text: written, about } of writings) {
      replace(file, written)
      out.write(`${file}: ${about} added.\n`)
    }
    if (writings.length > 0) out.write("Start OpenCode again, then ask it to delegate something in the background.\n")
  },
})

/** Limits go into the reader's own folder: in a project's they are not heeded. */
function limitsFor(directory: string, own: string): Writing | undefined {
  const { setBy } = loadConfig({ directory })
  if ([...setBy.keys()].some((path) => LIMITS.some((key) => path === key || path.startsWith(`${key}.`))))
    return undefined
  const file = join(own, "opencode-lanes.json")
  if (existsSync(file) || existsSync(`${file}c`)) return undefined
  return { file, text: RECOMMENDED, about: "recommended limits" }
}

/** Written beside and put in place: whoever reads meanwhile finds the old or the new one, never half of it. */
function replace(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true })
  const beside = `${file}.${process.pid}.new`
  writeFileSync(beside, text)
  renameSync(beside, file)
}
