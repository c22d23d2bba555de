import type { Clock, Threads, Transport, Undo } from "../src/coordinator/ports.ts"
import type { Assignment, RunCommand } from "../src/core/effects.ts"
import type { RunReport, ThreadReport } from "../src/core/inputs.ts"
import type { RunRef } from "../src/core/task.ts"
import { FLOOD } from "./flood-guard.ts"
import type { FloodLimits } from "./flood-guard.ts"
import { runKey, shareErrors } from "./link.ts"
import { WorkerThread } from "./worker-thread.ts"
import type { ThreadSettings } from "./worker-thread.ts"

export interface PoolOptions {
  /** How requests of runs reach the server; credentials stay behind it. */
  readonly transport: Transport
  readonly clock: Clock
  /** Workers that share runs, at most. */
  readonly maxWorkers: number
  /** `task` gives each run a worker of its own. */
  readonly isolation: "pool" | "task"
  /** Where the worker's file is, when it was bundled away from its place beside this one. */
  readonly workerUrl?: URL | string
  /** Threads at most, zombies included; runs that need one more wait. Exhaustion ends the process, uncatchably. */
  readonly maxThreads?: number
  /** A worker without runs ends after this; ms. */
  readonly idleMs?: number
  readonly heartbeatMs?: number
  /** A worker that answers no heart-beat for so long is lost; ms. */
  readonly silentMs?: number
  /** Time a worker has to load; ms. */
  readonly readyMs?: number
  /** Time a thread has to close before it counts as a zombie; ms. */
  readonly closeMs?: number
  readonly heapLimitBytes?: number
  /** Environment variables workers may see, by name. */
  readonly env?: readonly string[]
  readonly flood?: FloodLimits
}

/** What there is at this moment. */
export interface PoolCounts {
  readonly workers: number
  readonly runs: number
  /** Threads given up that have not closed. */
  readonly zombies: number
  /** Words of runs that had ended: ignored. */
  readonly strays: number
}

/** Runs on Bun Workers: one each until `maxWorkers`, then the least loaded. Idle workers end. */
export class WorkerPool implements Threads {
  readonly #options: PoolOptions
  readonly #settings: ThreadSettings
  readonly #threads = new Set<WorkerThread>()
  readonly #zombies = new Set<WorkerThread>()
  readonly #where = new Map<string, WorkerThread>()
  readonly #idle = new Map<WorkerThread, Undo>()
  #listener: (report: RunReport | ThreadReport) => void = () => {}
  #strays = 0
  #named = 0
  #closing: PromiseWithResolvers<void> | undefined

  constructor(options: PoolOptions) {
    shareErrors()
    this.#options = options
    this.#settings = {
      transport: options.transport,
      clock: options.clock,
      url: options.workerUrl ?? new URL("./session-worker.js", import.meta.url),
      env: allowed(options.env ?? ["TZ", "LANG", "LC_ALL"]),
      readyMs: options.readyMs ?? 15_000,
      closeMs: options.closeMs ?? 1_000,
      heartbeatMs: options.heartbeatMs ?? 1_000,
      silentMs: options.silentMs ?? 10_000,
      heapLimitBytes: options.heapLimitBytes ?? 1_000_000_000,
      flood: options.flood ?? FLOOD,
      mayTerminateLoading: Bun.semver.satisfies(Bun.version, ">=1.4.0"),
    }
  }

  listen(report: (report: RunReport | ThreadReport) => void): void {
    this.#listener = report
  }

  run(assignment: Assignment): void {
    const key = runKey(assignment.run)
    if (this.#closing !== undefined || this.#where.has(key)) return
    for (const thread of this.#threads) thread.supersede(assignment.run.task)
    const thread = this.#choose(assignment)
    this.#rouse(thread)
    this.#where.set(key, thread)
    thread.take(assignment)
    this.#startWaiting()
  }

  command(run: RunRef, command: RunCommand): void {
    this.#where.get(runKey(run))?.command(run, command)
  }

  counts(): PoolCounts {
    const { size: workers } = this.#threads
    return { workers, runs: this.#where.size, zombies: this.#zombies.size, strays: this.#strays }
  }

  close(): Promise<void> {
    if (this.#closing === undefined) {
      this.#closing = Promise.withResolvers()
      this.#where.clear()
      for (const thread of [...this.#threads]) {
        this.#rouse(thread)
        thread.close()
      }
      this.#settle()
    }
    return this.#closing.promise
  }

  /** Spread, then stack. */
  #choose(assignment: Assignment): WorkerThread {
    const exclusive = assignment.alone || this.#options.isolation === "task"
    if (exclusive) return this.#create(true)
    const shared = [...this.#threads].filter((thread) => thread.open && !thread.exclusive)
    const least = shared.reduce<WorkerThread | undefined>(
      (a, b) => (a === undefined || b.load < a.load ? b : a),
      undefined,
    )
    if (least === undefined || (least.load > 0 && shared.length < this.#options.maxWorkers)) return this.#create(false)
    return least
  }

  #create(exclusive: boolean): WorkerThread {
    this.#named += 1
    const name = `worker-${this.#named}`
    const thread: WorkerThread = new WorkerThread(name, exclusive, this.#settings, {
      started: () => this.#listener({ type: "worker-started", worker: name }),
      report: (report) => this.#listener(report),
      stray: () => {
        this.#strays += 1
      },
      ended: (run) => {
        this.#where.delete(runKey(run))
        if (thread.load === 0) this.#rest(thread)
      },
      over: ({ loss, zombie }) => {
        this.#threads.delete(thread)
        this.#rouse(thread)
        if (zombie) this.#zombies.add(thread)
        for (const run of loss?.runs ?? []) this.#where.delete(runKey(run))
        this.#startWaiting()
        if (loss !== undefined && this.#closing === undefined) {
          this.#listener({ type: "worker-lost", worker: name, ...loss })
        }
        this.#settle()
      },
      closed: () => {
        this.#zombies.delete(thread)
        this.#startWaiting()
      },
    })
    this.#threads.add(thread)
    return thread
  }

  /** Spawns threads for runs that wait for one, as far as there is room; a resting worker makes room. */
  #startWaiting(): void {
    const limit = this.#options.maxThreads ?? 128
    const waiting = [...this.#threads].filter((thread) => thread.waiting)
    let room = limit - (this.#threads.size - waiting.length) - this.#zombies.size
    for (const thread of waiting) {
      if (room <= 0) {
        const [resting] = this.#idle.keys()
        if (resting === undefined) return
        this.#rouse(resting)
        resting.retire()
      } else {
        room -= 1
        thread.start()
      }
    }
  }

  #rest(thread: WorkerThread): void {
    if (thread.exclusive) thread.retire()
    else
      this.#idle.set(
        thread,
        lingering(this.#options.idleMs ?? 30_000, () => (this.#rouse(thread), thread.retire())),
      )
  }

  #rouse(thread: WorkerThread): void {
    this.#idle.get(thread)?.()
    this.#idle.delete(thread)
  }

  #settle(): void {
    if (this.#threads.size === 0) this.#closing?.resolve()
  }
}

/** A timer that does not keep the process alive: an idle worker is no reason to stay. */
function lingering(ms: number, callback: () => void): Undo {
  const timer = setTimeout(callback, ms)
  timer.unref()
  return () => clearTimeout(timer)
}

function allowed(names: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    names.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
  )
}
