import type { Book } from "./book.ts"
import type { SlotToken } from "./lanes.ts"
import { BOUNDS } from "./options.ts"
import type { Run } from "./run.ts"
import { same } from "./run.ts"
import type { RunRef, TaskId } from "./task.ts"

/**
 * How a run leaves its session: it is idle already; its worker must abort it; its worker was lost, so it is aborted from
 * here; or nothing of it is left in any session.
 */
export type Leave = "idle" | "abort" | "lost" | "gone"

/** A run that has ended but may still be in its session. */
interface Draining {
  readonly ref: RunRef
  /** Undefined once given back. */
  token: SlotToken | undefined
  readonly sessionID: string | undefined
  readonly directory: string
  /** How long a successor waits for it. */
  readonly until: number
  /** Nobody is left who could report that it has left. */
  lost: boolean
}

export interface DrainEvents {
  /** A slot is to be given back. */
  freed(token: SlotToken, ref: RunRef): void
  /** The task's next run may enter the session. */
  left(id: TaskId): void
  /** It is not known to have left, and will not be waited for any longer. */
  stuck(id: TaskId): void
}

/*
 *            stopped, or no worker and drainMs
 *  draining ───────────────────────────────────────────────▶ left
 *     │ drainMs: slot back, aborted from here    ▲ stopped
 *     └─────────────▶ draining without a slot ───┤
 *                                                └─ predecessorMs ─▶ stuck
 */
/** Runs on their way out: each keeps its slot until its session is seen idle, but not for long. */
export class Drains {
  readonly #book: Book
  readonly #on: DrainEvents
  readonly #draining = new Map<TaskId, Draining>()

  constructor(book: Book, on: DrainEvents) {
    this.#book = book
    this.#on = on
  }

  get size(): number {
    return this.#draining.size
  }

  has(id: TaskId): boolean {
    return this.#draining.has(id)
  }

  /** Takes a settled run out of its session and, sooner or later, its slot back. */
  leave(run: Run, leave: Leave): void {
    const { id, sessionID, spec } = run.task
    const { mono } = this.#book.now
    if (leave === "gone" || !run.started) return this.#on.freed(run.token, run.ref)
    const draining: Draining = {
      ref: run.ref,
      token: leave === "idle" ? undefined : run.token,
      sessionID,
      directory: spec.directory,
      until: mono + BOUNDS.predecessorMs,
      lost: leave === "lost",
    }
    this.#draining.set(id, draining)
    this.#book.due.set(`d:${id}`, mono + BOUNDS.drainMs)
    if (leave === "lost") this.#abort(draining)
    else this.#book.command(run, { type: "stop", abort: leave === "abort" })
    if (leave === "idle") this.#on.freed(run.token, run.ref)
  }

  /** A stopped run has left its session; false if none was waited for. */
  stopped(ref: RunRef): boolean {
    const draining = this.#of(ref)
    if (draining === undefined) return false
    this.#end(ref.task, draining)
    return true
  }

  /** Its worker is gone before it has stopped it; false if it is not on its way out. */
  workerLost(ref: RunRef): boolean {
    const draining = this.#of(ref)
    if (draining === undefined) return false
    draining.lost = true
    this.#abort(draining)
    this.#book.due.set(`d:${ref.task}`, Math.min(draining.until, this.#book.now.mono + BOUNDS.drainMs))
    return true
  }

  /** Its worker has not stopped it in time: the slot comes back, the session is aborted from here, once. */
  due(id: TaskId): void {
    const draining = this.#draining.get(id)
    if (draining === undefined) return
    // Its session was aborted from here when the worker was lost; whether it is idle, a successor sees for itself.
    if (draining.lost) return this.#end(id, draining)
    if (this.#book.now.mono >= draining.until) {
      this.#draining.delete(id)
      return this.#on.stuck(id)
    }
    this.#book.due.set(`d:${id}`, draining.until)
    this.#abort(draining)
    this.#giveBack(draining)
  }

  #end(id: TaskId, draining: Draining): void {
    this.#draining.delete(id)
    this.#book.due.clear(`d:${id}`)
    this.#giveBack(draining)
    this.#on.left(id)
  }

  #giveBack(draining: Draining): void {
    const { token, ref } = draining
    draining.token = undefined
    if (token !== undefined) this.#on.freed(token, ref)
  }

  #abort({ sessionID, directory }: Draining): void {
    if (sessionID !== undefined) this.#book.ask({ type: "abort", sessionID, directory })
  }

  #of(ref: RunRef): Draining | undefined {
    const draining = this.#draining.get(ref.task)
    return draining !== undefined && same(draining.ref, ref) ? draining : undefined
  }
}
