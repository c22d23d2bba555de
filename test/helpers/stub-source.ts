/** A source of tasks that a test writes by hand: rows, lanes, and the events it says. */

import { Bus } from "../../src/coordinator/bus.ts"
import type { BareEvent, LaneEvent } from "../../src/core/events.ts"
import type { LaneLimits, LaneView } from "../../src/core/lanes.ts"
import { NO_TOKENS } from "../../src/core/snapshot.ts"
import type { TaskRow, TaskSpec } from "../../src/core/task.ts"
import type { Source } from "../../src/page/source.ts"

export class StubSource implements Source {
  readonly bus: Bus = new Bus(Date.now)
  readonly rows: Map<string, TaskRow> = new Map()
  lanes: LaneView[] = [{ lane: "default", used: 0, limit: 5, queued: 0 }]
  /** What it was asked to do. */
  readonly asked: unknown[][] = []

  list(): TaskRow[] {
    return [...this.rows.values()]
  }
  get(id: string): TaskRow | undefined {
    return this.rows.get(id)
  }
  usage(): LaneView[] {
    return this.lanes
  }
  on(type: "*", handler: (event: LaneEvent) => unknown): () => void {
    return this.bus.on(type, handler)
  }
  cancel(id: string): void {
    this.asked.push(["cancel", id])
  }
  cancelAll(): void {
    this.asked.push(["cancelAll"])
  }
  continue(id: string, prompt: string): void {
    this.asked.push(["continue", id, prompt])
  }
  setLimits(limits: Partial<LaneLimits>): void {
    this.asked.push(["setLimits", limits])
  }

  put(row: TaskRow): TaskRow {
    this.rows.set(row.id, row)
    return row
  }
  say(event: BareEvent): void {
    this.bus.emit(event)
  }
}

/** A row with everything that is not said filled in. */
export function stubRow(
  over: Partial<Omit<TaskRow, "spec">> & { readonly id: string; readonly spec?: Partial<TaskSpec> },
): TaskRow {
  const at = Date.now()
  return {
    epoch: 1,
    order: 1,
    state: "running",
    lane: "default",
    prompts: [],
    createdAt: at,
    queuedAt: at,
    startedAt: at,
    queuedMs: 0,
    ranMs: 0,
    attempt: 1,
    crashes: 0,
    resumes: 0,
    nudges: 0,
    steps: 0,
    tokens: NO_TOKENS,
    cost: 0,
    notice: { state: "none" },
    ...over,
    spec: {
      prompt: "Do it",
      description: "Do it",
      directory: "/project",
      server: "client",
      background: true,
      ...over.spec,
    },
  }
}
