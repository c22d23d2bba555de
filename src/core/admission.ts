import type { Book } from "./book.ts"
import { LanesError } from "./errors.ts"
import type { Input } from "./inputs.ts"
import type { TaskId, TaskSpec } from "./task.ts"
import { isTerminal } from "./task.ts"

/** Caps, before anything is stored: throws when there is no place for one more task. */
export function admit({ lanes, outbox, options }: Book, parent: string | undefined, lane: string): void {
  const { maxQueued, maxPerRoot } = options
  if (lanes.waiting >= maxQueued && !lanes.hasRoom(lane)) {
    const hint = "Wait for some to finish, or raise maxQueued."
    throw new LanesError("QUEUE_FULL", `${maxQueued} tasks are waiting already.`, hint)
  }
  if (parent !== undefined && outbox.countUnsettled(parent) >= maxPerRoot) {
    const hint = "Wait for some to finish, cancel some, or raise maxPerRoot."
    throw new LanesError("PARENT_LIMIT", `This conversation has ${maxPerRoot} unfinished tasks.`, hint)
  }
}

/** Two runs never share a session: throws when another unsettled task works in it. */
export function claim({ tasks, bySession }: Book, sessionID: string | undefined, id: TaskId): void {
  const owner = sessionID === undefined ? undefined : tasks.get(bySession.get(sessionID) ?? "")
  if (owner === undefined || owner.id === id || isTerminal(owner.state)) return
  const hint = "Continue that task instead."
  throw new LanesError("INVALID_INPUT", `Task ${owner.id} works in the session ${sessionID} now.`, hint)
}

/** What a continued task is asked for: all as before, but for what is said now. */
export function continued(spec: TaskSpec, input: Extract<Input, { type: "continue" }>): TaskSpec {
  const { prompt, background, ttlMs, model, batch } = input
  const { parent } = spec
  return {
    ...(background === true ? inBackground(spec) : spec),
    prompt,
    background: background ?? spec.background,
    ...(ttlMs === undefined ? {} : { ttlMs }),
    ...(model === undefined ? {} : { model }),
    ...(parent === undefined || batch === undefined ? {} : { parent: { ...parent, batch } }),
  }
}

/** The same in the background. Who waits for a task bounds it by that; nobody waits for this one any more. */
export function inBackground(spec: TaskSpec): TaskSpec {
  const { ttlMs, ...rest } = spec
  const bound = ttlMs === undefined || (ttlMs === null && !spec.background) ? {} : { ttlMs }
  return { ...rest, ...bound, background: true }
}

export function closing(): LanesError {
  return new LanesError("CLOSED", "This coordinator is closing and takes no more tasks.", "Create a new one.")
}
