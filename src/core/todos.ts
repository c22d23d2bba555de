import { digestOf } from "./digest.ts"
import type { Todos } from "./snapshot.ts"

/** One TODO as OpenCode lists it; statuses: `pending`, `in_progress`, `completed`, `cancelled`. */
export interface Todo {
  readonly content: string
  readonly status: string
}

/** How many are open, and a digest of the whole list: the same from the API and from an event. */
export function todosOf(list: readonly Todo[]): Todos {
  const open = list.filter(({ status }) => status !== "completed" && status !== "cancelled").length
  return { open, digest: digestOf(JSON.stringify(list.map(({ content, status }) => [content, status]))) }
}
