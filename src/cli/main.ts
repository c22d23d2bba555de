#!/usr/bin/env bun
/** The command line `lanes`: finds the verb, runs it, ends with its exit code. */

import { defineCommand, renderUsage, runCommand } from "citty"
import type { CommandDef } from "citty"
import { checkArguments, checkVerb } from "./command-line.ts"
import { demo } from "./demo.ts"
import { colorsFor } from "./output/colors.ts"
import { exitCodeOf, sentenceOf } from "./output/errors.ts"
import { EXIT } from "./output/exit-codes.ts"
import { version } from "./version.ts"

// Each verb has arguments of its own; what they have in common citty calls CommandDef<any>.
type Verb = CommandDef<any>

const verbs: Readonly<Record<string, Verb>> = { demo }

const root = defineCommand({
  meta: { name: "lanes", version: version(), description: "Parallel background agents for OpenCode, in lanes" },
  subCommands: verbs,
})

async function main(rawArgs: readonly string[]): Promise<number> {
  const [verb, ...rest] = rawArgs
  if (verb === undefined || verb === "--help" || verb === "-h" || verb === "help") return help(root)
  if (verb === "--version" || verb === "-v") return print(version())
  checkVerb(verb, [...Object.keys(verbs), "help", "--help", "--version"])
  const command = verbs[verb] as Verb
  if (rest.includes("--help") || rest.includes("-h")) return help(command, root)
  const { args = {} } = command
  checkArguments(verb, typeof args === "function" ? await args() : await args, rest)
  const { result } = await runCommand(command, { rawArgs: rest })
  return typeof result === "number" ? result : EXIT.ok
}

async function help(command: Verb, parent?: Verb): Promise<number> {
  const usage = await renderUsage(command, parent)
  return print(colorsFor(process.stdout).isColorSupported ? usage : Bun.stripANSI(usage))
}

function print(text: string): number {
  process.stdout.write(`${text}\n`)
  return EXIT.ok
}

async function end(code: number): Promise<never> {
  // Exiting at once would cut what a pipe has not taken yet.
  await new Promise<void>((resolve) => {
    if (process.stdout.writableEnded || process.stdout.destroyed) resolve()
    else process.stdout.write("", () => resolve())
  })
  process.exit(code)
}

try {
  await end(await main(process.argv.slice(2)))
} catch (thrown) {
  process.stderr.write(`${colorsFor(process.stderr).red("error:")} ${sentenceOf(thrown)}\n`)
  await end(exitCodeOf(thrown))
}
