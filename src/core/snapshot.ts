import type { Ms } from "./options.ts"

/** Tokens a session has used so far, as OpenCode counts them. */
export interface Tokens {
  readonly input: number
  readonly output: number
  readonly reasoning: number
  readonly cacheRead: number
  readonly cacheWrite: number
}

export const NO_TOKENS: Tokens = { input: 0, output: 0, reasoning: 0, cacheRead: 0, cacheWrite: 0 }

/** What `/session/status` says of a session. The server never reports `idle`: idle is the absent entry. */
export type SessionStatus =
  | { readonly type: "absent" }
  | { readonly type: "busy" }
  /** The provider failed and will be asked again; `inMs` from now. */
  | { readonly type: "retry"; readonly attempt: number; readonly message: string; readonly inMs: Ms }

/** The newest message of a session, without its transcript. */
export interface NewestMessage {
  readonly id: string
  readonly role: "user" | "assistant"
  /** Assistant only: the user message it answers. */
  readonly parentID?: string
  /** `time.completed` is set. */
  readonly completed: boolean
  /** The model's finish reason, once it has one. */
  readonly finish?: string
  readonly error?: { readonly name: string; readonly message: string }
  /** A compaction's summary: never an answer. */
  readonly summary: boolean
  /** Has non-empty text or a finished tool part. */
  readonly output: boolean
  /** Final text, joined, only when completed; cut in the middle beyond the assignment's `maxResultChars`. */
  readonly text?: string
  readonly cut?: boolean
  /** Name of the tool that runs now: in it, or in the answer it waits behind. */
  readonly tool?: string
}

/** Open TODOs of a session, and a digest of the whole list to see changes. */
export interface Todos {
  readonly open: number
  readonly digest: string
}

/** A permission ask (or question) that keeps the session busy until answered. */
export interface Ask {
  readonly id: string
  readonly permission: string
  readonly patterns: readonly string[]
}

/** What a worker saw at one poll. */
export interface Snapshot {
  readonly status: SessionStatus
  /** How long before it was reported the status was asked for; slow answers make old samples. Undefined = just now. */
  readonly ageMs?: Ms
  /**
   * How many prompts of this run were accepted when the status request was sent. A sample taken before a prompt
   * says nothing about its answer.
   */
  readonly prompts: number
  /** Digest of newest assistant message id, part ids and states, lengths, tokens and completion; same = no change. */
  readonly fingerprint?: string
  /** The newest message, when it was read at this poll; undefined = not read, null = the session has none. */
  readonly newest?: NewestMessage | null
  /** Id of the newest user message among those read with `newest`. */
  readonly newestUser?: string
  /** Read at each candidate for completion. */
  readonly todos?: Todos
  readonly asks?: readonly Ask[]
  readonly tokens?: Tokens
  readonly cost?: number
}

/**
 * Why a poll gave nothing. `unreachable`: no server there; `reloading`: it is there, but not the instance of the run's
 * directory; the others: it answered badly or not in time.
 */
export type PollFailure = "unreachable" | "reloading" | "timeout" | "garbled" | "refused"

/** Server events, normalised. They prove life and make the worker poll now; they never complete a task. */
export type Hint =
  /** Text or tool output is growing; coalesced to one per second and session. */
  | { readonly type: "delta" }
  /** A part changed its state; `tool` is the tool that runs now, null = a tool ended. */
  | { readonly type: "part"; readonly tool?: string | null }
  /** A new assistant message, that is a new model step. */
  | { readonly type: "step"; readonly messageID: string }
  /** A step ended, the session went idle, was compacted: worth a poll now. */
  | { readonly type: "step-end"; readonly used?: { readonly tokens: Tokens; readonly cost: number } }
  | { readonly type: "idle" }
  | { readonly type: "todos"; readonly todos: Todos }
  /** `session.error`: buffered, believed when the session stays without an answer. */
  | { readonly type: "error"; readonly name: string; readonly message: string }
  | { readonly type: "ask"; readonly ask: Ask }
  /** Somebody answered an ask; `rejected` without a word to the model ends its run. */
  | { readonly type: "answered"; readonly askID: string; readonly rejected: boolean }
  | { readonly type: "deleted" }
