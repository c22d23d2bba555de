/** `lanes doctor`: whether everything would work here, and for each trouble what to do. */

import { defineCommand } from "citty"
import { chooseServer, SERVER_ARGUMENT } from "./choose-server.ts"
import type { ChosenServer } from "./choose-server.ts"
import { readConfiguration } from "./doctor/configuration.ts"
import type { Limits } from "./doctor/configuration.ts"
import type { Finding } from "./doctor/finding.ts"
import { messageOf } from "./doctor/finding.ts"
import { bunFinding, journalFinding, workerFinding } from "./doctor/machine.ts"
import { programFinding, serverFindings } from "./doctor/opencode.ts"
import { pluginFindings } from "./doctor/plugin.ts"
import { onInterrupt } from "./interrupt.ts"
import type { Colors } from "./output/colors.ts"
import { colorsFor } from "./output/colors.ts"
import { wrap } from "./output/columns.ts"
import { EXIT } from "./output/exit-codes.ts"
import { sizeOf } from "./output/size.ts"
import { directoryOf } from "./task-options.ts"
import type { Verb } from "./verb.ts"

const args = {
  server: SERVER_ARGUMENT,
  dir: { type: "string", description: "The project. Default: this folder", valueHint: "folder" },
  json: { type: "boolean", description: "One JSON object with all findings" },
} as const

export const doctor: Verb = defineCommand({
  meta: { name: "doctor", description: "Find what would keep lanes from working, and say what to do" },
  args,
  run: async ({ args: given }) => {
    const directory = directoryOf(given.dir)
    using interrupt = onInterrupt()
    const findings: Finding[] = []
    const add = (...found: readonly Finding[]): void => {
      findings.push(...found)
      if (given.json !== true) process.stdout.write(found.map((finding) => lineOf(finding)).join(""))
    }
    add(bunFinding(), await workerFinding(), await journalFinding())
    const { findings: config, limits } = readConfiguration(directory)
    add(...config)
    add(...(await opencode(given.server, directory, limits, interrupt.signal)))
    add(...pluginFindings(directory))
    const ok = findings.every(({ mark }) => mark !== "bad")
    process.stdout.write(given.json === true ? `${JSON.stringify({ ok, findings })}\n` : `\n${verdict(findings)}\n`)
    return interrupt.exitCode ?? (ok ? EXIT.ok : EXIT.failed)
  },
})

async function opencode(
  wanted: string | undefined,
  directory: string,
  limits: Limits | undefined,
  signal: AbortSignal,
): Promise<Finding[]> {
  const said: Finding[] = []
  let chosen: ChosenServer
  try {
    chosen = await chooseServer(wanted, (sentence) => said.push({ area: "server", mark: "note", sentence }))
  } catch (thrown) {
    if (thrown instanceof Error && thrown.name === "UsageError") throw thrown
    return [{ area: "opencode", mark: "bad", sentence: messageOf(thrown) }]
  }
  const program = await programFinding(chosen.whose === "spawned")
  return [program, ...said, ...(await serverFindings(chosen, directory, limits, signal))]
}

const MARKS = { ok: "ok  ", note: "note", bad: "BAD " } as const
const AREA_WIDTH = 11
const HEAD_WIDTH = MARKS.ok.length + AREA_WIDTH + 3
const WIDEST = 120
/** A narrower terminal has no room for two columns. */
const LEAST_BESIDE = 40

/** A finding for people; in a pipe, what it says stays in one line. */
function lineOf({ area, mark, sentence, remedy }: Finding): string {
  const colors = colorsFor(process.stdout)
  const columns = process.stdout.isTTY ? Math.min(sizeOf(process.stdout).columns, WIDEST) : Infinity
  const beside = columns - HEAD_WIDTH - 1 >= LEAST_BESIDE
  const indent = " ".repeat(beside ? HEAD_WIDTH : 2)
  const said = [sentence, ...(remedy === undefined ? [] : [`→ ${remedy}`])]
  const text = said.flatMap((part) => wrap(part, columns - indent.length - 1)).map((line) => `${indent}${line}\n`)
  const head = `${paint(mark, colors)}  ${area.padEnd(AREA_WIDTH)} `
  return beside ? head + text.join("").slice(HEAD_WIDTH) : `${head.trimEnd()}\n${text.join("")}`
}

function paint(mark: Finding["mark"], colors: Colors): string {
  const color = { ok: colors.green, note: colors.yellow, bad: colors.red }[mark]
  return color(MARKS[mark])
}

function verdict(findings: readonly Finding[]): string {
  const colors = colorsFor(process.stdout)
  const bad = findings.filter(({ mark }) => mark === "bad").length
  if (bad === 0) return colors.green("Everything needed is there.")
  return colors.red(bad === 1 ? "One thing would not work." : `${bad} things would not work.`)
}
