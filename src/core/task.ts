import type { Ms } from "./options.ts"
import type { Todos, Tokens } from "./snapshot.ts"

export type TaskId = string
export type LaneKey = string

export type LiveState = "pending" | "running"
export type TerminalState = "completed" | "error" | "cancelled"
export type TaskState = LiveState | TerminalState

export type CompletedReason = "FINISHED" | "IDLE" | "STABLE"
export type ErrorReason =
  | "TTL"
  | "QUEUE_TTL"
  | "STALE"
  | "TODOS_OPEN"
  | "STEP_LIMIT"
  | "SESSION_ERROR"
  | "SESSION_GONE"
  | "PROMPT_REJECTED"
  | "AGENT_UNKNOWN"
  | "MODEL_UNKNOWN"
  | "PERMISSION"
  | "WORKER_LOST"
  | "SERVER_LOST"
  | "INTERRUPTED"
export type CancelReason = "USER" | "PARENT" | "SHUTDOWN"
export type Reason = CompletedReason | ErrorReason | CancelReason

/** The conversation that asked for a task, and what is needed to tell it. */
export interface ParentRef {
  readonly sessionID: string
  /** What one turn of the parent launched is one batch; the id of that turn's message. */
  readonly batch: string
  /** Agent and model of the parent's turn: a notice without them would flip the conversation. */
  readonly agent?: string
  readonly model?: string
}

/** What is asked for: everything a retry must repeat. Plain data. */
export interface TaskSpec {
  readonly prompt: string
  /** 3–5 words for lists and notices. */
  readonly description: string
  /** Resolved name; undefined = the server's default agent. */
  readonly agent?: string
  /** The effective model `provider/model`; undefined = unknown, lane `default`. */
  readonly model?: string
  readonly directory: string
  /** Which server runs it; rows of another server are not taken over. */
  readonly server: string
  readonly parent?: ParentRef
  /** A foreground task is told by the tool's answer alone. */
  readonly background: boolean
  /** Run time bound; null = none, undefined = `taskTtlMs`. */
  readonly ttlMs?: Ms | null
  /** An existing session to run in instead of a new one. */
  readonly sessionID?: string
}

/** One message of ours to the session. */
export interface Prompt {
  /** 0 = the run's first prompt, then in order. */
  readonly n: number
  readonly kind: "first" | "follow-up" | "nudge" | "resume"
  readonly text: string
  /** Last 14 characters of its message id: the same wherever and whenever this prompt is sent. */
  readonly tail: string
  /** The full id, once the server has accepted it. */
  readonly messageID?: string
}

/** A row: the whole truth about a task, as the journal stores it and `get` shows it. Plain data. */
export interface TaskRow {
  readonly id: TaskId
  readonly epoch: number
  /** Order in which epochs were asked for, per coordinator: queues are rebuilt in it. */
  readonly order: number
  readonly state: TaskState
  readonly spec: TaskSpec
  readonly lane: LaneKey
  readonly sessionID?: string
  readonly prompts: readonly Prompt[]
  /** TODOs the session had before this run's first prompt. */
  readonly todosBefore?: Todos
  /** Epoch ms, for people and for retention. */
  readonly createdAt: number
  readonly queuedAt: number
  readonly startedAt?: number
  readonly settledAt?: number
  /** Time this epoch has waited and run so far. */
  readonly queuedMs: Ms
  readonly ranMs: Ms
  /** Counts starts of this task over all epochs and processes: late words of an older attempt are told by it. */
  readonly attempt: number
  readonly crashes: number
  readonly resumes: number
  readonly nudges: number
  readonly steps: number
  readonly tokens: Tokens
  readonly cost: number
  readonly lastTool?: string
  readonly lastText?: string
  readonly outcome?: Outcome
  readonly notice: Notice
}

/** How a run ended. */
export interface Outcome {
  readonly state: TerminalState
  readonly reason: Reason
  /** One sentence for people. */
  readonly sentence: string
  /** Text of the final assistant message, cut in the middle beyond `maxResultChars`; what there is on errors. */
  readonly text: string
  /** The text was cut, or the model stopped at its length limit. */
  readonly truncated: boolean
  readonly epoch: number
  readonly sessionID?: string
  /** The message the text is from. */
  readonly messageID?: string
  readonly queuedMs: Ms
  readonly durationMs: Ms
  readonly tokens: Tokens
  readonly cost: number
  /** Follow-ups that were not sent before the run ended. */
  readonly unsent: readonly string[]
}

/** What the parent is owed for this epoch. `none`: nothing to tell (no parent, foreground, read, cancelled by it). */
export interface Notice {
  readonly state: "none" | "owed" | "told" | "dead"
  /** Tail of the notice's message id: the same at each attempt. */
  readonly tail?: string
  /** The message of the parent's session that proves it. */
  readonly proof?: string
  readonly attempts?: number
}

/** One execution of a task, on one worker: late words from an older one are told by it. */
export interface RunRef {
  readonly task: TaskId
  readonly epoch: number
  readonly attempt: number
}

export function isTerminal(state: TaskState): state is TerminalState {
  return state !== "pending" && state !== "running"
}

/*
 *            launch                    slot granted
 *  (nothing) ──────▶ pending ─────────────────────────▶ running
 *                     │  ▲ ◀──── its coordinator died ─────│
 *                     │  │                                 │
 *          cancel,    │  │ continue (epoch + 1)            │ #settle, once:
 *          QUEUE_TTL, │  │                                 │ verdict, bound, cancel,
 *          shutdown   ▼  │                                 ▼ lost worker or server
 *                    error │ cancelled          completed │ error │ cancelled
 *                          └──────────── absorbing within an epoch ────────────┘
 */
const NEXT: Readonly<Record<TaskState, readonly TaskState[]>> = {
  pending: ["running", "error", "cancelled"],
  running: ["completed", "error", "cancelled"],
  completed: [],
  error: [],
  cancelled: [],
}

/** The state after, or undefined when the life cycle does not allow the step. */
export function transition(from: TaskState, to: TaskState): TaskState | undefined {
  return NEXT[from].includes(to) ? to : undefined
}
