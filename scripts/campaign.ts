/**
 * Plays a campaign of swarm seeds: `bun run campaign [--seeds 20000] [--from 0]`. SIM_SEED and SIM_NUM work as in tests.
 * `--golden` writes the hashes of the golden seeds anew, after a change that is meant to move them.
 */
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { parseArgs } from "node:util"

import { LanesError } from "../src/core/errors.ts"
import { campaign, FAULT_CLASSES, playSeed, Violation } from "../src/sim/index.ts"

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "20000" },
    from: { type: "string", default: "0" },
    every: { type: "string", default: "1000" },
    golden: { type: "boolean" },
  },
})
if (values.golden === true) {
  const file = join(import.meta.dir, "../test/sim/golden.json")
  const golden = JSON.parse(readFileSync(file, "utf8")) as { seed: number }[]
  const hashes = golden.map(({ seed }) => ({ seed, hash: playSeed(seed).result.hash }))
  writeFileSync(file, `${JSON.stringify(hashes, undefined, 2)}\n`)
  process.exit(0)
}
const [seeds, from, every] = [Number(values.seeds), Number(values.from), Number(values.every)]
const say = (line: string): void => void process.stdout.write(`${line}\n`)

const began = performance.now()
let played = 0
try {
  const result = campaign({
    seeds,
    from,
    replay: (seed) => `bun run campaign --from ${seed} --seeds 1`,
    sometimes: seeds >= 300 ? ["completed", "error", "cancelled", ...FAULT_CLASSES] : [],
    each: (seed) => {
      if (++played % every === 0)
        say(`${played} seeds, up to ${seed}: ${Math.round((performance.now() - began) / 1_000)} s`)
    },
  })
  const s = (performance.now() - began) / 1_000
  say(
    `${result.seeds} seeds, ${result.tasks} tasks, ${result.events} events, ${Math.round(result.virtualMs / 3_600_000)} virtual hours`,
  )
  say(`${s.toFixed(1)} s, ${Math.round(result.events / s)} events/s, hash ${result.hash}`)
  for (const [what, count] of Object.entries(result.reached).toSorted(([, a], [, b]) => b - a))
    say(`  ${String(count).padStart(6)}  ${what}`)
} catch (thrown) {
  if (!(thrown instanceof Violation || thrown instanceof LanesError)) throw thrown
  process.stderr.write(`${thrown.message}\n`)
  process.exitCode = 1
}
