/** What crosses from the page's server to its front end. Types alone: both ends import this file. */
import type { EventType } from "../core/events.ts"
import type { LaneView } from "../core/lanes.ts"
import type { Reason, TaskState } from "../core/task.ts"
import type { Ability } from "./source.ts"

/** A task as lists show it: a row without its texts. */
export interface WireTask {
  readonly id: string
  readonly epoch: number
  readonly order: number
  readonly state: TaskState
  readonly description: string
  readonly agent?: string
  readonly model?: string
  readonly lane: string
  /** The conversation that asked. */
  readonly parent?: string
  readonly sessionID?: string
  /** Epoch ms. */
  readonly createdAt: number
  readonly queuedAt: number
  readonly startedAt?: number
  readonly settledAt?: number
  readonly queuedMs: number
  readonly ranMs: number
  readonly attempt: number
  readonly nudges: number
  readonly steps: number
  readonly tokens: number
  readonly cost: number
  readonly tool?: string
  readonly reason?: Reason
  readonly sentence?: string
}

export type MarkKind = "tool" | "nudge" | "retry" | "attempt" | "permission"

/** Something that happened during a run: when (epoch ms), what kind, and a word about it. */
export type Mark = readonly [at: number, kind: MarkKind, word: string]

/** An epoch of a task that is over: queued, started (null = never), settled, state. */
export type PastRun = readonly [queuedAt: number, startedAt: number | null, settledAt: number, state: TaskState]

/** What lists do not show but the time-line does. */
export interface WireHistory {
  readonly marks: readonly Mark[]
  readonly past: readonly PastRun[]
  /** Open TODOs and the session's status when last seen. */
  readonly todosOpen?: number
  readonly retrying?: string
}

/** The first thing a client asks for; the stream goes on after `cursor`. */
export interface WireSnapshot {
  readonly cursor: string
  /** The server's clock, epoch ms: clients may be off. */
  readonly now: number
  readonly title: string
  readonly directory: string
  readonly can: readonly Ability[]
  /** Settled tasks are kept for so long. */
  readonly retainMs?: number
  readonly lanes: readonly LaneView[]
  readonly tasks: readonly WireTask[]
  readonly history: Readonly<Record<string, WireHistory>>
}

/** An event without the texts that only the detail shows. */
export interface WireEvent {
  readonly type: EventType
  readonly at: number
  readonly seq: number
  readonly id?: string
  readonly epoch?: number
  readonly [key: string]: unknown
}

/** One message of the stream: the event, and what it changed as it is now. */
export interface WireFrame {
  readonly event: WireEvent
  readonly task?: WireTask
  readonly lanes?: readonly LaneView[]
}

/** All of one task. */
export interface WireDetail {
  readonly task: WireTask
  readonly directory: string
  readonly server: string
  readonly prompts: readonly { readonly kind: string; readonly text: string; readonly sent: boolean }[]
  readonly tokens: {
    readonly input: number
    readonly output: number
    readonly reasoning: number
    readonly cacheRead: number
    readonly cacheWrite: number
  }
  readonly crashes: number
  readonly resumes: number
  readonly ttlMs?: number | null
  readonly background: boolean
  readonly batch?: string
  readonly text?: string
  readonly truncated?: boolean
  readonly unsent?: readonly string[]
  readonly notice: string
  /** Where OpenCode shows the session in a browser, when it listens on HTTP. */
  readonly open?: string
}

export interface WireError {
  readonly code: string
  readonly message: string
}
