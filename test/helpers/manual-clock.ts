import type { Clock, Undo } from "../../src/coordinator/ports.ts"

/** A clock that moves only when told. */
export class ManualClock implements Clock {
  #now = 1_000
  #wall = 1_795_378_381_000
  readonly #timers = new Set<{ at: number; callback: () => void }>()

  now(): number {
    return this.#now
  }

  wall(): number {
    return this.#wall
  }

  setTimer(ms: number, callback: () => void): Undo {
    const timer = { at: this.#now + ms, callback }
    this.#timers.add(timer)
    return () => void this.#timers.delete(timer)
  }

  /** Timers that wait. */
  get pending(): number {
    return this.#timers.size
  }

  /** Moves on and calls back, in order of time; those that are set meanwhile, too. */
  advance(ms: number): void {
    const end = this.#now + ms
    for (;;) {
      const [next] = [...this.#timers].filter(({ at }) => at <= end).toSorted((a, b) => a.at - b.at)
      if (next === undefined) break
      this.#timers.delete(next)
      this.#moveTo(Math.max(next.at, this.#now))
      next.callback()
    }
    this.#moveTo(end)
  }

  /** Moves on as `advance` does, but what a timer sets in motion is done before the next one fires. */
  async pass(ms: number): Promise<void> {
    const end = this.#now + ms
    await settled()
    for (;;) {
      const next = Math.min(...[...this.#timers].map(({ at }) => at))
      if (next > end) break
      this.advance(Math.max(0, next - this.#now))
      await settled()
    }
    this.advance(end - this.#now)
  }

  #moveTo(at: number): void {
    this.#wall += at - this.#now
    this.#now = at
  }
}

/** All promises that can settle without time going by have. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
