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
  /**
   * Threads at most, zombies included; runs that need one more wait. Before Bun 1.4, threads made at all. Exhaustion of
   * threads or files would end the process, uncatchably. Default 128.
   */
  readonly maxThreads?: number
  /** A worker without runs ends after this; ms, default 30 000. Before Bun 1.4 it stays. */
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
  /** With those that wait for a worker. */
  readonly runs: number
  /** Threads given up that have not closed. */
  readonly zombies: number
  /** Words of runs that had ended: ignored. */
  readonly strays: number
}

/** A run for which there is no thread yet. */
interface WaitingRun {
  readonly assignment: Assignment
  readonly commands: RunCommand[]
}

/** Before Bun 1.4 loading workers crash the process when terminated, and each ended one keeps three files open for ever. */
const OLD_BUN = Bun.semver.satisfies(Bun.version, "<1.4.0")

/** Runs on Bun Workers: one each until `maxWorkers`, then the least loaded. Idle workers end, where that is free. */
export class WorkerPool implements Threads {
  readonly #options: PoolOptions
  readonly #settings: ThreadSettings
  readonly #threads = new Set<WorkerThread>()
  readonly #zombies = new Set<WorkerThread>()
  /** Threads with a run that shares with no other. */
  readonly #exclusive = new Set<WorkerThread>()
  readonly #where = new Map<string, WorkerThread>()
  readonly #waiting = new Map<string, WaitingRun>()
  readonly #idle = new Map<WorkerThread, Undo>()
  #listener: (report: RunReport | ThreadReport) => void = () => {}
  /** Ended threads that still count, because they left files open. */
  #spent = 0
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
      mayTerminateLoading: !OLD_BUN,
    }
  }

  listen(report: (report: RunReport | ThreadReport) => void): void {
    this.#listener = report
  }

  run(assignment: Assignment): void {
    const key = runKey(assignment.run)
    if (this.#closing !== undefined || this.#where.has(key) || this.#waiting.has(key)) return
    for (const thread of this.#threads) thread.supersede(assignment.run.task)
    this.#waiting.set(key, { assignment, commands: [] })
    this.#place()
  }

  command(run: RunRef, command: RunCommand): void {
    const key = runKey(run)
    this.#where.get(key)?.command(run, command)
    this.#waiting.get(key)?.commands.push(command)
  }

  counts(): PoolCounts {
    return {
      workers: this.#threads.size,
      runs: this.#where.size + this.#waiting.size,
      zombies: this.#zombies.size,
      strays: this.#strays,
    }
  }

  close(): Promise<void> {
    if (this.#closing === undefined) {
      this.#closing = Promise.withResolvers()
      this.#where.clear()
      this.#waiting.clear()
      for (const thread of [...this.#threads]) {
        this.#rouse(thread)
        thread.close()
      }
      this.#settle()
    }
    return this.#closing.promise
  }

  /** Gives a thread to each run that waits for one, as far as there are any. */
  #place(): void {
    for (const [key, { assignment, commands }] of this.#waiting) {
      const exclusive = assignment.alone || this.#options.isolation === "task"
      const thread = this.#choose(exclusive)
      if (thread === undefined) continue
      this.#waiting.delete(key)
      this.#where.set(key, thread)
      this.#rouse(thread)
      if (exclusive) this.#exclusive.add(thread)
      thread.take(assignment)
      for (const command of commands) thread.command(assignment.run, command)
    }
    // Nothing runs whose end could make room. Told later: whoever starts a run is not to hear of its loss at once.
    if (this.#waiting.size > 0 && this.#threads.size === 0) queueMicrotask(() => this.#giveUp())
  }

  /** Spread, then stack. */
  #choose(exclusive: boolean): WorkerThread | undefined {
    const open = [...this.#threads].filter((thread) => thread.open)
    const resting = open.find((thread) => thread.load === 0)
    const shared = open
      .filter((thread) => thread.load > 0 && !this.#exclusive.has(thread))
      .toSorted((a, b) => a.load - b.load)
    if (!exclusive && shared.length >= this.#options.maxWorkers) return shared[0]
    return resting ?? this.#create() ?? (exclusive ? undefined : shared[0])
  }

  #create(): WorkerThread | undefined {
    const used = this.#threads.size + this.#zombies.size + this.#spent
    if (used >= (this.#options.maxThreads ?? 128)) return undefined
    this.#named += 1
    const name = `worker-${this.#named}`
    const thread: WorkerThread = new WorkerThread(name, this.#settings, {
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
        this.#remove(thread, zombie)
        for (const run of loss?.runs ?? []) this.#where.delete(runKey(run))
        this.#place()
        if (loss !== undefined && this.#closing === undefined) {
          this.#listener({ type: "worker-lost", worker: name, ...loss })
        }
        this.#settle()
      },
      closed: () => {
        this.#zombies.delete(thread)
        if (OLD_BUN) this.#spent += 1
        this.#place()
      },
    })
    this.#threads.add(thread)
    return thread
  }

  #remove(thread: WorkerThread, zombie: boolean): void {
    this.#threads.delete(thread)
    this.#exclusive.delete(thread)
    this.#rouse(thread)
    if (zombie) this.#zombies.add(thread)
    else if (OLD_BUN) this.#spent += 1
  }

  #giveUp(): void {
    if (this.#threads.size > 0) return
    const runs = [...this.#waiting.values()].map(({ assignment }) => assignment.run)
    this.#waiting.clear()
    const cause = "There is no thread to be had: too many did not end. Start the program again."
    if (runs.length > 0) this.#listener({ type: "worker-lost", worker: "none", cause, runs })
  }

  #rest(thread: WorkerThread): void {
    this.#exclusive.delete(thread)
    this.#place()
    if (thread.load > 0 || OLD_BUN) return
    const retire = (): void => {
      this.#rouse(thread)
      thread.retire()
    }
    this.#idle.set(thread, lingering(this.#options.idleMs ?? 30_000, retire))
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
