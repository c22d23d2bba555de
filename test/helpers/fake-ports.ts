/** A coordinator's ports that only note what they are asked. */

import type { CoordinatorPorts } from "../../src/coordinator/coordinator.ts"
import type { Journal, Parent, Threads } from "../../src/coordinator/ports.ts"
import type { Assignment, Delivery, RunCommand } from "../../src/core/effects.ts"
import type { LaneEvent } from "../../src/core/events.ts"
import type { RunReport, ThreadReport } from "../../src/core/inputs.ts"
import type { RunRef, TaskId, TaskRow } from "../../src/core/task.ts"
import { ManualClock } from "./manual-clock.ts"

class FakeThreads implements Threads {
  readonly started: Assignment[] = []
  readonly commands: { run: RunRef; command: RunCommand }[] = []
  closed = 0
  report: (report: RunReport | ThreadReport) => void = () => {}

  run(assignment: Assignment): void {
    this.started.push(assignment)
  }

  command(run: RunRef, command: RunCommand): void {
    this.commands.push({ run, command })
  }

  listen(report: (report: RunReport | ThreadReport) => void): void {
    this.report = report
  }

  close(): Promise<void> {
    this.closed++
    return Promise.resolve()
  }
}

/** Rows in memory; `fail` makes the next writes throw. */
export class FakeJournal implements Journal {
  readonly rows: Map<TaskId, TaskRow> = new Map()
  readonly writes: (readonly TaskRow[])[] = []
  readonly events: LaneEvent[] = []
  fail: Error | undefined
  failAppend: Error | undefined
  closed = false

  write(rows: readonly TaskRow[], forget: readonly TaskId[]): void {
    if (this.fail !== undefined) throw this.fail
    if (this.closed) throw new Error("The journal is closed.")
    this.writes.push(rows)
    for (const row of rows) this.rows.set(row.id, row)
    for (const id of forget) this.rows.delete(id)
  }

  append(event: LaneEvent): void {
    if (this.failAppend !== undefined) throw this.failAppend
    this.events.push(event)
  }

  load(): readonly TaskRow[] {
    return [...this.rows.values()]
  }

  close(): void {
    this.closed = true
  }
}

interface Told {
  readonly delivery: Delivery
  readonly signal: AbortSignal
  readonly resolve: (proofs: readonly string[]) => void
  readonly reject: (error: Error) => void
}

/** Deliveries end when the test says so, or with their signal. */
class FakeParent implements Parent {
  readonly told: Told[] = []

  deliver(delivery: Delivery, _rows: readonly TaskRow[], signal: AbortSignal): Promise<readonly string[]> {
    return new Promise((resolve, reject) => {
      signal.addEventListener("abort", () => reject(new Error("called back")))
      this.told.push({ delivery, signal, resolve, reject })
    })
  }
}

export interface FakePorts extends CoordinatorPorts {
  readonly clock: ManualClock
  readonly threads: FakeThreads
  readonly journal: FakeJournal
  readonly parent: FakeParent
  readonly aborted: string[]
}

export function fakePorts(journal: FakeJournal = new FakeJournal()): FakePorts {
  let n = 0
  const aborted: string[] = []
  return {
    clock: new ManualClock(),
    ids: { task: () => `bg_${String(++n).padStart(8, "0")}` },
    threads: new FakeThreads(),
    journal,
    parent: new FakeParent(),
    aborted,
    api: {
      abort: (_directory, sessionID) => {
        aborted.push(sessionID)
        return Promise.reject(new Error("hung"))
      },
    },
  }
}
