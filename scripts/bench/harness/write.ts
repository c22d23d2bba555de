import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { Answer } from "./answer.ts"
import { machine } from "./machine.ts"
import { BENCH } from "./peers.ts"
import { svg } from "./plot.ts"

/** An answer with where and when it was found. */
export interface Kept extends Answer {
  readonly title: string
  readonly date: string
  readonly commit: string
  readonly quick: boolean
  readonly seconds: number
  readonly load: number
  readonly machine: readonly string[]
}

const FOLDER = join(BENCH, "results")

export function keep(name: string, answer: Answer, about: Omit<Kept, keyof Answer | "machine" | "commit">): void {
  const commit = Bun.spawnSync(["git", "rev-parse", "--short", "HEAD"], { cwd: BENCH, stderr: "ignore" })
    .stdout.toString()
    .trim()
  mkdirSync(FOLDER, { recursive: true })
  writeFileSync(
    join(FOLDER, `${name}.json`),
    `${JSON.stringify({ ...about, commit, machine: machine(), ...answer }, null, 2)}\n`,
  )
  if (answer.plot !== undefined) writeFileSync(join(FOLDER, `${name}.svg`), svg(answer.plot))
}

function kept(name: string): Kept | undefined {
  const file = join(FOLDER, `${name}.json`)
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Kept) : undefined
}

/** `results.md` from everything kept; nothing in it is typed in. */
export function writeResults(names: readonly string[]): void {
  const found = names.flatMap((name) => {
    const of = kept(name)
    return of === undefined ? [] : [{ name, of }]
  })
  const goals = found.flatMap(({ name, of }) => of.goals.map((goal) => ({ name, ...goal })))
  const lines = [
    "# Results",
    "",
    "Written by `bun run bench`; run it to get your own. Rounds of all contenders are taken in turns; figures are medians unless they say otherwise, ± is half the distance between the quartiles.",
    "",
    ...(found[0]?.of.machine ?? []).map((line) => `- ${line}`),
    "",
    "| goal | measured | |",
    "| --- | --- | --- |",
    ...goals.map(
      ({ name, goal, measured, reached }) =>
        `| ${goal} | ${measured} | ${reached ? "reached" : "**not reached**"}, [${name}](#${name}) |`,
    ),
    "",
    ...found.flatMap(({ name, of }) => section(name, of)),
  ]
  writeFileSync(join(BENCH, "results.md"), `${lines.join("\n").trimEnd()}\n`)
}

function section(name: string, of: Kept): string[] {
  const row = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`
  return [
    `## ${name}`,
    "",
    of.title,
    "",
    `*${of.date.slice(0, 16).replace("T", " ")} UTC, commit ${of.commit}, ${of.seconds} s, load ${of.load.toFixed(1)} at the start${of.quick ? ", **a quick try: fewer rounds**" : ""}.*`,
    "",
    ...of.tables.flatMap(({ title, how, head, rows }) => [
      `### ${title}`,
      "",
      how,
      "",
      row(head),
      row(head.map((_, i) => (i === 0 ? "---" : "---:"))),
      ...rows.map(row),
      "",
    ]),
    ...(of.plot === undefined ? [] : [`![${of.plot.title}](results/${name}.svg)`, ""]),
    ...of.notes.flatMap((note) => [`- ${note}`]),
    ...(of.notes.length > 0 ? [""] : []),
  ]
}
