/** `lanes init`: adds the plugin to OpenCode's configuration, and limits where there are none. Twice is once. */

import { existsSync } from "node:fs"
import { join } from "node:path"
import { defineCommand } from "citty"
import type { CommandDef } from "citty"
import { loadConfig } from "../adapters/config-file.ts"
import { userFolder } from "../adapters/config-folders.ts"
import { hostFiles } from "./host-files.ts"
import { hostFileIn, PACKAGE, textOf, withPlugin, withValue } from "./plugin-entry.ts"
import { placeOf, replaceFile } from "./replace-file.ts"
import { directoryOf } from "./task-options.ts"

const args = {
  global: { type: "boolean", description: "For all projects, in your own configuration of OpenCode" },
  print: { type: "boolean", description: "Show what would be written, and write nothing" },
  dir: { type: "string", description: "The project. Default: this folder", valueHint: "folder" },
} as const

/** What providers usually take from one person; whoever pays sets them. */
const providers = { anthropic: 3, openai: 2 }
const RECOMMENDED = { defaultConcurrency: 5, providerConcurrency: providers }

const EXPLAINED = `{
  "$schema": "https://unpkg.com/${PACKAGE}/schema.json",
  // How many agents work at once: on models without a limit of their own,
  "defaultConcurrency": ${RECOMMENDED.defaultConcurrency},
  // and on all models of a provider together (0 = no limit).
  "providerConcurrency": { "anthropic": ${providers.anthropic}, "openai": ${providers.openai} }
}
`

/** One file to write, or why there is none. */
type Step = { readonly file: string; readonly text: string; readonly about: string } | { readonly done: string }

export const init: CommandDef<typeof args> = defineCommand({
  meta: { name: "init", description: "Add the plugin to OpenCode's configuration" },
  args,
  run: ({ args: given }) => {
    const directory = directoryOf(given.dir)
    const own = userFolder(process.env)
    const steps = [given.global === true ? pluginIn(own) : pluginIn(directory, directory), limitsFor(directory, own)]
    const out = process.stdout
    for (const step of steps) if ("done" in step) out.write(`${step.done}\n`)
    const writings = steps.filter((step) => "file" in step)
    if (given.print === true) {
      for (const { file, text } of writings) out.write(`\n${file}\n\n${text}`)
      return
    }
    const places = writings.map((writing) => ({ ...writing, place: placeOf(writing.file) }))
    for (const { file, text, about, place } of places) {
      replaceFile(place, text)
      out.write(`${file}: ${about} added.\n`)
    }
    if (writings.length > 0) out.write("Start OpenCode again, then ask it to delegate something in the background.\n")
  },
})

/** Into the configuration of this folder, unless one that OpenCode reads (in this project) lists it. */
function pluginIn(folder: string, project?: string): Step {
  const host = hostFileIn(folder)
  const files = [...hostFiles(project), host]
  const trouble = files.find((file) => file.trouble !== undefined)?.trouble
  if (trouble !== undefined) throw new Error(`${trouble}. Correct it, then run this again; nothing was written.`)
  const listing = files.find(({ ours }) => ours !== undefined)
  if (listing !== undefined) return { done: `${listing.file} lists the plugin already.` }
  return { file: host.file, text: withPlugin(host), about: `the plugin ${PACKAGE}` }
}

/** Limits go into the reader's own folder: in a project's they are not heeded. */
function limitsFor(directory: string, own: string): Step {
  const set = [...loadConfig({ directory }).setBy].find(([path]) => /^(default|provider|model)Concurrency\b/.test(path))
  if (set !== undefined) return { done: `${set[1]} sets limits already.` }
  const json = join(own, "opencode-lanes.json")
  const file = existsSync(`${json}c`) ? `${json}c` : json
  const text = textOf(file)
  const added = Object.entries(RECOMMENDED).reduce((before, [key, value]) => withValue(before, [key], value), text)
  return { file, text: text.trim() === "" ? EXPLAINED : added, about: "recommended limits" }
}
