/** One pool, measured once in a process of its own: `contender.ts <pool> <worker folder and extension> <runs>` prints JSON. */

import { createRequire } from "node:module"
import { availableParallelism } from "node:os"
import { pathToFileURL } from "node:url"
import type { Assignment } from "../../../src/core/effects.ts"
import type { RunReport } from "../../../src/core/inputs.ts"
import { isWhole, nthAssignment } from "./null-run.ts"

/** Runs at a time on each thread. */
const STACKED = 8
const THREADS = Math.max(2, availableParallelism())
/** Null runs say more in a second than any real one in an hour: what the pool takes for a fault is the work here. */
const NO_FLOOD = { perSecond: 1e9, perRun: 0, burst: 1e9 }

interface Pool {
  run(assignment: Assignment): Promise<readonly RunReport[]>
  close(): Promise<unknown>
}

const [name = "", worker = "", extension = "", runs = "0"] = process.argv.slice(2)
const require = createRequire(import.meta.url)
/** A peer, which is no package of the product's. */
const load = (of: string): unknown => require(of)
const file = (of: string): string => `${worker}/${of}${extension}`

const makers: Readonly<Record<string, () => Promise<Pool>>> = {
  async ours() {
    const { WorkerPool } = await import("../../../workers/pool.ts")
    const { SystemClock } = await import("../../../src/adapters/system-clock.ts")
    const clock = new SystemClock()
    const transport = { fetch: () => Promise.reject(new Error("A null run asks nobody.")) }
    const pool = new WorkerPool({
      transport,
      clock,
      maxWorkers: THREADS,
      isolation: "pool",
      flood: NO_FLOOD,
      workerUrl: pathToFileURL(file("our-worker")),
    })
    const waiting = new Map<string, { said: RunReport[]; resolve: (said: RunReport[]) => void }>()
    pool.listen((report) => {
      if (!("run" in report)) return
      const of = waiting.get(report.run.task)
      of?.said.push(report)
      if (report.type === "stopped" && waiting.delete(report.run.task)) of?.resolve(of.said)
    })
    return {
      run: (of) =>
        new Promise((resolve) => {
          waiting.set(of.run.task, { said: [], resolve })
          pool.run(of)
        }),
      close: async () => {
        await pool.close()
        clock[Symbol.dispose]()
      },
    }
  },
  async tinypool() {
    const { default: Tinypool } = (await import(resolved("tinypool"))) as { default: new (options: object) => Generic }
    const pool = new Tinypool({
      filename: file("peer-worker"),
      minThreads: THREADS,
      maxThreads: THREADS,
      concurrentTasksPerWorker: STACKED,
    })
    return { run: (of) => pool.run(of), close: () => pool.destroy() }
  },
  async piscina() {
    const { Piscina } = load("piscina") as { Piscina: new (options: object) => Generic }
    const pool = new Piscina({
      filename: file("peer-worker"),
      minThreads: THREADS,
      maxThreads: THREADS,
      concurrentTasksPerWorker: STACKED,
    })
    return { run: (of) => pool.run(of), close: () => pool.destroy() }
  },
  async "piscina-streaming"() {
    const { Piscina } = load("piscina") as { Piscina: new (options: object) => Generic<object, void> }
    const pool = new Piscina({
      filename: file("stream-worker"),
      minThreads: THREADS,
      maxThreads: THREADS,
      concurrentTasksPerWorker: STACKED,
    })
    return {
      run: (of) =>
        new Promise((resolve, reject) => {
          const { port1, port2 } = new MessageChannel()
          const said: RunReport[] = []
          port1.addEventListener("message", (event) => {
            said.push((event as MessageEvent<RunReport>).data)
            if (said.at(-1)?.type !== "stopped") return
            port1.close()
            resolve(said)
          })
          port1.start()
          pool.run({ assignment: of, port: port2 }, { transferList: [port2] }).catch(reject)
        }),
      close: () => pool.destroy(),
    }
  },
  async poolifier() {
    const { FixedThreadPool } = load("poolifier") as {
      FixedThreadPool: new (threads: number, file: string, options: object) => Poolifier
    }
    const pool = new FixedThreadPool(THREADS, file("poolifier-worker"), {
      enableTasksQueue: true,
      tasksQueueOptions: { concurrency: STACKED },
    })
    return { run: (of) => pool.execute(of), close: () => pool.destroy() }
  },
}

interface Generic<In = Assignment, Out = RunReport[]> {
  run(of: In, how?: object): Promise<Out>
  destroy(): Promise<unknown>
}

interface Poolifier {
  execute(of: Assignment): Promise<RunReport[]>
  destroy(): Promise<unknown>
}

function resolved(of: string): string {
  return pathToFileURL(require.resolve(of)).href
}

const pool = await makers[name]?.()
if (pool === undefined) throw new Error(`There is no pool "${name}".`)
let given = 0
let whole = 0

/** So many runs, as many at a time as there is room for. */
async function batch(of: number): Promise<{ ms: number; cpuMs: number; latencies: number[] }> {
  const latencies: number[] = []
  const last = given + of
  const lane = async (): Promise<void> => {
    while (given < last) {
      const begun = performance.now()
      if (isWhole((await pool?.run(nthAssignment((given += 1)))) ?? [])) whole++
      latencies.push(performance.now() - begun)
    }
  }
  const begun = performance.now()
  const before = process.cpuUsage()
  await Promise.all(Array.from({ length: THREADS * STACKED }, lane))
  const { user, system } = process.cpuUsage(before)
  return { ms: performance.now() - begun, cpuMs: (user + system) / 1_000, latencies }
}

await batch(Number(runs) / 2)
const measured = await batch(Number(runs))
process.stdout.write(`${JSON.stringify({ ...measured, whole: whole === given })}\n`)
await pool.close()
process.exit(0)
