import type { Options } from "./options.ts"
import type { Hint, PollFailure, Snapshot, Todos } from "./snapshot.ts"
import type { SealedRow } from "./sealed.ts"
import type { CancelReason, ErrorReason, RunRef, TaskId, TaskRow, TaskSpec } from "./task.ts"

/** When a step happens: `mono` decides (ms, monotonic, machine sleep excluded), `wall` (epoch ms) is only printed. */
export interface Now {
  readonly mono: number
  readonly wall: number
}

/** What workers report about one run; carried as data over the link and fed to the core unchanged. */
export type RunReport =
  /** The run has a session now, not yet prompted. `todos`: what it already had, when adopted. */
  | { readonly type: "session"; readonly run: RunRef; readonly sessionID: string; readonly todos?: Todos }
  /** The server accepted prompt `n` under this message id. */
  | { readonly type: "prompted"; readonly run: RunRef; readonly n: number; readonly messageID: string }
  | { readonly type: "snapshot"; readonly run: RunRef; readonly seq: number; readonly snapshot: Snapshot }
  /** A poll gave nothing. */
  | {
      readonly type: "poll-failed"
      readonly run: RunRef
      readonly seq: number
      readonly failure: PollFailure
      readonly message: string
    }
  /** The run cannot go on. */
  | { readonly type: "failed"; readonly run: RunRef; readonly reason: ErrorReason; readonly message: string }
  /** After `stop`: the run has left its session. `idle`: the session was seen idle. */
  | { readonly type: "stopped"; readonly run: RunRef; readonly idle: boolean }

/** What happens to threads. */
export type ThreadReport =
  | { readonly type: "worker-started"; readonly worker: string }
  | { readonly type: "worker-lost"; readonly worker: string; readonly cause: string; readonly runs: readonly RunRef[] }

/** Everything that can happen to the core. Plain data: a recorded log of inputs replays. */
export type Input =
  | { readonly type: "launch"; readonly id: TaskId; readonly spec: TaskSpec }
  /** Settled: a new epoch. Running or pending: a follow-up. */
  | {
      readonly type: "continue"
      readonly id: TaskId
      readonly prompt: string
      readonly ttlMs?: number | null
      readonly background?: boolean
      readonly batch?: string
      readonly model?: string
    }
  | { readonly type: "cancel"; readonly id: TaskId; readonly reason: CancelReason; readonly silent?: boolean }
  /** Undo of a launch or continue whose journal write failed. */
  | { readonly type: "refuse"; readonly id: TaskId; readonly before?: TaskRow }
  | RunReport
  | ThreadReport
  | { readonly type: "hint"; readonly sessionID: string; readonly hint: Hint }
  /** The stream of server events of a directory is alive or not. */
  | { readonly type: "events"; readonly directory: string; readonly alive: boolean }
  /** A server process was replaced; whatever ran in it is interrupted. */
  | { readonly type: "server-restarted" }
  /** An OpenCode instance of a directory was disposed or loaded. */
  | { readonly type: "instance"; readonly directory: string; readonly state: "disposed" | "loaded" }
  | {
      readonly type: "limits"
      readonly limits: Partial<Pick<Options, "defaultConcurrency" | "providerConcurrency" | "modelConcurrency">>
    }
  /** The parent has read the result of this epoch, or was shown that it ended: nothing more to tell. */
  | { readonly type: "read"; readonly id: TaskId }
  | { readonly type: "parent-deleted"; readonly sessionID: string }
  | { readonly type: "parent-aborted"; readonly sessionID: string }
  /** The parent's session was seen to hold this notice. */
  | { readonly type: "told"; readonly id: TaskId; readonly epoch: number; readonly proof: string }
  | { readonly type: "delivery-failed"; readonly parent: string; readonly message: string; readonly gone?: boolean }
  /** A delivery that no longer stood was called back before it was through. */
  | { readonly type: "delivery-recalled"; readonly parent: string }
  | {
      readonly type: "recover"
      readonly rows: readonly TaskRow[]
      readonly sealed?: readonly SealedRow[]
      readonly sessions: "alive" | "dead"
    }
  | { readonly type: "close"; readonly mode: "drain" | "detach" | "abort" }
  | { readonly type: "tick" }
