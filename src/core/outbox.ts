import type { Delivery } from "./effects.ts"
import type { Options } from "./options.ts"
import { BOUNDS } from "./options.ts"
import type { TaskId, TaskRow } from "./task.ts"

/** What a delivery under way is about. */
interface Line {
  /** Tasks in the delivery under way; empty = none is. */
  readonly sending: Set<TaskId>
  /** Failures since the last success. */
  failures: number
  /** No attempt before; monotonic ms. */
  notBefore: number
  /** First failure since the last success. */
  failingSince: number | undefined
}

/**
 * What each parent must still be told. Nothing is counted here: owed and unsettled tasks are looked up by their
 * parent, and their rows say the rest. One delivery at a time per parent.
 */
export class Outbox {
  readonly #owed = new Map<string, Map<TaskId, TaskRow>>()
  readonly #unsettled = new Map<string, Map<TaskId, TaskRow>>()
  readonly #lines = new Map<string, Line>()
  /** Owed since before a restart: told without a turn. */
  readonly #quiet = new Set<TaskId>()
  /** Whose delivery each task is in. */
  readonly #sending = new Map<TaskId, string>()

  /** Sorts a task in again after any change; the only writer of both indexes. */
  index(row: TaskRow, quiet = false): void {
    const parent = row.spec.parent?.sessionID
    if (parent === undefined) return
    place(this.#unsettled, parent, row, row.state === "pending" || row.state === "running")
    const owed = row.notice.state === "owed"
    place(this.#owed, parent, row, owed)
    if (owed && quiet) this.#quiet.add(row.id)
    if (!owed) this.#quiet.delete(row.id)
    this.#sweep(parent)
  }

  drop(row: TaskRow): void {
    const parent = row.spec.parent?.sessionID
    if (parent === undefined) return
    place(this.#unsettled, parent, row, false)
    place(this.#owed, parent, row, false)
    this.#quiet.delete(row.id)
    this.#sweep(parent)
  }

  /** Unsettled tasks of a conversation. */
  unsettled(parent: string): TaskRow[] {
    return [...(this.#unsettled.get(parent)?.values() ?? [])]
  }

  countUnsettled(parent: string): number {
    return this.#unsettled.get(parent)?.size ?? 0
  }

  /** Tasks the parent is still owed a word about. */
  owed(parent: string): TaskRow[] {
    return [...(this.#owed.get(parent)?.values() ?? [])]
  }

  /** The delivery that should start now, if any; it is then under way. */
  next(parent: string, wake: Options["wake"], now: number): Delivery | undefined {
    const due = this.#due(parent, wake)
    const line = this.#line(parent)
    if (due === undefined || line.sending.size > 0 || now < line.notBefore) {
      this.#sweep(parent)
      return undefined
    }
    for (const { task } of due.items) {
      line.sending.add(task)
      this.#sending.set(task, parent)
    }
    return due
  }

  /** Whether a delivery that waits for its parent still says what is owed, and with a turn if one is. */
  stands({ parent, items, wake }: Delivery, option: Options["wake"]): boolean {
    const rows = items.flatMap(({ task, epoch }) => {
      const row = this.#owed.get(parent.sessionID)?.get(task)
      return row?.epoch === epoch ? [row] : []
    })
    return rows.length === items.length && wake === this.#anyWakes(rows, parent.sessionID, option)
  }

  /** A delivery no longer stands and was given up; the next one is free to start. */
  recalled(parent: string): void {
    this.#release(this.#line(parent))
    this.#sweep(parent)
  }

  /** An attempt failed; returns when to try again, or undefined when it has failed for too long. */
  failed(parent: string, now: number): number | undefined {
    const line = this.#line(parent)
    this.#release(line)
    line.failures++
    line.failingSince ??= now
    if (now - line.failingSince >= BOUNDS.noticeMs || !this.#owed.has(parent)) {
      this.#sweep(parent)
      return undefined
    }
    const [first, longest] = BOUNDS.noticeBackoffMs
    line.notBefore = now + Math.min(longest, first * 2 ** Math.min(line.failures - 1, 16))
    return line.notBefore
  }

  /** The parent's session holds this notice: failures count anew. Returns the parent whose delivery it was in. */
  delivered(task: TaskId): string | undefined {
    const parent = this.#sending.get(task)
    if (parent === undefined) return undefined
    this.#sending.delete(task)
    const line = this.#line(parent)
    line.sending.delete(task)
    line.failures = 0
    line.failingSince = undefined
    this.#sweep(parent)
    return parent
  }

  /** Entries of all maps: zero at rest. */
  get size(): number {
    return this.#owed.size + this.#unsettled.size + this.#lines.size + this.#quiet.size + this.#sending.size
  }

  /** All the parent is owed, in the order of their ends. */
  #due(parent: string, wake: Options["wake"]): Delivery | undefined {
    const owed = this.owed(parent).sort((a, b) => (a.settledAt ?? 0) - (b.settledAt ?? 0) || a.order - b.order)
    const ref = owed.at(-1)?.spec.parent
    if (owed[0] === undefined || ref === undefined) return undefined
    return {
      parent: ref,
      directory: owed[0].spec.directory,
      items: owed.map((row) => ({ task: row.id, epoch: row.epoch, tail: row.notice.tail ?? "" })),
      wake: this.#anyWakes(owed, parent, wake),
    }
  }

  #release(line: Line): void {
    for (const task of line.sending) this.#sending.delete(task)
    line.sending.clear()
  }

  #anyWakes(rows: readonly TaskRow[], parent: string, wake: Options["wake"]): boolean {
    return rows.some((row) => !this.#quiet.has(row.id) && this.#wakes(row, parent, wake))
  }

  /** A failure wakes; else the end of the batch does, or every end. */
  #wakes(row: TaskRow, parent: string, wake: Options["wake"]): boolean {
    if (row.state !== "completed" || wake === "each") return true
    const batch = row.spec.parent?.batch
    for (const other of this.#unsettled.get(parent)?.values() ?? []) {
      if (other.spec.background && other.spec.parent?.batch === batch) return false
    }
    return true
  }

  #line(parent: string): Line {
    let line = this.#lines.get(parent)
    if (line === undefined) {
      line = { sending: new Set(), failures: 0, notBefore: 0, failingSince: undefined }
      this.#lines.set(parent, line)
    }
    return line
  }

  #sweep(parent: string): void {
    // What is under way stays so until it ends, whatever is owed meanwhile: one delivery at a time.
    if (!this.#owed.has(parent) && (this.#lines.get(parent)?.sending.size ?? 0) === 0) this.#lines.delete(parent)
  }
}

function place(index: Map<string, Map<TaskId, TaskRow>>, parent: string, row: TaskRow, member: boolean): void {
  const of = index.get(parent)
  if (member) {
    if (of === undefined) index.set(parent, new Map([[row.id, row]]))
    else of.set(row.id, row)
  } else if (of?.delete(row.id) && of.size === 0) {
    index.delete(parent)
  }
}
