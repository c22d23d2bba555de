import type { BareEvent } from "./events.ts"
import type { ParentRef, Prompt, RunRef, TaskId, TaskRow } from "./task.ts"

/** All a worker needs for one run. Plain data. */
export interface Assignment {
  readonly run: RunRef
  readonly directory: string
  /** When the task was made, epoch ms on our clock: it has no session older than that. */
  readonly createdAt: number
  /** Title of a new session. */
  readonly title: string
  readonly parentSessionID?: string
  readonly agent?: string
  readonly model?: string
  /** Run in this session. Without it: look for one with our metadata if `attempt` > 1 or recovered, else create. */
  readonly sessionID?: string
  /** A session made by an earlier attempt may exist: look before creating. */
  readonly search: boolean
  /** The session is foreign: stamp our metadata before the first prompt. */
  readonly stamp: boolean
  /** Prompts not known to be accepted, in order; each is looked for in the session before it is sent when `check`. */
  readonly prompts: readonly Prompt[]
  readonly check: boolean
  /** How many prompts of this run are accepted already. */
  readonly accepted: number
  /** Runs on a worker of its own. */
  readonly alone: boolean
  readonly pollIntervalMs: number
  readonly maxResultChars: number
}

/** What a running run can be told. */
export type RunCommand =
  /** Poll now. */
  | { readonly type: "poke" }
  | { readonly type: "prompt"; readonly prompt: Prompt }
  /** Leave the session: abort it (bounded) or let it run; then report `stopped`. */
  | { readonly type: "stop"; readonly abort: boolean }
  /** Answer a permission ask. */
  | { readonly type: "reply"; readonly askID: string; readonly message: string }

/** One notice the parent is owed: formatted by the adapter, identified by `tail`. */
export interface NoticeItem {
  readonly task: TaskId
  readonly epoch: number
  readonly tail: string
}

/**
 * One delivery to a parent: each item a message of its own, the last one with a turn when `wake`. It may have been tried
 * before: look for the messages before sending.
 */
export interface Delivery {
  readonly parent: ParentRef
  readonly directory: string
  readonly items: readonly NoticeItem[]
  readonly wake: boolean
}

/** Everything the core can ask for. */
export type Effect =
  /** Carried out before all others of its step. */
  | { readonly type: "journal"; readonly row: TaskRow }
  | { readonly type: "forget"; readonly id: TaskId }
  | { readonly type: "start-run"; readonly assignment: Assignment }
  | { readonly type: "command"; readonly run: RunRef; readonly command: RunCommand }
  /** The run's worker did not stop it in time: abort the session from here, bounded. */
  | { readonly type: "abort"; readonly sessionID: string; readonly directory: string }
  | { readonly type: "deliver"; readonly delivery: Delivery }
  | { readonly type: "emit"; readonly event: BareEvent }
