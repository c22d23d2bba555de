import { newTask } from "../../src/core/outcome.ts"
import type { TaskRow } from "../../src/core/task.ts"

let made = 0

/** A row as a launch stores it. */
export function rowOf(of: Partial<TaskRow> = {}, server = "http://127.0.0.1:4096"): TaskRow {
  made += 1
  const id = of.id ?? `bg_${String(made).padStart(8, "0")}`
  const spec = {
    prompt: "Look for the login code and say where it is.",
    description: "find the login code",
    agent: "general",
    model: "acme/fast",
    directory: "/project",
    server,
    background: true,
  }
  return { ...newTask({ id, spec, lane: "default", order: made, wall: 1_795_378_381_000 + made }), ...of }
}

/** The same, done. */
export function settledRow(of: Partial<TaskRow> = {}): TaskRow {
  const row = rowOf(of)
  return {
    ...row,
    state: "completed",
    sessionID: `ses_${row.id}`,
    startedAt: row.createdAt + 5,
    settledAt: row.createdAt + 4_000,
    attempt: 1,
    outcome: {
      state: "completed",
      reason: "FINISHED",
      sentence: "The agent finished its answer.",
      text: "It is in src/login.ts, line 1.",
      truncated: false,
      epoch: 1,
      sessionID: `ses_${row.id}`,
      queuedMs: 5,
      durationMs: 3_995,
      tokens: row.tokens,
      cost: 0.0001,
      unsent: [],
    },
    ...of,
  }
}
