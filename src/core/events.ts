import type { Snapshot } from "./snapshot.ts"
import type { LaneKey, Outcome, TaskId } from "./task.ts"

/** Every event carries these. */
export interface Stamp {
  /** Epoch ms. */
  readonly at: number
  /** Per process, without gaps. */
  readonly seq: number
}

interface OfTask {
  readonly id: TaskId
  readonly epoch: number
}

/** The bus: one line per event. Per task the order is the order of the life cycle; settled is an epoch's last word. */
export interface EventMap {
  /** A task was stored; `ahead` tasks wait before it in its lane. */
  "task:queued": OfTask & {
    readonly lane: LaneKey
    readonly ahead: number
    readonly description: string
    readonly agent?: string
    readonly model?: string
    readonly parent?: string
  }
  /** It got a slot; attempt > 1 after a lost worker. */
  "task:started": OfTask & { readonly lane: LaneKey; readonly attempt: number; readonly queuedMs: number }
  /** Its session is known. */
  "task:session": OfTask & { readonly sessionID: string }
  /** A worker polled. */
  "task:snapshot": OfTask & { readonly snapshot: Snapshot }
  /** The agent did something; at most one a second. `tool` is the last one it used. */
  "task:progress": OfTask & {
    readonly steps: number
    readonly tool?: string
    readonly tokens: number
    readonly cost: number
  }
  /** We asked it to go on: open TODOs, an interruption, or a follow-up of the user's. */
  "task:nudged": OfTask & { readonly kind: "nudge" | "resume" | "follow-up"; readonly n: number }
  /** Its session asked for a permission. */
  "task:permission": OfTask & {
    readonly askID: string
    readonly permission: string
    readonly patterns: readonly string[]
    readonly action: "rejected" | "forwarded"
  }
  /** The run ended, once. */
  "task:settled": OfTask & { readonly outcome: Outcome; readonly description: string; readonly lane: LaneKey }
  /** A settled task runs again under a new epoch. */
  "task:continued": OfTask & { readonly prompt: string }
  /** Its parent's session holds the notice; `dead`: it could not be delivered. */
  "task:notified": OfTask & { readonly parent: string; readonly proof?: string; readonly dead?: boolean }
  /** A slot was given to a task. */
  "lane:granted": OfTask & {
    readonly lane: LaneKey
    readonly used: number
    readonly limit: number | null
    readonly queued: number
  }
  /** A slot came back. */
  "lane:released": OfTask & {
    readonly lane: LaneKey
    readonly used: number
    readonly limit: number | null
    readonly queued: number
  }
  /** A lane's limit changed; null = unlimited. */
  "lane:limit": { readonly lane: LaneKey; readonly limit: number | null }
  /** A worker thread is ready. */
  "worker:started": { readonly worker: string }
  /** A worker thread crashed, exited or fell silent; its runs go on elsewhere. */
  "worker:lost": { readonly worker: string; readonly cause: string; readonly tasks: readonly TaskId[] }
  /** The server does not answer. */
  "server:lost": { readonly message: string }
  /** It answers again. */
  "server:back": { readonly lostMs: number }
  /** The journal could not be written; running tasks go on. */
  "journal:error": { readonly message: string }
  /** A listener threw or rejected; the others were called all the same. */
  "listener:error": { readonly event: string; readonly message: string }
}

export type EventType = keyof EventMap

/** One event as listeners get it: its data, its type, and the stamp. */
export type LaneEvent<T extends EventType = EventType> = {
  [K in T]: Readonly<EventMap[K]> & Stamp & { readonly type: K }
}[T]

/** One event before the bus stamps it. */
export type BareEvent = { [K in EventType]: Readonly<EventMap[K]> & { readonly type: K } }[EventType]
