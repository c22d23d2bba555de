import type { Clock } from "../src/coordinator/ports.ts"

/** What one worker may say: each far above what polling every 100 ms needs, so that exceeding it means a fault. */
export interface FloodLimits {
  /** Messages per second of a worker, and for each of its runs on top. */
  readonly perSecond: number
  readonly perRun: number
  /** Messages it may send at once, as after a stall of the main thread. */
  readonly burst: number
}

export const FLOOD: FloodLimits = { perSecond: 1_000, perRun: 200, burst: 10_000 }

/** So much text costs as much as a message. */
const CHARS_PER_TOKEN = 16_384

/** A bucket of tokens: each message takes one, long ones more; empty means that the worker floods. */
export class FloodGuard {
  readonly #clock: Clock
  readonly #limits: FloodLimits
  #tokens: number
  #filledAt: number

  constructor(clock: Clock, limits: FloodLimits) {
    this.#clock = clock
    this.#limits = limits
    this.#tokens = limits.burst
    this.#filledAt = clock.now()
  }

  /** Takes what a message of so many characters costs; false when there is not enough left. */
  admit(chars: number, runs: number): boolean {
    const now = this.#clock.now()
    const rate = (this.#limits.perSecond + this.#limits.perRun * runs) / 1_000
    this.#tokens = Math.min(this.#limits.burst, this.#tokens + (now - this.#filledAt) * rate)
    this.#filledAt = now
    this.#tokens -= 1 + Math.floor(chars / CHARS_PER_TOKEN)
    return this.#tokens >= 0
  }
}
