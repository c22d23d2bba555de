import { Histogram } from "./histogram.ts"

const EVERY_MS = 100
/** Seconds. */
const BOUNDS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5]
/** A gap of that size is a machine that slept, not a thread that was busy. */
const SLEPT_MS = 60_000

/** How late the coordinator's thread is: a timer's delay, sampled ten times a second. */
export class Lag implements Disposable {
  readonly histogram: Histogram = new Histogram(BOUNDS)
  readonly #timer: NodeJS.Timeout

  constructor() {
    let due = performance.now() + EVERY_MS
    this.#timer = setInterval(() => {
      const late = Math.max(0, performance.now() - due)
      if (late < SLEPT_MS) this.histogram.observe(late / 1_000)
      due = performance.now() + EVERY_MS
    }, EVERY_MS)
    this.#timer.unref()
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
  }
}
