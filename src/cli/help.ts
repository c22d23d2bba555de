/** What `lanes help` and `lanes <verb> --help` print: as wide as the terminal, coloured where that is wanted. */

import type { ArgsDef } from "citty"
import type { Colors } from "./output/colors.ts"
import { wrap } from "./output/columns.ts"
import type { Verb, VerbEntry } from "./verb.ts"

/** How it is shown. */
export interface Page {
  readonly columns: number
  readonly colors: Colors
}

const WIDEST = 100
/** A longer first column gets its sentence on the next line. */
const WIDEST_LEFT = 28

/** All verbs, a sentence each. */
export function overview(verbs: Readonly<Record<string, VerbEntry>>, version: string, page: Page): string {
  const rows = Object.entries(verbs).map(([name, { about }]) => [name, about] as const)
  return [
    `opencode-lanes ${version}: parallel background agents for OpenCode`,
    "",
    ...section("Usage", [`  lanes <command> [options]`], page),
    ...section("Commands", table(rows, page), page),
    ...section(
      "Options",
      table(
        [
          ["--help", "Of a command: lanes run --help"],
          ["--version", "Print the version"],
        ],
        page,
      ),
      page,
    ),
    ...wrap("Exit codes: 0 all well, 1 something failed, 2 wrong usage, 130 interrupted.", width(page)),
  ].join("\n")
}

/** One verb: how it is called and what each of its arguments means. */
export async function verbHelp(name: string, verb: Verb, page: Page): Promise<string> {
  const { meta = {} } = verb
  const about = (typeof meta === "function" ? await meta() : await meta).description ?? ""
  const entries = Object.entries(await argumentsOf(verb))
  const words = entries.filter(([, { type }]) => type === "positional")
  const options = entries.filter(([, { type }]) => type !== "positional")
  const usage = [
    "lanes",
    name,
    ...words.map(([word, { required }]) => (required === false ? `[${word}]` : `<${word}>`)),
  ]
  const optionRows = options.flatMap(([option, said]): (readonly [string, string])[] => {
    const row = [`--${option}${valueOf(said)}`, said.description ?? ""] as const
    return "negativeDescription" in said ? [row, [`--no-${option}`, said.negativeDescription ?? ""]] : [row]
  })
  return [
    ...wrap(about, width(page)),
    "",
    ...section("Usage", [`  ${[...usage, ...(options.length > 0 ? ["[options]"] : [])].join(" ")}`], page),
    ...section(
      "Arguments",
      table(
        words.map(([word, said]) => [word, said.description ?? ""] as const),
        page,
      ),
      page,
    ),
    ...section("Options", table(optionRows, page), page),
  ]
    .join("\n")
    .trimEnd()
}

/** The arguments of a verb, however citty was given them. */
export async function argumentsOf({ args = {} }: Verb): Promise<ArgsDef> {
  return (typeof args === "function" ? await args() : await args) as ArgsDef
}

function valueOf(said: ArgsDef[string]): string {
  if (said.type === "enum") return ` <${("options" in said ? (said.options ?? []) : []).join("|")}>`
  return said.type === "string" ? ` <${said.valueHint ?? "value"}>` : ""
}

function section(title: string, lines: readonly string[], { colors }: Page): string[] {
  return lines.length === 0 ? [] : [colors.bold(title), ...lines, ""]
}

function table(rows: readonly (readonly [string, string])[], page: Page): string[] {
  const left = Math.min(WIDEST_LEFT, Math.max(0, ...rows.map(([name]) => name.length)))
  const beside = width(page) - left - 4
  return rows.flatMap(([name, about]) => {
    // A narrow terminal has no room for two columns.
    if (beside < 24)
      return [`  ${page.colors.cyan(name)}`, ...wrap(about, width(page) - 6).map((line) => `      ${line}`)]
    const lines = wrap(about, beside)
    const own = name.length > left ? [`  ${page.colors.cyan(name)}`] : []
    return [
      ...own,
      ...lines.map((line, index) => {
        const head = index === 0 && own.length === 0 ? page.colors.cyan(name.padEnd(left)) : " ".repeat(left)
        return `  ${head}  ${line}`
      }),
    ]
  })
}

function width({ columns }: Page): number {
  return Math.max(20, Math.min(WIDEST, columns))
}
