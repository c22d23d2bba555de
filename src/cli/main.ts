#!/usr/bin/env bun
/** The command line `lanes`: finds the verb, runs it, ends with its exit code. */

import { runCommand } from "citty"
import { checkArguments, checkVerb } from "./command-line.ts"
import { argumentsOf, overview, verbHelp } from "./help.ts"
import type { Page } from "./help.ts"
import { colorsFor } from "./output/colors.ts"
import { exitCodeOf, sentenceOf } from "./output/errors.ts"
import { EXIT } from "./output/exit-codes.ts"
import { sizeOf } from "./output/size.ts"
import { verbs } from "./verbs.ts"
import type { Verb } from "./verb.ts"
import { version } from "./version.ts"

async function main(rawArgs: readonly string[]): Promise<number> {
  const [verb, ...rest] = rawArgs
  if (verb === undefined || verb === "--help" || verb === "-h") return print(overview(verbs, version(), page()))
  if (verb === "help") return help(rest[0])
  if (verb === "--version" || verb === "-v") return print(version())
  const command = await load(verb)
  if (asksForHelp(rest)) return print(await verbHelp(verb, command, page()))
  checkArguments(verb, await argumentsOf(command), rest)
  const { result } = await runCommand(command, { rawArgs: rest })
  return typeof result === "number" ? result : EXIT.ok
}

/** What `lanes` itself answers to; the overview explains it. */
const OWN = ["help", "--help", "--version"]

/** `lanes help`, `lanes help run`. */
async function help(verb: string | undefined): Promise<number> {
  if (verb === undefined || [...OWN, "-h", "-v"].includes(verb)) return print(overview(verbs, version(), page()))
  return print(await verbHelp(verb, await load(verb), page()))
}

async function load(verb: string): Promise<Verb> {
  checkVerb(verb, [...Object.keys(verbs), ...OWN])
  return (verbs[verb] as (typeof verbs)[string]).load()
}

/** What follows `--` is the prompt's, not ours. */
function asksForHelp(rest: readonly string[]): boolean {
  const stop = rest.indexOf("--")
  return (stop < 0 ? rest : rest.slice(0, stop)).some((arg) => arg === "--help" || arg === "-h")
}

function page(): Page {
  return { columns: sizeOf(process.stdout).columns, colors: colorsFor(process.stdout) }
}

function print(text: string): number {
  process.stdout.write(`${text}\n`)
  return EXIT.ok
}

function fail(sentence: string): void {
  process.stderr.write(`${colorsFor(process.stderr).red("error:")} ${sentence}\n`)
}

async function end(code: number): Promise<never> {
  // Exiting at once would cut what a pipe has not taken yet; what it refused is heard of a moment later.
  await new Promise<void>((resolve) => {
    if (process.stdout.writableEnded || process.stdout.destroyed) resolve()
    else process.stdout.write("", () => setImmediate(resolve))
  })
  // A reader that has left is no failure.
  if (unwritten === undefined || unwritten.code === "EPIPE") process.exit(code)
  fail(`What belongs on stdout cannot be written there: ${unwritten.message}.`)
  process.exit(code === EXIT.ok ? EXIT.failed : code)
}

let unwritten: NodeJS.ErrnoException | undefined
process.stdout.on("error", (thrown) => (unwritten ??= thrown))
try {
  await end(await main(process.argv.slice(2)))
} catch (thrown) {
  fail(sentenceOf(thrown))
  await end(exitCodeOf(thrown))
}
