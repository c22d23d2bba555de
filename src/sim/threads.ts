import type { StatusSample, Threads } from "../coordinator/ports.ts"
import type { Assignment, RunCommand } from "../core/effects.ts"
import type { ErrorCode } from "../core/errors.ts"
import type { RunReport, ThreadReport } from "../core/inputs.ts"
import type { RunRef, TaskId } from "../core/task.ts"
import { driveSession } from "../../workers/drive-session.ts"
import type { CallFate, CallKind } from "./calls.ts"
import { simApi } from "./calls.ts"
import type { Loop } from "./clock.ts"
import { SimProcess } from "./clock.ts"
import type { SimServer } from "./server.ts"

type DrivenRun = ReturnType<typeof driveSession>

/** How a thread ends before its time. */
export type CrashKind = "throws" | "rejects" | "exits"

/** What threads need of their simulation. */
export interface ThreadWorld {
  readonly loop: Loop
  readonly server: SimServer
  /** The process they belong to: dies and they die. */
  readonly host: SimProcess
  readonly maxWorkers: number
  readonly isolation: "pool" | "task"
  fate(kind: CallKind, run: RunRef): CallFate
  /** How a report travels; `copies` > 1: it comes again later. `overtakes`: later ones pass it. */
  travel(report: RunReport): { readonly ms: number; readonly copies: number; readonly overtakes: boolean }
  /** A worker took a run: what will become of the worker. */
  doom(run: RunRef): { readonly in: number; readonly how: CrashKind | "spins" | "silent" } | undefined
  /** A report arrives that may change nothing; and was heard. */
  stray?(words: string): void
  heard?(): void
  /** The loop of a run threw what it should have reported. */
  bug(thrown: unknown): void
  /** A run began or ended to live in a thread. */
  lives?(run: RunRef, alive: boolean): void
}

interface Admitted {
  leave: "all" | "leaving"
  readonly run: RunRef
}

interface Worker {
  readonly name: string
  readonly process: SimProcess
  readonly runs: Map<
    string,
    { readonly run: RunRef; readonly driven: DrivenRun | undefined; readonly early: RunCommand[] }
  >
  readonly shared: Map<string, Promise<StatusSample>>
  readonly alone: boolean
  /** Reports keep their order. */
  sentUntil: number
  lost: boolean
}

/** A spinning or silent worker is given up after this. */
const SILENT_MS = 10_000
const LEAVING: ReadonlySet<CallKind> = new Set([
  "get",
  "list",
  "status",
  "newest",
  "messages",
  "todos",
  "asks",
  "abort",
  "delete",
])

/** The port Threads, simulated: an elastic pool whose workers crash, spin and fall silent, behind the fence the real one has. */
export class SimThreads implements Threads {
  readonly #world: ThreadWorld
  readonly #workers = new Set<Worker>()
  readonly #where = new Map<string, Worker>()
  readonly #admitted = new Map<string, Admitted>()
  readonly #current = new Map<TaskId, string>()
  #listener: (report: RunReport | ThreadReport) => void = () => {}
  #named = 0
  #closed = false

  constructor(world: ThreadWorld) {
    this.#world = world
  }

  /** Runs that live and may speak. */
  get runs(): number {
    return this.#where.size
  }

  listen(report: (report: RunReport | ThreadReport) => void): void {
    this.#listener = report
  }

  run(assignment: Assignment): void {
    const { run } = assignment
    const key = keyOf(run)
    if (this.#closed || this.#world.host.dead || this.#where.has(key)) return
    this.#world.lives?.(run, true)
    const before = this.#current.get(run.task)
    if (before !== undefined) this.#dismiss(before)
    this.#current.set(run.task, key)
    this.#admitted.set(key, { leave: "all", run })
    const worker = this.#choose(assignment)
    this.#where.set(key, worker)
    worker.runs.set(key, { run, driven: undefined, early: [] })
    this.#world.loop.after(1, () => worker.process.enter(() => this.#drive(worker, assignment)))
    const doom = this.#world.doom(run)
    if (doom === undefined) return
    this.#world.loop.after(doom.in, () => {
      if (!worker.runs.has(key) || worker.lost) return
      if (doom.how === "spins") this.spin(worker.name)
      else if (doom.how === "silent") this.silence(worker.name)
      else this.crash(worker.name, doom.how)
    })
  }

  /** From now on it asks in vain. */
  #dismiss(key: string): void {
    const admitted = this.#admitted.get(key)
    if (admitted !== undefined) this.#restrict(admitted)
    this.#admitted.delete(key)
    this.#where.delete(key)
  }

  /** From now on it may only look, abort and delete: it lives no more, it leaves. */
  #restrict(admitted: Admitted): void {
    if (admitted.leave === "leaving") return
    admitted.leave = "leaving"
    this.#world.lives?.(admitted.run, false)
  }

  command(run: RunRef, command: RunCommand): void {
    const key = keyOf(run)
    const worker = this.#where.get(key)
    if (worker === undefined || this.#world.host.dead) return
    const admitted = this.#admitted.get(key)
    if (command.type === "stop" && admitted !== undefined) this.#restrict(admitted)
    this.#world.loop.after(0.2, () =>
      worker.process.enter(() => {
        const known = worker.runs.get(key)
        if (known?.driven === undefined) known?.early.push(command)
        else known.driven.command(command)
      }),
    )
  }

  close(): Promise<void> {
    this.die()
    return Promise.resolve()
  }

  /** The host is gone, and its threads with it. */
  die(): void {
    this.#closed = true
    for (const admitted of this.#admitted.values()) this.#restrict(admitted)
    for (const worker of this.#workers) worker.process.die()
    this.#workers.clear()
    this.#where.clear()
    this.#admitted.clear()
  }

  // ── What befalls workers ──

  /** Names of workers that have runs. */
  get busyWorkers(): string[] {
    return [...this.#workers].filter(({ runs, lost }) => runs.size > 0 && !lost).map(({ name }) => name)
  }

  /** It ends at once; what it had said arrives, then its end. */
  crash(name: string, how: CrashKind): void {
    const worker = this.#find(name)
    if (worker === undefined) return
    worker.process.die()
    this.#lose(worker, `The worker ${how}`, Math.max(2, worker.sentUntil - this.#world.loop.now + 1))
  }

  /** It stops doing anything, and is ended when its heart-beat is missed. */
  spin(name: string): void {
    const worker = this.#find(name)
    if (worker === undefined) return
    worker.process.freeze()
    this.#world.loop.after(SILENT_MS, () => {
      worker.process.die()
      this.#lose(worker, "No heart-beat for 10 s", 1)
    })
  }

  /** It works on but is no longer heard, so it is given up: from then on the fence refuses what it asks. */
  silence(name: string): void {
    const worker = this.#find(name)
    if (worker !== undefined) this.#lose(worker, "No heart-beat for 10 s", 1)
  }

  #lose(worker: Worker, cause: string, inMs: number): void {
    if (worker.lost) return
    worker.lost = true
    this.#world.loop.after(inMs, () =>
      this.#world.host.enter(() => {
        this.#workers.delete(worker)
        const runs = [...worker.runs.values()]
          .map(({ run }) => run)
          .filter((run) => this.#where.get(keyOf(run)) === worker)
        for (const run of runs) this.#dismiss(keyOf(run))
        this.#listener({ type: "worker-lost", worker: worker.name, cause, runs })
      }),
    )
  }

  #find(name: string): Worker | undefined {
    for (const worker of this.#workers) if (worker.name === name && !worker.lost) return worker
    return undefined
  }

  // ── Runs ──

  #choose(assignment: Assignment): Worker {
    if (assignment.alone || this.#world.isolation === "task") return this.#spawn(true)
    let least: Worker | undefined
    let shared = 0
    for (const worker of this.#workers) {
      if (worker.alone || worker.lost) continue
      shared++
      if (least === undefined || worker.runs.size < least.runs.size) least = worker
    }
    if (least === undefined || (least.runs.size > 0 && shared < this.#world.maxWorkers)) return this.#spawn(false)
    return least
  }

  #spawn(alone: boolean): Worker {
    const name = `worker-${++this.#named}`
    const process = new SimProcess(this.#world.loop, name)
    const worker: Worker = { name, process, runs: new Map(), shared: new Map(), alone, sentUntil: 0, lost: false }
    this.#workers.add(worker)
    this.#world.loop.after(5, () =>
      this.#world.host.enter(() => this.#listener({ type: "worker-started", worker: name })),
    )
    return worker
  }

  #drive(worker: Worker, assignment: Assignment): void {
    const { run } = assignment
    const key = keyOf(run)
    const known = worker.runs.get(key)
    if (known === undefined) return
    const { loop, server } = this.#world
    const api = simApi({
      loop,
      server,
      process: worker.process,
      shared: worker.shared,
      // Calls are carried over the link that reports take: none is answered before what was said before it is heard.
      fate: (kind) => {
        const fate = this.#world.fate(kind, run)
        return { ...fate, ms: Math.max(fate.ms, worker.sentUntil - loop.now) }
      },
      refused: (kind) => this.#refused(key, kind),
    })
    const driven = driveSession(assignment, {
      api,
      clock: worker.process.clock(),
      report: (report) => this.#send(worker, report),
    })
    worker.runs.set(key, { ...known, driven })
    for (const command of known.early) driven.command(command)
    // What it has reported is heard before its end.
    const ended = (): void => {
      worker.runs.delete(key)
      loop.after(Math.max(0, worker.sentUntil - loop.now) + 0.1, () =>
        this.#world.host.enter(() => this.#end(worker, run)),
      )
    }
    driven.done.then(ended, (thrown: unknown) => {
      ended()
      this.#world.bug(thrown)
    })
  }

  #refused(key: string, kind: CallKind): ErrorCode | undefined {
    const admitted = this.#admitted.get(key)
    if (admitted === undefined || (admitted.leave === "leaving" && !LEAVING.has(kind))) return "RUN_MOVED_ON"
    return undefined
  }

  #send(worker: Worker, report: RunReport): void {
    const { loop } = this.#world
    if (worker.process.dead) return
    const { ms, copies, overtakes } = this.#world.travel(report)
    const ordered = Math.max(worker.sentUntil, loop.now + ms)
    const at = overtakes ? loop.now + ms : ordered
    if (!overtakes) worker.sentUntil = ordered
    for (let copy = 0; copy < copies; copy++) {
      loop.after(at - loop.now + copy * 700, () => this.#world.host.enter(() => this.#hear(worker, report, copy > 0)))
    }
  }

  #hear(worker: Worker, report: RunReport, again: boolean): void {
    const admitted = this.#admitted.get(keyOf(report.run))
    const late = admitted === undefined
    // A thread that was given up is not heard, but for what it says of attempts that have moved on.
    if (late && worker.lost && report.type === "stopped") return
    if (report.type === "failed" && admitted !== undefined) this.#restrict(admitted)
    if (report.type === "stopped" || report.type === "failed") this.#end(worker, report.run)
    if (again || late) this.#world.stray?.(`${report.type} of ${keyOf(report.run)}, ${again ? "again" : "late"},`)
    this.#listener(report)
    this.#world.heard?.()
  }

  #end(worker: Worker, run: RunRef): void {
    const key = keyOf(run)
    if (this.#where.get(key) !== worker) return
    this.#dismiss(key)
    if (this.#current.get(run.task) === key) this.#current.delete(run.task)
    if (worker.alone && worker.runs.size === 0) this.#workers.delete(worker)
  }
}

function keyOf(run: RunRef): string {
  return `${run.task}:${run.epoch}:${run.attempt}`
}
