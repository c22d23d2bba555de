import type { Composed } from "../compose.ts"
import type { TaskRow } from "../core/task.ts"
import type { ToolCall } from "./host-shapes.ts"
import type { ToolNames } from "./names.ts"
import type { Room } from "./texts/room.ts"
import type { Turns } from "./turns.ts"

/** What the tools of one directory work with. */
export interface Desk {
  readonly directory: string
  readonly names: ToolNames
  /** For one answer. */
  readonly room: Room
  readonly turns: Turns
  /** Starts what is behind the tools on its first call; rejects with the reason it cannot. */
  readonly open: () => Promise<Composed>
}

/** A refusal a model can act on: its message is the tool's answer. */
export class Refusal extends Error {}

/** A task of this conversation, by its id or its session's. Others' are as unknown as those that never were. */
export function ownTask({ coordinator }: Composed, id: string, call: ToolCall): TaskRow {
  const row = id.startsWith("ses_") ? coordinator.findBySession(id) : coordinator.get(id)
  if (row?.spec.parent?.sessionID === call.sessionID) return row
  const own = tasksOf(coordinator, call.sessionID).map((task) => task.id)
  const known = own.length === 0 ? "It has launched none." : `Its tasks: ${own.slice(-20).join(", ")}.`
  throw new Refusal(`This conversation has no background task "${id.slice(0, 80)}". ${known}`)
}

/** Everything a conversation has launched, oldest first. */
export function tasksOf(coordinator: Composed["coordinator"], sessionID: string): TaskRow[] {
  return coordinator.list(sessionID)
}

export function isLive({ state }: TaskRow): boolean {
  return state === "pending" || state === "running"
}

/** Our tools are denied in the sessions of tasks; should a call come through, it is refused here. */
export function refuseTasks({ coordinator }: Composed, call: ToolCall, names: ToolNames): void {
  const task = coordinator.findBySession(call.sessionID)
  if (task === undefined) return
  throw new Refusal(
    `A background task cannot use ${names.delegate}: do the work yourself, and say in your answer what else there is to do.`,
  )
}
