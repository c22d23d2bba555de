/** `lanes simulate`: thousands of tasks in virtual time. Finds bugs by seed, and tries limits before they are paid for. */

import { readFileSync } from "node:fs"

import { defineCommand } from "citty"
import type { CommandDef } from "citty"
import { parse, printParseErrorCode } from "jsonc-parser/lib/esm/main.js"
import type { ParseError } from "jsonc-parser/lib/esm/main.js"
import { campaign, FAULT_CLASSES, faults, forecast, parsePlan, playSeed, Violation } from "../sim/index.ts"
import type { FaultClass, FaultPlan, Plan } from "../sim/index.ts"
import { UsageError } from "./output/errors.ts"
import { EXIT } from "./output/exit-codes.ts"
import { campaignTable, forecastTable } from "./output/simulation.ts"

const args = {
  plan: { type: "string", description: "Try a plan: agents, counts, think times and limits", valueHint: "plan.jsonc" },
  seeds: { type: "string", description: "How many seeds to play (default 100)", valueHint: "n" },
  from: { type: "string", description: "The first seed (default 0)", valueHint: "n" },
  tasks: { type: "string", description: "Tasks per seed (default: as the seed says)", valueHint: "n" },
  faults: { type: "string", description: "none, all, swarm (default) or a list of faults", valueHint: "swarm" },
  trace: { type: "string", description: "Play one seed and print its time-line", valueHint: "seed" },
  json: { type: "boolean", description: "Print the result as JSON" },
} as const

export const simulateCommand: CommandDef<typeof args> = defineCommand({
  meta: { name: "simulate", description: "Play thousands of tasks in virtual time, or try limits on a plan" },
  args,
  run: ({ args: { plan, seeds, from, tasks, faults: chosen, trace, json } }) => {
    const say = (text: string): void => void process.stdout.write(`${text}\n`)
    const print = (value: unknown, table: () => string): void => say(json === true ? JSON.stringify(value) : table())
    if (plan !== undefined) {
      const result = forecast(readPlan(plan))
      print(result, () => forecastTable(result))
      return EXIT.ok
    }
    const count = tasks === undefined ? {} : { tasks: wholeOf("tasks", tasks, 1) }
    const load = { faults: faultsOf(chosen ?? "swarm"), ...count, replay: replayWith(chosen, tasks) }
    try {
      if (trace !== undefined) {
        const { result } = playSeed(wholeOf("trace", trace, 0), load)
        print(result.rows, () => [...result.timeline(), `${words(result.states)}, hash ${result.hash}`].join("\n"))
        return EXIT.ok
      }
      const result = campaign({
        ...load,
        seeds: wholeOf("seeds", seeds ?? "100", 1),
        from: wholeOf("from", from ?? "0", 0),
      })
      print(result, () => campaignTable(result))
      return EXIT.ok
    } catch (thrown) {
      if (!(thrown instanceof Violation)) throw thrown
      print(thrown.finding, () => thrown.message)
      return EXIT.failed
    }
  },
})

function words(states: Readonly<Record<string, number>>): string {
  return Object.entries(states)
    .map(([state, count]) => `${count} ${state}`)
    .join(", ")
}

/** The command that plays one seed as it was played. */
function replayWith(chosen = "swarm", tasks?: string): (seed: number) => string {
  const count = tasks === undefined ? "" : ` --tasks ${tasks}`
  return (seed) => `lanes simulate --trace ${seed} --faults ${chosen.replaceAll(/\s/g, "")}${count}`
}

function faultsOf(text: string): FaultPlan {
  if (text === "none") return faults.none()
  if (text === "all") return faults.all()
  if (text === "swarm") return faults.swarm()
  const names = text.split(",").map((name) => name.trim())
  const strange = names.find((name) => !(FAULT_CLASSES as readonly string[]).includes(name))
  if (strange === undefined) return faults.only(...(names as FaultClass[]))
  throw new UsageError(
    `--faults: there is no fault "${strange}". There are none, all, swarm, ${FAULT_CLASSES.join(", ")}.`,
  )
}

function wholeOf(name: string, text: string, min: number): number {
  const value = Number(text)
  if (Number.isInteger(value) && value >= min) return value
  throw new UsageError(`--${name}: expected an integer ≥ ${min}, got "${text}".`)
}

function readPlan(file: string): Plan {
  let text: string
  try {
    text = readFileSync(file, "utf8")
  } catch (thrown) {
    throw new UsageError(
      `--plan: ${file} cannot be read: ${thrown instanceof Error ? thrown.message : String(thrown)}.`,
    )
  }
  const errors: ParseError[] = []
  const value: unknown = parse(text, errors, { allowTrailingComma: true })
  const [error] = errors
  if (error === undefined) return parsePlan(value)
  const line = text.slice(0, error.offset).split("\n").length
  throw new UsageError(`${file} line ${line}: not JSON: ${printParseErrorCode(error.error)}.`)
}
