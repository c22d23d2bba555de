import type { Clock, Undo } from "../coordinator/ports.ts"

/** Where time comes from; replaced in tests. */
export interface RawTime {
  /** Monotonic ms; may or may not go on while the machine sleeps. */
  mono(): number
  /** Epoch ms. */
  wall(): number
  /** Calls back once; may be early or late. `background`: does not keep the process alive. */
  after(ms: number, callback: () => void, options?: { readonly background: boolean }): Undo
}

/** Between two beats; ms. */
const BEAT_MS = 1_000
/** A gap this much longer than a beat was sleep; a shorter one, a busy process. */
const SLEEP_MS = 10_000
/** The longest a runtime's timer can be set to. */
const LONGEST_MS = 2_147_483_647

/**
 * Real time, standing still while the machine sleeps: a task is not aged by a closed lid. Sleep is told from the beats
 * that are missing, because runtimes differ in whether their monotonic clock goes on meanwhile.
 */
export class SystemClock implements Clock, Disposable {
  readonly #raw: RawTime
  #sleptMs = 0
  #beatAt: number
  #undoBeat: Undo = () => {}

  constructor(raw: RawTime = realTime) {
    this.#raw = raw
    this.#beatAt = raw.mono()
    this.#beat()
  }

  now(): number {
    // The first to ask after a sleep may be earlier than the beat: it must not see time jump and come back.
    this.#notice(this.#raw.mono())
    return this.#raw.mono() - this.#sleptMs
  }

  wall(): number {
    return this.#raw.wall()
  }

  setTimer(ms: number, callback: () => void): Undo {
    const due = this.now() + ms
    let undo: Undo = () => {}
    const arm = (): void => {
      const left = due - this.now()
      if (left <= 0) callback()
      else undo = this.#raw.after(Math.min(Math.ceil(left), LONGEST_MS), arm)
    }
    // Never called back before it returns.
    undo = this.#raw.after(Math.min(Math.max(0, Math.ceil(ms)), LONGEST_MS), arm)
    return () => undo()
  }

  /** Stops watching for sleep. Timers that are set still fire. */
  [Symbol.dispose](): void {
    this.#undoBeat()
    // Without beats every pause would look like a sleep.
    this.#beatAt = Number.POSITIVE_INFINITY
  }

  #beat(): void {
    this.#undoBeat = this.#raw.after(
      BEAT_MS,
      () => {
        const now = this.#raw.mono()
        this.#notice(now)
        this.#beatAt = now
        this.#beat()
      },
      { background: true },
    )
  }

  #notice(now: number): void {
    const gap = now - this.#beatAt
    if (gap <= BEAT_MS + SLEEP_MS) return
    this.#sleptMs += gap - BEAT_MS
    this.#beatAt = now
  }
}

const realTime: RawTime = {
  mono: () => performance.now(),
  wall: () => Date.now(),
  after(ms, callback, options) {
    const timer = setTimeout(callback, ms)
    if (options?.background === true) timer.unref()
    return () => clearTimeout(timer)
  },
}
