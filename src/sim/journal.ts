import type { Journal } from "../coordinator/ports.ts"
import { LanesError } from "../core/errors.ts"
import type { LaneEvent } from "../core/events.ts"
import type { TaskId, TaskRow } from "../core/task.ts"

/** What a disk holds: it outlives every coordinator. */
export class SimDisk {
  readonly rows: Map<TaskId, TaskRow> = new Map()
  /** Rows whose newest write failed: what a crash now forgets. */
  readonly behind: Set<TaskId> = new Set()
}

/** What a journal needs of its simulation. */
export interface JournalWorld {
  readonly disk: SimDisk
  readonly dead: () => boolean
  /** This write fails. */
  fails(rows: readonly TaskRow[]): boolean
  /** Something is about to be written, and was. */
  effect(): void
  wrote?(rows: readonly TaskRow[], forget: readonly TaskId[]): void
  appended?(event: LaneEvent): void
}

/** The port Journal over the simulated disk. */
export function simJournal(world: JournalWorld): Journal {
  const { disk } = world
  return {
    write(rows, forget) {
      world.effect()
      if (world.dead()) return
      if (world.fails(rows)) {
        for (const { id } of rows) disk.behind.add(id)
        throw new LanesError("JOURNAL_FAILED", "The simulated disk is full")
      }
      for (const row of rows) {
        disk.rows.set(row.id, row)
        disk.behind.delete(row.id)
      }
      for (const id of forget) disk.rows.delete(id)
      world.wrote?.(rows, forget)
      world.effect()
    },
    append(event) {
      if (!world.dead()) world.appended?.(event)
    },
    load: () => [...disk.rows.values()].map((row) => structuredClone(row)).toSorted((a, b) => a.order - b.order),
    close() {},
  }
}
