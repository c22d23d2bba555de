/**
 * Runs lanes for long, on a real OpenCode with the scripted model: `bun run soak [--rounds 50] [--minutes 30]
 * [--at-once 50] [--seed 1]`.
 *
 * First a host is killed again and again at random points of random load; then many tasks are kept in flight, and what the
 * host holds is sampled. Tables are printed; the plot is written to report/soak.svg. Ends with 1 when something was lost,
 * done twice, or over its limit.
 */
import { mkdirSync, writeFileSync } from "node:fs"
import { parseArgs } from "node:util"

import { flatSoak } from "./soak/flat.ts"
import { killRounds } from "./soak/kill-rounds.ts"
import { startWorld } from "./soak/opencode.ts"
import { growth, plot } from "./soak/plot.ts"

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "50" },
    minutes: { type: "string", default: "30" },
    "at-once": { type: "string", default: "50" },
    seed: { type: "string", default: "1" },
  },
})
const [rounds, minutes, atOnce, seed] = [values.rounds, values.minutes, values["at-once"], values.seed].map(Number)

let broken = 0
if (rounds) {
  await using world = await startWorld()
  console.log(
    `### ${rounds} kills\n\n| round | killed after | acknowledged | found again | ready after | integrity |\n| --- | --- | --- | --- | --- | --- |`,
  )
  const result = await killRounds(world, {
    rounds,
    limit: 3,
    launches: 6,
    seed: seed || 1,
    onRound: (r) =>
      console.log(
        `| ${r.round} | ${r.killedAfterMs} ms | ${r.acknowledged} | ${r.found} | ${r.readyMs} ms | ${r.integrity} |`,
      ),
  })
  const ready = result.rounds.map((round) => round.readyMs).toSorted((a, b) => a - b)
  console.log(`
${result.tasks} tasks, ${result.launched} launches, ${result.continued} continuations and ${result.cancelled} cancels acknowledged
ends: ${JSON.stringify(result.ends)}
most at once at the model: ${result.peak} of 3
ready again after ${ready[Math.floor(ready.length / 2)]} ms (median), ${ready.at(-1)} ms (longest)
${result.broken.length === 0 ? "nothing lost, nothing twice" : result.broken.join("\n")}
`)
  broken += result.broken.length
}

if (minutes) {
  await using world = await startWorld()
  console.log(`### ${atOnce} tasks in flight for ${minutes} minutes\n`)
  const everyMs = Math.max(5_000, (minutes * 60_000) / 60)
  const { samples, failed } = await flatSoak(world, {
    minutes,
    atOnce: atOnce || 50,
    everyMs,
    onSample: (s) =>
      console.log(
        `${(s.atMs / 60_000).toFixed(1).padStart(5)} min  ${s.settled} done  ${s.live} live  ${s.rssMb} MB  heap ${s.heapMb} MB  ` +
          `${s.threads} threads  ${s.handles} handles  ${s.tasks} tasks  ${s.entries} entries  log ${s.walKb} kB  journal ${s.fileKb} kB`,
      ),
  })
  console.log("\n| | second quarter | last quarter |\n| --- | --- | --- |")
  for (const { title, early, late } of growth(samples)) console.log(`| ${title} | ${early} | ${late} |`)
  console.log(`\n${failed} tasks did not complete; see report/soak.svg`)
  mkdirSync("report", { recursive: true })
  writeFileSync("report/soak.svg", plot(samples))
  broken += failed
}
process.exit(broken === 0 ? 0 : 1)
