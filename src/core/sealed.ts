import type { TaskId, TaskRow } from "./task.ts"

/**
 * A completed task of an earlier process of which nobody need be told: its row as text, read only when somebody asks,
 * and what must be known of it before. Recovering a hundred thousand of them is not to keep those waiting that go on.
 */
export interface SealedRow {
  readonly id: TaskId
  /** Wins over what the text says, as `server` does: it may have been copied from another file, or have moved. */
  readonly order: number
  readonly server: string
  /** Epoch ms. */
  readonly settledAt: number
  readonly sessionID?: string
  /** The conversation that asked for it. */
  readonly parent?: string
  /** The row as JSON. */
  readonly text: string
}

/** Whether a row could be sealed: nothing of it changes any more by itself. */
export function isSealable({ state, settledAt, notice }: TaskRow): boolean {
  return state === "completed" && settledAt !== undefined && notice.state !== "owed"
}

/** The row; undefined when its text is none. */
export function unseal({ text, order, server }: SealedRow): TaskRow | undefined {
  try {
    const row = JSON.parse(text) as TaskRow
    return { ...row, order, spec: { ...row.spec, server } }
  } catch {
    return undefined
  }
}
