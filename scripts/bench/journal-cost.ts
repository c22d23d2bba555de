/** Measures what the journal costs on the real OpenCode: the same tasks, 100 at once, with and without a file. */

import { scripted } from "../../src/cli/demo/scripted-model.ts"
import { HostProcess } from "../soak/host-process.ts"
import { startWorld } from "../soak/opencode.ts"

const AT_ONCE = 100
const TASKS = Number(process.argv[2] ?? 300)
const ROUNDS = Number(process.argv[3] ?? 3)

await using world = await startWorld()
let batches = 0

/** Tasks per second of one batch, and the CPU time the host took for it. */
async function batch(kept: boolean, tasks: number): Promise<{ perSecond: number; cpuMs: number }> {
  const name = `cost${(batches += 1)}`
  const { url, password, directory, folder } = world
  await using host = new HostProcess({
    url,
    password,
    directory,
    ...(kept ? { folder: `${folder}-${name}` } : {}),
    config: { defaultConcurrency: AT_ONCE, maxQueued: 10_000 },
  })
  await host.until("ready")
  const before = cpuOf(host.pid)
  const start = performance.now()
  for (let i = 0; i < tasks; i++) {
    const script = `${name}-${i}`
    host.order({ type: "launch", script, prompt: scripted(script, { id: script, turns: [{ text: "done" }] }) })
  }
  while (host.facts.filter(({ type }) => type === "settled").length < tasks) await Bun.sleep(20)
  return { perSecond: tasks / ((performance.now() - start) / 1_000), cpuMs: cpuOf(host.pid) - before }
}

/** User and system time so far; ms. */
function cpuOf(pid: number): number {
  const { stdout } = Bun.spawnSync(["cat", `/proc/${pid}/stat`])
  const fields = stdout
    .toString()
    .slice(stdout.toString().lastIndexOf(")") + 2)
    .split(" ")
  return (Number(fields[11]) + Number(fields[12])) * 10
}

await batch(false, 50)
const results: Record<"off" | "on", { perSecond: number; cpuMs: number }[]> = { off: [], on: [] }
for (let round = 0; round < ROUNDS; round++) {
  results.off.push(await batch(false, TASKS))
  results.on.push(await batch(true, TASKS))
}
const middle = (values: number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
for (const [name, of] of Object.entries(results)) {
  const perSecond = of.map((each) => each.perSecond)
  console.log(
    `journal ${name.padEnd(3)}  ${middle(perSecond).toFixed(1)} tasks a second (${perSecond.map((each) => each.toFixed(1)).join(", ")}), ` +
      `${(middle(of.map(({ cpuMs }) => cpuMs)) / TASKS).toFixed(1)} ms CPU of the host per task`,
  )
}
