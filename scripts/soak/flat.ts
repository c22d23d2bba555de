/** Many tasks in flight for a long time: what a host holds must not grow. */

import { readdirSync, readFileSync, statSync } from "node:fs"

import { journalsIn } from "../../src/adapters/journal-files.ts"
import { projectFolder } from "../../src/adapters/state-folder.ts"
import { scripted } from "../../src/cli/demo/scripted-model.ts"
import { HostProcess } from "./host-process.ts"
import type { KillWorld } from "./kill-rounds.ts"

export interface FlatOptions {
  readonly minutes: number
  readonly atOnce: number
  /** Between two samples. */
  readonly everyMs: number
  readonly onSample?: (sample: Sample) => void
}

/** What the host held at one moment. */
export interface Sample {
  readonly atMs: number
  readonly settled: number
  readonly live: number
  readonly rssMb: number
  readonly heapMb: number
  readonly threads: number
  readonly handles: number
  readonly tasks: number
  /** Entries of all maps but `tasks`, which keeps the settled for a while. */
  readonly entries: number
  readonly walKb: number
  readonly fileKb: number
}

export interface FlatReport {
  readonly samples: readonly Sample[]
  readonly failed: number
}

/** Settled tasks are kept for the least time there is, so that forgetting is a part of the picture. */
const RETAIN_MS = 60_000

export async function flatSoak(
  world: KillWorld,
  { minutes, atOnce, everyMs, onSample }: FlatOptions,
): Promise<FlatReport> {
  await using host = new HostProcess({
    url: world.url,
    password: world.password,
    directory: world.directory,
    folder: world.folder,
    config: { defaultConcurrency: atOnce, retainMs: RETAIN_MS, pollIntervalMs: 2_000 },
  })
  await host.until("ready")
  const start = performance.now()
  const samples: Sample[] = []
  let launched = 0
  let settled = 0
  let failed = 0
  for (let next = start + everyMs; performance.now() < start + minutes * 60_000;) {
    // Facts are taken as they come, so that this side does not grow either.
    for (const fact of host.facts.splice(0)) {
      if (fact.type === "refused") throw new Error(fact.message)
      if (fact.type !== "settled") continue
      settled += 1
      if (fact.state !== "completed") failed += 1
    }
    while (launched - settled < atOnce) {
      const script = `flat-${(launched += 1)}`
      const chunks = 20 + (launched % 20)
      host.order({
        type: "launch",
        script,
        prompt: scripted(script, { id: script, turns: [{ stream: { chunks, everyMs: 500 } }] }),
      })
    }
    if (performance.now() >= next) {
      next += everyMs
      const sample = await take(host, world, performance.now() - start, settled)
      samples.push(sample)
      onSample?.(sample)
    }
    await Bun.sleep(100)
  }
  return { samples, failed }
}

async function take(host: HostProcess, world: KillWorld, atMs: number, settled: number): Promise<Sample> {
  const { rss, heapUsed, sizes } = await host.ask({ type: "sizes" }, "sizes")
  const [file] = journalsIn(projectFolder(world.folder, world.directory))
  const { tasks = 0, live = 0, ...others } = sizes
  return {
    atMs,
    settled,
    live,
    rssMb: Math.round(rss / 2 ** 20),
    heapMb: Math.round(heapUsed / 2 ** 20),
    threads: Number(/^Threads:\s*(\d+)/m.exec(readFileSync(`/proc/${host.pid}/status`, "utf8"))?.[1]),
    handles: readdirSync(`/proc/${host.pid}/fd`).length,
    tasks,
    entries: Object.values(others).reduce((sum, size) => sum + size, 0),
    walKb: sizeOf(`${file}-wal`),
    fileKb: sizeOf(String(file)),
  }
}

function sizeOf(path: string): number {
  return Math.round((statSync(path, { throwIfNoEntry: false })?.size ?? 0) / 1_024)
}
