import type { WireTask } from "../wire.ts"

export type StateFilter = "running" | "pending" | "completed" | "error" | "cancelled"
export type Order = "newest" | "oldest" | "longest"

export interface Filters {
  /** Empty = all. */
  readonly states: ReadonlySet<StateFilter>
  readonly agent: string
  readonly model: string
  readonly parent: string
  readonly text: string
  readonly order: Order
}

export const NO_FILTERS: Filters = { states: new Set(), agent: "", model: "", parent: "", text: "", order: "newest" }

export function filtered(filters: Filters): boolean {
  return (
    filters.states.size > 0 ||
    [filters.agent, filters.model, filters.parent, filters.text].some((wanted) => wanted !== "")
  )
}

/** The tasks that fit, in the order that is wanted. */
export function apply(tasks: Iterable<WireTask>, filters: Filters, now: number): WireTask[] {
  const { states, agent, model, parent, order } = filters
  const words = filters.text.toLowerCase()
  const found: WireTask[] = []
  for (const task of tasks) {
    if (states.size > 0 && !states.has(task.state)) continue
    if (agent !== "" && task.agent !== agent) continue
    if (model !== "" && task.model !== model) continue
    if (parent !== "" && task.parent !== parent) continue
    if (
      words !== "" &&
      !`${task.description} ${task.id} ${task.sessionID ?? ""} ${task.tool ?? ""}`.toLowerCase().includes(words)
    )
      continue
    found.push(task)
  }
  if (order === "longest") return found.sort((a, b) => ran(b, now) - ran(a, now) || b.order - a.order)
  const sign = order === "newest" ? -1 : 1
  return found.sort((a, b) => sign * (a.createdAt - b.createdAt || a.order - b.order))
}

/** Run time so far. */
function ran(task: WireTask, now: number): number {
  if (task.startedAt === undefined) return 0
  return (task.settledAt ?? now) - task.startedAt
}

/** The values there are, for the lists to choose from. */
export function choices(tasks: Iterable<WireTask>): { agents: string[]; models: string[]; parents: string[] } {
  const agents = new Set<string>()
  const models = new Set<string>()
  const parents = new Set<string>()
  for (const { agent, model, parent } of tasks) {
    if (agent !== undefined) agents.add(agent)
    if (model !== undefined) models.add(model)
    if (parent !== undefined) parents.add(parent)
  }
  return { agents: [...agents].sort(), models: [...models].sort(), parents: [...parents].sort() }
}
