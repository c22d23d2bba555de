import type { Clock, Threads, Transport } from "../src/coordinator/ports.ts"
import type { Assignment, RunCommand } from "../src/core/effects.ts"
import type { RunReport, ThreadReport } from "../src/core/inputs.ts"
import type { RunRef } from "../src/core/task.ts"
import type { DrivenRun } from "./drive-session.ts"
import { Fence } from "./fence.ts"
import { messageOf, runKey } from "./link.ts"
import type { LoadRole, Role } from "./role.ts"

export interface InlineOptions {
  readonly transport: Transport
  readonly clock: Clock
  /** What drives a run; the same as a worker's unless given. */
  readonly load?: LoadRole
}

interface InlineRun {
  readonly run: RunRef
  /** Undefined until the role is loaded. */
  driven: DrivenRun | undefined
  readonly early: RunCommand[]
  /** It has said `stopped`, its last word, and is about to leave. */
  stopped: boolean
}

interface Connected {
  readonly drive: Role["drive"]
  readonly view: ReturnType<Role["connect"]>
}

/** The name of the one thread there is, as reports tell it. */
const NAME = "inline"

/**
 * Runs on the main thread, for hosts without Web Worker. The same loop behind the same fence; but a run that spins stops
 * everything, and an error nobody caught is the host's.
 */
export class InlineThreads implements Threads {
  readonly #clock: Clock
  readonly #fence: Fence
  readonly #role: Promise<Connected>
  readonly #runs = new Map<string, InlineRun>()
  #listener: (report: RunReport | ThreadReport) => void = () => {}
  #closed = false

  constructor(options: InlineOptions) {
    this.#clock = options.clock
    this.#fence = new Fence(options.transport)
    this.#role = (options.load ?? loadSessionRole)().then(({ drive, connect }) => ({
      drive,
      view: connect({ fetch: (run, request, signal) => this.#fence.fetch(run, request, signal), clock: options.clock }),
    }))
    // Each run hears of a failure itself; without runs nobody has to.
    this.#role.catch(() => {})
  }

  listen(report: (report: RunReport | ThreadReport) => void): void {
    this.#listener = report
  }

  run(assignment: Assignment): void {
    const { run } = assignment
    if (this.#closed || this.#runs.has(runKey(run))) return
    for (const other of this.#runs.values()) if (other.run.task === run.task) this.#fence.dismiss(other.run)
    this.#runs.set(runKey(run), { run, driven: undefined, early: [], stopped: false })
    this.#fence.admit(run)
    this.#role
      .then((role) => this.#drive(role, assignment))
      .then(
        () => this.#forget(run),
        (thrown: unknown) => this.#lose(run, messageOf(thrown)),
      )
  }

  command(run: RunRef, command: RunCommand): void {
    const known = this.#runs.get(runKey(run))
    if (known === undefined || known.stopped) return
    if (command.type === "stop") this.#fence.restrict(run)
    if (known.driven === undefined) known.early.push(command)
    else this.#guarded(run, known.driven, command)
  }

  close(): Promise<void> {
    this.#closed = true
    const runs = [...this.#runs.values()]
    this.#runs.clear()
    this.#fence.close()
    // What is driven here cannot be terminated: it is told to leave, and nothing it says is passed on.
    for (const { run, driven } of runs) if (driven) this.#guarded(run, driven, { type: "stop", abort: false })
    return Promise.resolve()
  }

  async #drive({ drive, view }: Connected, assignment: Assignment): Promise<void> {
    const { run } = assignment
    const known = this.#runs.get(runKey(run))
    if (known === undefined) return
    const driven = drive(assignment, {
      api: view(run),
      clock: this.#clock,
      report: (report) => this.#report(report),
    })
    known.driven = driven
    for (const command of known.early.splice(0)) this.#guarded(run, driven, command)
    await driven.done
  }

  #guarded(run: RunRef, driven: DrivenRun, command: RunCommand): void {
    try {
      driven.command(command)
    } catch (thrown) {
      this.#lose(run, messageOf(thrown))
    }
  }

  #report(report: RunReport): void {
    const known = this.#runs.get(runKey(report.run))
    if (known === undefined || known.stopped) return
    if (report.type === "failed") this.#fence.restrict(report.run)
    if (report.type === "stopped") {
      known.stopped = true
      this.#fence.dismiss(report.run)
    }
    this.#listener(report)
  }

  #forget(run: RunRef): boolean {
    this.#fence.dismiss(run)
    return this.#runs.delete(runKey(run))
  }

  #lose(run: RunRef, cause: string): void {
    if (this.#forget(run)) this.#listener({ type: "worker-lost", worker: NAME, cause, runs: [run] })
  }
}

const loadSessionRole: LoadRole = async () => (await import("./session-role.ts")).sessionRole
