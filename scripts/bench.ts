/** Benchmarks beside their peers: `bun run bench [-- names] [--quick]`. Writes scripts/bench/results.md and its plots. */

import { join } from "node:path"
import { parseArgs } from "node:util"
import { BENCH, installPeers } from "./bench/harness/peers.ts"
import { writeResults } from "./bench/harness/write.ts"
import { questions } from "./bench/questions.ts"

const { values, positionals } = parseArgs({
  options: { quick: { type: "boolean", default: false }, help: { type: "boolean", short: "h", default: false } },
  allowPositionals: true,
})
const all = Object.keys(questions)
const unknown = positionals.filter((name) => !all.includes(name))
if (values.help || unknown.length > 0) {
  if (unknown.length > 0) console.error(`There is no benchmark "${unknown.join('", "')}".`)
  console.log(
    `bun run bench [-- names] [--quick]\n\n  names: ${all.join(", ")} (default: all)\n  --quick: fewer rounds, to try it out`,
  )
  process.exit(unknown.length > 0 ? 2 : 0)
}

installPeers()
const failed: string[] = []
for (const name of positionals.length > 0 ? positionals : all) {
  console.log(`\n━━ ${name}`)
  const child = Bun.spawn(
    [process.execPath, join(BENCH, "harness", "ask.ts"), name, ...(values.quick ? ["--quick"] : [])],
    {
      stdin: "ignore",
      stdout: "inherit",
      stderr: "inherit",
    },
  )
  if ((await child.exited) !== 0) failed.push(name)
}
writeResults(all)
console.log(failed.length === 0 ? "\nscripts/bench/results.md is written." : `\nwithout a result: ${failed.join(", ")}`)
process.exit(failed.length === 0 ? 0 : 1)
