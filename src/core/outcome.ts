import type { CompletedReason, ErrorReason, Notice, Outcome, Prompt, TaskRow, TaskSpec, TerminalState } from "./task.ts"
import type { CancelReason } from "./task.ts"
import { NO_TOKENS } from "./snapshot.ts"
import type { NewestMessage } from "./snapshot.ts"
import { tailOf } from "./tail.ts"

/** Rows as the core holds them while they change. */
export type Task = { -readonly [K in keyof TaskRow]: TaskRow[K] } & { prompts: Prompt[] }

/** Why a run ends, before it is written down. */
export type End =
  | { readonly state: "completed"; readonly reason: CompletedReason; readonly truncated: boolean }
  | { readonly state: "error"; readonly reason: ErrorReason; readonly message: string }
  | { readonly state: "cancelled"; readonly reason: CancelReason; readonly message?: string }

const SENTENCES: Readonly<Record<CompletedReason | CancelReason, string>> = {
  FINISHED: "The agent finished its answer.",
  IDLE: "The session went idle after an answer.",
  STABLE: "The session stayed idle without change.",
  USER: "It was cancelled.",
  PARENT: "The conversation that asked for it was ended.",
  SHUTDOWN: "The coordinator was shut down.",
}

/** A task at the start of its life. */
export function newTask(input: { id: string; spec: TaskSpec; lane: string; order: number; wall: number }): Task {
  return {
    id: input.id,
    epoch: 1,
    order: input.order,
    state: "pending",
    spec: input.spec,
    lane: input.lane,
    ...(input.spec.sessionID === undefined ? {} : { sessionID: input.spec.sessionID }),
    prompts: [newPrompt(input.id, 1, 0, "first", input.spec.prompt)],
    createdAt: input.wall,
    queuedAt: input.wall,
    queuedMs: 0,
    ranMs: 0,
    attempt: 0,
    crashes: 0,
    resumes: 0,
    nudges: 0,
    steps: 0,
    tokens: NO_TOKENS,
    cost: 0,
    notice: { state: "none" },
  }
}

/** The same task at the start of its next epoch, in the same session; in the queue it comes after all that came before. */
export function nextEpoch(
  task: Task,
  prompt: string,
  spec: TaskSpec,
  how: { lane: string; order: number; wall: number },
): Task {
  const epoch = task.epoch + 1
  const { id, createdAt, sessionID, attempt, tokens, cost } = task
  const fresh = newTask({ id, spec, ...how })
  return {
    ...fresh,
    epoch,
    createdAt,
    attempt,
    tokens,
    cost,
    ...(sessionID === undefined ? {} : { sessionID }),
    prompts: [newPrompt(id, epoch, 0, "first", prompt)],
  }
}

/** A prompt of ours; its tail is the same wherever and whenever it is sent. */
export function newPrompt(id: string, epoch: number, n: number, kind: Prompt["kind"], text: string): Prompt {
  return { n, kind, text, tail: tailOf(`${id}:${epoch}:${n}`) }
}

/** What the parent is owed when this run ends. */
export function noticeOf(task: Task, silent: boolean): Notice {
  if (silent || task.spec.parent === undefined || !task.spec.background) return { state: "none" }
  return { state: "owed", tail: tailOf(`${task.id}:${task.epoch}:notice`) }
}

/** Writes down how a run ended, with the last text there is. */
export function outcomeOf(task: Task, end: End, newest: NewestMessage | null | undefined): Outcome {
  const text = newest?.role === "assistant" ? (newest.text ?? "") : ""
  const cut = newest?.cut === true
  return {
    state: end.state satisfies TerminalState,
    reason: end.reason,
    sentence:
      end.state === "completed" ? SENTENCES[end.reason] : (end.message ?? SENTENCES[end.reason as CancelReason]),
    text: text === "" && end.state !== "completed" ? (task.lastText ?? "") : text,
    truncated: cut || (end.state === "completed" && end.truncated),
    epoch: task.epoch,
    ...(task.sessionID === undefined ? {} : { sessionID: task.sessionID }),
    ...(newest?.role === "assistant" ? { messageID: newest.id } : {}),
    queuedMs: task.queuedMs,
    durationMs: task.ranMs,
    tokens: task.tokens,
    cost: task.cost,
    unsent: task.prompts.filter((p) => p.messageID === undefined && p.kind === "follow-up").map((p) => p.text),
  }
}
