/** Reads a command line strictly: a mistyped verb or option is answered with the nearest one, not ignored. */

import type { ArgsDef } from "citty"
import { nearNames } from "../adapters/near-names.ts"
import { UsageError } from "./output/errors.ts"

/** The verb, or a refusal that names the likely one. */
export function checkVerb(verb: string, verbs: readonly string[]): void {
  if (verbs.includes(verb)) return
  const what = verb.startsWith("-") ? "option" : "command"
  throw new UsageError(`There is no ${what} "${verb}". ${suggestion(verb, verbs, "lanes --help")}`)
}

/** Refuses options a verb does not know, words that belong to nothing, and what is missing. */
export function checkArguments(verb: string, definition: ArgsDef, rawArgs: readonly string[]): void {
  const options = Object.entries(definition).filter(([, { type }]) => type !== "positional")
  const names = optionNames(definition)
  const places = Object.entries(definition).filter(([, { type }]) => type === "positional")
  const rest = [...rawArgs]
  for (let arg = rest.shift(); arg !== undefined; arg = rest.shift()) {
    if (arg === "--") {
      places.splice(0, rest.length)
      break
    }
    if (!arg.startsWith("-") || arg === "-") {
      if (places.shift() !== undefined) continue
      throw new UsageError(
        `"${arg}" is one word too many for lanes ${verb}: quote what belongs together, or see lanes ${verb} --help.`,
      )
    }
    const [name, value] = splitOnce(arg)
    const known = options.find(
      ([option, said]) => `--${option}` === name || ("negativeDescription" in said && `--no-${option}` === name),
    )
    if (known === undefined) {
      throw new UsageError(`lanes ${verb} has no option "${name}". ${suggestion(name, names, `lanes ${verb} --help`)}`)
    }
    const takesValue = known[1].type === "string" || known[1].type === "enum"
    if (!takesValue && value !== undefined) throw new UsageError(`${name} takes no value.`)
    if (takesValue && value === undefined) {
      const next = rest.shift()
      if (next === undefined || next.startsWith("--")) throw new UsageError(`${name} needs a value.`)
    } else if (value === "") throw new UsageError(`${name} needs a value.`)
  }
  const [missing] = places.filter(([, { required }]) => required !== false)
  if (missing !== undefined)
    throw new UsageError(`lanes ${verb}: the ${missing[0]} is missing. See lanes ${verb} --help.`)
}

/** What may be typed: `--name`, and `--no-name` where that means something. */
export function optionNames(definition: ArgsDef): string[] {
  return Object.entries(definition)
    .filter(([, { type }]) => type !== "positional")
    .flatMap(([name, said]) => ("negativeDescription" in said ? [`--${name}`, `--no-${name}`] : [`--${name}`]))
}

function splitOnce(arg: string): [string, string?] {
  const at = arg.indexOf("=")
  return at < 0 ? [arg] : [arg.slice(0, at), arg.slice(at + 1)]
}

function suggestion(wrong: string, names: readonly string[], otherwise: string): string {
  const [near] = nearNames(wrong, names, 1)
  return near === undefined ? `See ${otherwise}.` : `Did you mean "${near}"?`
}
