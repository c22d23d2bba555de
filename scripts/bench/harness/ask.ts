/** Asks one question in a process of its own, so that none warms up or burdens another: `ask.ts <name> [--quick]`. */

import { loadavg } from "node:os"
import { parseArgs } from "node:util"
import { questions } from "../questions.ts"
import { keep } from "./write.ts"

const { values, positionals } = parseArgs({
  options: { quick: { type: "boolean", default: false } },
  allowPositionals: true,
})
const [name = ""] = positionals
const load = questions[name]
if (load === undefined) throw new Error(`There is no question "${name}".`)
const { question } = await load()
const begun = performance.now()
const before = loadavg()[0] ?? 0
const answer = await question.ask({ quick: values.quick })
keep(name, answer, {
  title: question.title,
  date: new Date().toISOString(),
  quick: values.quick,
  seconds: Math.round((performance.now() - begun) / 1_000),
  load: before,
})
for (const { title, head, rows } of answer.tables) {
  console.log(`\n${title}\n`)
  const wide = head.map((cell, i) => Math.max(cell.length, ...rows.map((row) => row[i]?.length ?? 0)))
  for (const row of [head, ...rows])
    console.log(
      `  ${row.map((cell, i) => (i === 0 ? cell.padEnd(wide[i] ?? 0) : cell.padStart(wide[i] ?? 0))).join("  ")}`,
    )
}
console.log("")
for (const { goal, measured, reached } of answer.goals)
  console.log(`  ${reached ? "reached    " : "NOT REACHED"}  ${goal}: ${measured}`)
for (const note of answer.notes) console.log(`  · ${note}`)
process.exit(0)
