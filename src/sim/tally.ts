import type { LaneEvent } from "../core/events.ts"
import type { TaskId, TaskRow } from "../core/task.ts"
import type { Loop } from "./clock.ts"

/** What a simulation has seen, counted from the bus alone. */
export class Tally {
  /** How often what was reached: states, reasons, kinds of faults, refusals. */
  readonly reached: Map<string, number> = new Map()
  /** Tasks that have not ended. */
  readonly live: Set<TaskId> = new Set()
  /** The most slots of a lane that were taken at once. */
  readonly peaks: Map<string, number> = new Map()
  /** When each task first got a slot. */
  readonly starts: Map<TaskId, number> = new Map()
  /** When and how each task last ended. */
  readonly ends: Map<TaskId, { readonly at: number; readonly state: string; readonly reason: string }> = new Map()
  /** Time for which slots of each lane were taken. */
  readonly slotMs: Map<string, number> = new Map()
  readonly #loop: Loop
  readonly #takenAt = new Map<TaskId, number>()
  readonly #taken = new Map<string, number>()

  constructor(loop: Loop) {
    this.#loop = loop
  }

  reach(what: string): void {
    this.reached.set(what, (this.reached.get(what) ?? 0) + 1)
  }

  take(event: LaneEvent): void {
    const { now } = this.#loop
    if (event.type === "task:queued") this.live.add(event.id)
    else if (event.type === "task:settled") {
      this.live.delete(event.id)
      const { state, reason } = event.outcome
      this.ends.set(event.id, { at: now, state, reason })
      this.reach(state)
      this.reach(reason)
    } else if (event.type === "lane:granted") {
      const taken = (this.#taken.get(event.lane) ?? 0) + 1
      this.#taken.set(event.lane, taken)
      this.#takenAt.set(event.id, now)
      if (!this.starts.has(event.id)) this.starts.set(event.id, now)
      this.peaks.set(event.lane, Math.max(taken, this.peaks.get(event.lane) ?? 0))
    } else if (event.type === "lane:released") {
      const since = this.#takenAt.get(event.id) ?? now
      this.slotMs.set(event.lane, (this.slotMs.get(event.lane) ?? 0) + now - since)
      this.#taken.set(event.lane, (this.#taken.get(event.lane) ?? 0) - 1)
    }
  }

  /** The coordinator is gone: what is on its disk is what goes on. */
  crashed(rows: Iterable<TaskRow>): void {
    this.#taken.clear()
    this.live.clear()
    for (const { id, state } of rows) if (state === "pending" || state === "running") this.live.add(id)
  }
}
