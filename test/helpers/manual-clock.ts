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

  #moveTo(at: number): void {
    this.#wall += at - this.#now
    this.#now = at
  }
}
