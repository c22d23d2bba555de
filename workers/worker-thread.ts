import { wrap } from "comlink"
import type { Remote } from "comlink"

import type { Clock, Transport, Undo } from "../src/coordinator/ports.ts"
import type { Assignment, RunCommand } from "../src/core/effects.ts"
import { LanesError } from "../src/core/errors.ts"
import type { RunReport } from "../src/core/inputs.ts"
import type { RunRef } from "../src/core/task.ts"
import { readMessage, readPong, weigh } from "./door.ts"
import { Fence } from "./fence.ts"
import { FloodGuard } from "./flood-guard.ts"
import type { FloodLimits } from "./flood-guard.ts"
import { HeartBeat } from "./heart-beat.ts"
import { isComlinkAnswer, isTagged, messageOf, runKey, TAG } from "./link.ts"
import type { FromWorker, ToWorker, WorkerCalls } from "./link.ts"

export interface ThreadSettings {
  readonly transport: Transport
  readonly clock: Clock
  readonly url: URL | string
  readonly env: Record<string, string>
  /** Time a worker has to become ready, and time it has to close; ms. */
  readonly readyMs: number
  readonly closeMs: number
  readonly heartbeatMs: number
  readonly silentMs: number
  readonly heapLimitBytes: number
  readonly flood: FloodLimits
  /** Before Bun 1.4 the process crashes when a worker is terminated while it loads. */
  readonly mayTerminateLoading: boolean
}

/** What the pool hears of a thread. */
export interface ThreadEvents {
  started(): void
  report(report: RunReport): void
  /** Something of a worker's that nobody asked for any more. */
  stray(): void
  ended(run: RunRef): void
  /** Once, at the end. With a loss: nobody asked for it. A zombie's thread has not closed; `closed` may follow. */
  over(end: {
    readonly loss?: { readonly cause: string; readonly runs: readonly RunRef[] }
    readonly zombie: boolean
  }): void
  closed(): void
}

type State = "loading" | "serving" | "leaving" | "failing" | "over"

/**
 * One worker, seen from the host. It may be given runs at once; they reach it when it is ready.
 *
 *   loading ──ready──▶ serving ──retire──▶ leaving ──close, or too late──▶ over
 *      │                  │
 *      ├──────────────────┴─ error, close, fault: silent, garbled, flooding, too big ─▶ failing ─close, or too late─▶ over (lost)
 *      └──────────────────┴─ the pool closes (a failing one, too) ─▶ leaving
 */
export class WorkerThread {
  readonly name: string
  readonly #settings: ThreadSettings
  readonly #events: ThreadEvents
  readonly #fence: Fence
  readonly #guard: FloodGuard
  readonly #heart: HeartBeat
  readonly #runs = new Map<string, RunRef>()
  /** Runs that have said `stopped`, their last word, and are about to leave. */
  readonly #stopped = new Set<string>()
  readonly #fetches = new Map<number, AbortController>()
  #state: State = "loading"
  #ready = false
  // Both are held until the end: Comlink kills a worker whose root is collected.
  #worker: Worker | undefined
  #calls: Remote<WorkerCalls> | undefined
  #backlog: ((calls: Remote<WorkerCalls>) => Promise<void>)[] = []
  #cause: string | undefined
  #deaf = false
  #bound: Undo | undefined

  constructor(name: string, settings: ThreadSettings, events: ThreadEvents) {
    this.name = name
    this.#settings = settings
    this.#events = events
    this.#fence = new Fence(settings.transport)
    this.#guard = new FloodGuard(settings.clock, settings.flood)
    this.#heart = new HeartBeat({
      clock: settings.clock,
      everyMs: settings.heartbeatMs,
      silentMs: settings.silentMs,
      ping: () => this.#ping(),
      onSilent: () => this.#fail(`It did not answer for ${settings.silentMs} ms.`, "terminate"),
    })
    this.#start()
  }

  /** Takes runs. */
  get open(): boolean {
    return this.#state === "loading" || this.#state === "serving"
  }

  get load(): number {
    return this.#runs.size
  }

  #start(): void {
    const { url, env, clock, readyMs } = this.#settings
    this.#bound = clock.setTimer(readyMs, () => this.#fail(`It was not ready after ${readyMs} ms.`, "terminate"))
    try {
      const worker = new Worker(url, { name: this.name, env, type: "module" })
      this.#worker = worker
      worker.addEventListener("message", (event: MessageEvent) => this.#hear(event.data))
      worker.addEventListener("messageerror", () => this.#fail("It sent what cannot be read.", "silence"))
      worker.addEventListener("error", ({ message }: ErrorEvent) => {
        // Said first, for the end of a long message is cut. Apps that are bundled leave the worker's file behind.
        const missing = !this.#ready && /ModuleNotFound|cannot find|not found/i.test(message)
        const remedy = missing
          ? "Its file is not there: set workerUrl to it, in a bundled app to an entry that imports opencode-lanes/worker. "
          : ""
        this.#fail(`${remedy}${message}`.slice(0, 500), "let it end")
      })
      worker.addEventListener("close", () => this.#closed())
      this.#calls = wrap<WorkerCalls>(worker)
    } catch (thrown) {
      // Heard later: whoever starts a run is not to be told of its loss in the same breath.
      queueMicrotask(() => this.#over(messageOf(thrown)))
    }
  }

  take(assignment: Assignment): void {
    this.#runs.set(runKey(assignment.run), assignment.run)
    this.#fence.admit(assignment.run)
    this.#worker?.ref()
    if (this.#state === "serving") this.#heart.start()
    this.#tell((calls) => calls.run(assignment))
  }

  command(run: RunRef, command: RunCommand): void {
    const key = runKey(run)
    if (!this.#runs.has(key) || this.#stopped.has(key)) return
    if (command.type === "stop") this.#fence.restrict(run)
    this.#tell((calls) => calls.command(run, command))
  }

  /** A newer run of this task exists: older ones no longer reach the server. */
  supersede(task: string): void {
    for (const run of this.#runs.values()) if (run.task === task) this.#fence.dismiss(run)
  }

  /** Ends an idle worker from inside. */
  retire(): void {
    if (this.#state !== "serving") return
    this.#state = "leaving"
    this.#heart.stop()
    this.#ask((calls) => calls.close())
    this.#limit(() => this.#end())
  }

  /** Ends it, whatever it does; its runs are dropped. */
  close(): void {
    if (this.#state === "over") return
    this.#state = "leaving"
    this.#deaf = this.#ready
    this.#drop()
    this.#end()
  }

  #tell(ask: (calls: Remote<WorkerCalls>) => Promise<void>): void {
    if (this.#ready) this.#ask(ask)
    else this.#backlog.push(ask)
  }

  /** Calls the worker. A call it never answers holds nobody up: its end is heard by `close` and the heart-beat. */
  #ask(ask: (calls: Remote<WorkerCalls>) => Promise<void>): void {
    if (this.#calls === undefined) return
    ask(this.#calls).catch((thrown: unknown) => this.#fail(messageOf(thrown), "terminate"))
  }

  async #ping(): Promise<void> {
    const pong = readPong(await this.#calls?.ping().catch(() => undefined))
    if (pong === undefined) this.#fail("Its heart-beat is garbled.", "silence")
    else if (pong.heap > this.#settings.heapLimitBytes) this.#fail(`Its heap grew to ${pong.heap} bytes.`, "terminate")
  }

  #hear(message: unknown): void {
    if (this.#deaf) return
    const chars = weigh(message)
    if (chars === undefined) this.#fail("It sent a message larger than any there is.", "silence")
    else if (!this.#guard.admit(chars, this.#runs.size)) this.#fail("It flooded the main thread.", "silence")
    else if (isTagged(message)) this.#read(readMessage(message))
    else if (!isComlinkAnswer(message)) this.#fail("It sent a garbled message.", "silence")
  }

  #read(message: FromWorker | undefined): void {
    if (message === undefined) return this.#fail("It sent a garbled message.", "silence")
    switch (message[TAG]) {
      case "ready":
        return this.#serve()
      case "report":
        return this.#report(message.report)
      case "ended":
        return this.#ended(message.run)
      case "fetch":
        return void this.#fetch(message)
      case "forgo":
        return this.#fetches.get(message.call)?.abort()
      case "fatal":
        return this.#fail(message.message, "let it end")
    }
  }

  #serve(): void {
    this.#ready = true
    if (this.#state === "leaving") return this.#end()
    if (this.#state !== "loading") return
    this.#state = "serving"
    this.#bound?.()
    for (const ask of this.#backlog.splice(0)) this.#ask(ask)
    if (this.#runs.size > 0) this.#heart.start()
    this.#events.started()
  }

  #report(report: RunReport): void {
    const key = runKey(report.run)
    if (!this.#runs.has(key) || this.#stopped.has(key)) return this.#events.stray()
    if (report.type === "failed") this.#fence.restrict(report.run)
    if (report.type === "stopped") {
      this.#stopped.add(key)
      this.#fence.dismiss(report.run)
    }
    this.#events.report(report)
  }

  #ended(run: RunRef): void {
    if (!this.#runs.delete(runKey(run))) return this.#events.stray()
    this.#stopped.delete(runKey(run))
    this.#fence.dismiss(run)
    if (this.#runs.size === 0) this.#rest()
    this.#events.ended(run)
  }

  /** Without runs it neither beats nor keeps the process alive. */
  #rest(): void {
    this.#heart.stop()
    this.#worker?.unref()
  }

  async #fetch({ call, run, request }: Extract<FromWorker, { readonly [TAG]: "fetch" }>): Promise<void> {
    const waiting = new AbortController()
    this.#fetches.set(call, waiting)
    const answer = await this.#fence.fetch(run, request, waiting.signal).then(
      (response): ToWorker => ({ [TAG]: "answer", call, response }),
      (thrown: unknown): ToWorker => ({ [TAG]: "answer", call, error: LanesError.from(thrown, "GARBLED").toData() }),
    )
    this.#fetches.delete(call)
    if (!waiting.signal.aborted && this.#state !== "over") this.#worker?.postMessage(answer)
  }

  /**
   * The worker is lost. What it still says is passed on until it has closed, unless it is to be silenced; but it no longer
   * reaches the server.
   */
  #fail(cause: string, how: "let it end" | "terminate" | "silence"): void {
    if (how === "silence") this.#deaf = true
    if (this.#state !== "loading" && this.#state !== "serving") return
    this.#state = "failing"
    this.#cause = cause
    this.#heart.stop()
    this.#fence.close()
    if (how === "let it end") this.#limit(() => this.#end())
    else this.#end()
  }

  /** Terminates the thread where that is safe, and waits for its close no longer than a while. */
  #end(): void {
    if (this.#ready || this.#settings.mayTerminateLoading) this.#worker?.terminate()
    this.#limit(() => this.#over(this.#cause))
  }

  #limit(tooLate: () => void): void {
    this.#bound?.()
    this.#bound = this.#settings.clock.setTimer(this.#settings.closeMs, tooLate)
  }

  #closed(): void {
    const asked = this.#state === "leaving"
    const zombie = this.#state === "over"
    const thread = this.#worker
    this.#worker = undefined
    if (zombie) this.#events.closed()
    else this.#over(asked ? undefined : (this.#cause ?? "It exited."))
    thread?.unref()
  }

  #over(cause?: string): void {
    if (this.#state === "over") return
    this.#state = "over"
    this.#deaf = true
    const runs = [...this.#runs.values()]
    this.#drop()
    this.#events.over({ ...(cause === undefined ? {} : { loss: { cause, runs } }), zombie: this.#worker !== undefined })
  }

  #drop(): void {
    this.#bound?.()
    this.#fence.close()
    this.#runs.clear()
    this.#rest()
    this.#backlog = []
  }
}
