/** Runs every `check:*` script of package.json side by side, then prints what each of them said and how long it took. */
import { availableParallelism } from "node:os"
import manifest from "../../package.json" with { type: "json" }

interface Outcome {
  readonly name: string
  readonly code: number
  readonly ms: number
  readonly output: string
}

async function run(name: string): Promise<Outcome> {
  const from = performance.now()
  const child = Bun.spawn([process.execPath, "run", "--silent", name], {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  })
  const [stdout, stderr, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ])
  return { name, code, ms: performance.now() - from, output: `${stdout}${stderr}`.trim() }
}

const waiting = Object.keys(manifest.scripts).filter((name) => name.startsWith("check:"))
const outcomes: Outcome[] = []

async function worker(): Promise<void> {
  for (let name = waiting.shift(); name; name = waiting.shift()) {
    const outcome = await run(name)
    outcomes.push(outcome)
    if (outcome.code !== 0) console.log(`\n${outcome.name}\n${outcome.output}\n`)
  }
}

await Promise.all(Array.from({ length: Math.min(availableParallelism(), 4) }, worker))
for (const { name, code, ms } of outcomes) {
  console.log(`${code === 0 ? "ok    " : "FAILED"}  ${name.padEnd(18)} ${(ms / 1000).toFixed(1)} s`)
}
const failed = outcomes.filter((outcome) => outcome.code !== 0).length
console.log(failed === 0 ? `all ${outcomes.length} checks passed` : `${failed} of ${outcomes.length} checks failed`)
process.exit(failed === 0 ? 0 : 1)
