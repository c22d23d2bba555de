import type { LaneEvent } from "../core/events.ts"
import type { LaneLimits, LaneView } from "../core/lanes.ts"
import type { TaskId, TaskRow } from "../core/task.ts"

/** A message of a task's session, as text. */
export interface SourceMessage {
  readonly id: string
  readonly role: "user" | "assistant"
  readonly text: string
  readonly tools: readonly { readonly name: string; readonly state: string }[]
  readonly error?: string
  /** Epoch ms. */
  readonly created: number
}

/** One TODO of a task's session, as its agent wrote it. */
export interface SourceTodo {
  readonly content: string
  /** `pending`, `in_progress`, `completed`, `cancelled`. */
  readonly status: string
}

/**
 * What a view needs of whoever coordinates. A running `Lanes` is one; so is the journal of another process. What a
 * source cannot do it leaves out, and the view does not offer it.
 */
export interface Source {
  list(): readonly TaskRow[]
  get(id: TaskId): TaskRow | undefined
  usage(): readonly LaneView[]
  /** Every event from now on. Returns the undo. */
  on(type: "*", handler: (event: LaneEvent) => unknown): () => void
  cancel?(id: TaskId): unknown
  cancelAll?(): unknown
  continue?(id: TaskId, prompt: string): unknown
  setLimits?(limits: Partial<LaneLimits>): unknown
  messages?(id: TaskId, options: { readonly limit?: number }): Promise<readonly SourceMessage[]>
  todos?(id: TaskId): Promise<readonly SourceTodo[]>
}

/** What a view may offer. */
export type Ability = "cancel" | "cancelAll" | "continue" | "setLimits" | "messages" | "todos"

const ABILITIES: readonly Ability[] = ["cancel", "cancelAll", "continue", "setLimits", "messages", "todos"]

export function abilitiesOf(source: Source): Ability[] {
  return ABILITIES.filter((ability) => typeof source[ability] === "function")
}

/** The same judgement as the core's, which a view may know by its types alone. */
export function isLive(row: Pick<TaskRow, "state">): boolean {
  return row.state === "pending" || row.state === "running"
}
