import type { Clock, Undo } from "../coordinator/ports.ts"
import { drain } from "./micro-tasks.ts"

/** One thing that will happen; `index` is its place in the heap, -1 = no longer there. */
interface Due {
  readonly at: number
  readonly seq: number
  readonly run: () => void
  index: number
}

/**
 * Virtual time and everything that will happen in it. Nothing global is patched: several loops live side by side, each with
 * its own time. What falls on the same millisecond happens in the order it was asked for, and after each event all promises
 * that it settled have run to their end, so that a simulation is synchronous from the outside.
 */
export class Loop {
  /** Monotonic ms; stands still while the machine sleeps. */
  now = 0
  /** Epoch ms at mono 0, moved by sleep and by whoever sets the clock. */
  wallOffset: number
  /** Events that have happened. */
  count = 0
  #seq = 0
  readonly #heap: Due[] = []

  constructor(wallStart: number) {
    this.wallOffset = wallStart
  }

  get wall(): number {
    return Math.floor(this.wallOffset + this.now)
  }

  /** Events still to come. */
  get pending(): number {
    return this.#heap.length
  }

  /** When the next event happens. */
  get nextAt(): number | undefined {
    return this.#heap[0]?.at
  }

  /** Has `run` called in `ms`. */
  after(ms: number, run: () => void): Undo {
    const due: Due = { at: this.now + Math.max(0, ms), seq: ++this.#seq, run, index: 0 }
    this.#place(due, this.#heap.length)
    this.#rise(due)
    return () => this.#remove(due)
  }

  /** Lets the next event happen, and all promises it settled; false when there is none until `until`. */
  step(until: number): boolean {
    const next = this.#heap[0]
    if (next === undefined || next.at > until) return false
    this.#remove(next)
    this.now = next.at
    this.count++
    next.run()
    drain()
    return true
  }

  /** Moves time on to a moment before the next event. */
  skipTo(at: number): void {
    this.now = Math.max(this.now, at)
  }

  #remove(due: Due): void {
    const { index } = due
    if (index < 0) return
    due.index = -1
    const last = this.#heap.pop()
    if (last === undefined || last === due) return
    this.#place(last, index)
    this.#sink(last)
    this.#rise(last)
  }

  #place(due: Due, index: number): void {
    this.#heap[index] = due
    due.index = index
  }

  #rise(due: Due): void {
    let { index } = due
    while (index > 0) {
      const up = (index - 1) >> 1
      const parent = this.#heap[up]
      if (parent === undefined || !before(due, parent)) break
      this.#place(parent, index)
      index = up
    }
    this.#place(due, index)
  }

  #sink(due: Due): void {
    let { index } = due
    for (;;) {
      let child = 2 * index + 1
      let least = this.#heap[child]
      if (least === undefined) break
      const right = this.#heap[child + 1]
      if (right !== undefined && before(right, least)) {
        least = right
        child++
      }
      if (!before(least, due)) break
      this.#place(least, index)
      index = child
    }
    this.#place(due, index)
  }
}

function before(a: Due, b: Due): boolean {
  return a.at < b.at || (a.at === b.at && a.seq < b.seq)
}

/**
 * A process (or thread) of the simulation: it may freeze, and it may die. What it was waiting for comes late or never; what
 * is called in it after its death has no effect.
 */
export class SimProcess {
  readonly name: string
  dead = false
  readonly #loop: Loop
  #held: (() => void)[] | undefined

  constructor(loop: Loop, name: string) {
    this.#loop = loop
    this.name = name
  }

  /** Runs something in this process: now, when it thaws, or never. */
  enter(run: () => void): void {
    if (this.dead) return
    if (this.#held === undefined) run()
    else this.#held.push(run)
  }

  freeze(): void {
    this.#held ??= []
  }

  die(): void {
    this.dead = true
    this.#held = undefined
  }

  /** The port Clock of this process. */
  clock(): Clock {
    const loop = this.#loop
    return {
      now: () => loop.now,
      wall: () => loop.wall,
      setTimer: (ms, callback) => loop.after(ms, () => this.enter(callback)),
    }
  }
}
