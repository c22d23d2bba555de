import type { Journal } from "../coordinator/ports.ts"
import type { TaskId, TaskRow } from "../core/task.ts"

/** Rows as long as the process lives; for tests, and for hosts that keep nothing. */
export class MemoryJournal implements Journal {
  readonly rows: Map<TaskId, TaskRow>

  /** `rows` of an earlier one are what a restarted coordinator would find. */
  constructor(rows: Iterable<TaskRow> = []) {
    this.rows = new Map([...rows].map((row) => [row.id, row]))
  }

  write(rows: readonly TaskRow[], forget: readonly TaskId[]): void {
    for (const row of rows) this.rows.set(row.id, row)
    for (const id of forget) this.rows.delete(id)
  }

  append(): void {}

  load(): readonly TaskRow[] {
    return [...this.rows.values()].sort((a, b) => a.order - b.order)
  }

  close(): void {}
}
