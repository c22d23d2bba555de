import type { Task } from "./outcome.ts"
import { unseal } from "./sealed.ts"
import type { SealedRow } from "./sealed.ts"
import type { TaskId } from "./task.ts"

/** All tasks by id, in the order in which they came to be known; sealed ones are opened when somebody asks for them. */
export class TaskList {
  readonly #all = new Map<TaskId, Task | SealedRow>()

  get size(): number {
    return this.#all.size
  }

  has(id: TaskId): boolean {
    return this.#all.has(id)
  }

  get(id: TaskId): Task | undefined {
    const found = this.#all.get(id)
    return found === undefined || !isSealed(found) ? found : this.#open(found)
  }

  set(id: TaskId, task: Task): void {
    this.#all.set(id, task)
  }

  seal(row: SealedRow): void {
    this.#all.set(row.id, row)
  }

  delete(id: TaskId): void {
    this.#all.delete(id)
  }

  /** All of them, or those of one conversation. */
  *values(parent?: string): Generator<Task> {
    for (const found of this.#all.values()) {
      if (parent !== undefined && parentOf(found) !== parent) continue
      const task = isSealed(found) ? this.#open(found) : found
      if (task !== undefined) yield task
    }
  }

  /** Those that are not sealed: all that are unsettled are among them. */
  *open(): Generator<Task> {
    for (const found of this.#all.values()) if (!isSealed(found)) yield found
  }

  /** In its place. One whose text is no row is as if it had never been handed over. */
  #open(sealed: SealedRow): Task | undefined {
    const row = unseal(sealed)
    if (row === undefined) {
      this.#all.delete(sealed.id)
      return undefined
    }
    const task: Task = { ...row, prompts: [...row.prompts] }
    this.#all.set(sealed.id, task)
    return task
  }
}

function isSealed(found: Task | SealedRow): found is SealedRow {
  return "text" in found
}

function parentOf(found: Task | SealedRow): string | undefined {
  return isSealed(found) ? found.parent : found.spec.parent?.sessionID
}
