import { inBackground } from "./admission.ts"
import { laneOf } from "./lanes.ts"
import type { Options } from "./options.ts"
import { BOUNDS } from "./options.ts"
import type { Task } from "./outcome.ts"
import { newPrompt } from "./outcome.ts"
import { RESUME } from "./phrases.ts"
import type { TaskId, TaskRow } from "./task.ts"
import { isTerminal } from "./task.ts"

/** Rows not known yet, in the order in which they are taken over: what is settled, what ran, what waited. */
export function inTurn(rows: readonly TaskRow[], known: { has(id: TaskId): boolean }): TaskRow[] {
  const rank = ({ state }: TaskRow): number => (isTerminal(state) ? 0 : state === "running" ? 1 : 2)
  return rows.filter((row) => !known.has(row.id)).toSorted((a, b) => rank(a) - rank(b) || a.order - b.order)
}

/**
 * An unsettled task as it goes on in this process: from the queue again, as a background task. `interrupted`: it does
 * not go on.
 */
export function revive(
  row: TaskRow,
  how: { readonly sessions: "alive" | "dead"; readonly options: Options; readonly wall: number },
): { task: Task; interrupted: boolean } {
  const { sessions, options, wall } = how
  // What was re-attached, and waited for a slot when its coordinator died again, has a session that may be at work.
  const ran = row.startedAt !== undefined
  const task: Task = {
    ...row,
    prompts: [...row.prompts],
    state: "pending",
    spec: inBackground(row.spec),
    // The limits may have changed since: it waits where new tasks of its model do.
    lane: laneOf(row.spec.model, options),
    // What it waited before is counted already.
    queuedAt: row.state === "running" ? wall : row.queuedAt,
  }
  if (ran && sessions === "alive") return { task, interrupted: false }
  const prompted = ran && row.prompts.some((prompt) => prompt.messageID !== undefined)
  if (options.recover === "ask" || (prompted && row.resumes >= BOUNDS.resumes)) return { task, interrupted: true }
  // One that waits unsent since the last restart is enough.
  const asked = row.prompts.some(({ kind, messageID }) => kind === "resume" && messageID === undefined)
  if (prompted && !asked) {
    task.resumes++
    task.prompts.push(newPrompt(task.id, task.epoch, task.prompts.length, "resume", RESUME))
  }
  return { task, interrupted: false }
}
