/** The same tasks, many at once, on the real OpenCode, by a process that keeps a journal and by one that keeps none. */

import { readFileSync } from "node:fs"

import { scripted } from "../../../src/cli/demo/scripted-model.ts"
import { HostProcess } from "../../soak/host-process.ts"
import type { startWorld } from "../../soak/opencode.ts"
import { verify } from "../harness/answer.ts"

/** One batch, from the first launch to the last settled. */
export interface Batch {
  readonly perSecond: number
  /** CPU time of the process that drives the tasks, for each; ms. */
  readonly cpuMs: number
}

let batches = 0

export async function batch(
  world: Awaited<ReturnType<typeof startWorld>>,
  { kept, tasks, atOnce }: { kept: boolean; tasks: number; atOnce: number },
): Promise<Batch> {
  const name = `cost${(batches += 1)}`
  const { url, password, directory, folder } = world
  await using host = new HostProcess({
    url,
    password,
    directory,
    ...(kept ? { folder: `${folder}-${name}` } : {}),
    config: { defaultConcurrency: atOnce, maxQueued: 10_000 },
  })
  await host.until("ready")
  const before = cpuOf(host.pid)
  const begun = performance.now()
  for (let i = 0; i < tasks; i++) {
    const script = `${name}-${i}`
    // About as long as a request to a real model at its quickest, so that as many are under way as may be.
    const turns = [{ wait: 1_000, text: "done" }]
    host.order({ type: "launch", script, prompt: scripted(script, { id: script, turns }) })
  }
  while (host.facts.filter(({ type }) => type === "settled").length < tasks) await Bun.sleep(20)
  const perSecond = tasks / ((performance.now() - begun) / 1_000)
  const cpuMs = (cpuOf(host.pid) - before) / tasks
  verify(
    host.facts.every((fact) => fact.type !== "settled" || fact.state === "completed"),
    "every task is completed",
  )
  const peak = world.model.peak((call) => call.scriptId?.startsWith(`${name}-`) === true)
  verify(peak > atOnce / 2, `tasks ran at once: at most ${peak} of ${atOnce} were at the model`)
  return { perSecond, cpuMs }
}

/** User and system time so far; ms. */
function cpuOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8")
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
  return (Number(fields[11]) + Number(fields[12])) * 10
}
