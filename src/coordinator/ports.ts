import type { Assignment, Delivery, RunCommand } from "../core/effects.ts"
import type { LaneEvent } from "../core/events.ts"
import type { RunReport, ThreadReport } from "../core/inputs.ts"
import type { Hint, NewestMessage, SessionStatus, Todos, Tokens } from "../core/snapshot.ts"
import type { RunRef, TaskId, TaskRow } from "../core/task.ts"
import type { Todo } from "../core/todos.ts"

/** Undoes what returned it. */
export type Undo = () => void

/** Time. `now` is monotonic ms and stands still while the machine sleeps; `wall` is epoch ms, for people. */
export interface Clock {
  now(): number
  wall(): number
  /** Calls back once, `ms` from now. */
  setTimer(ms: number, callback: () => void): Undo
}

/** Names for new tasks: `bg_` and 8 lower-case base36 characters. */
export interface Ids {
  task(): TaskId
}

/** Where runs happen: a pool of workers, inline, or simulated. */
export interface Threads {
  /** Starts a run, once per attempt. Everything about it comes back as reports. Never throws. */
  run(assignment: Assignment): void
  /** Tells a run something; one that is gone is ignored. */
  command(run: RunRef, command: RunCommand): void
  /** Who hears the reports; one listener. */
  listen(report: (report: RunReport | ThreadReport) => void): void
  /** Ends all threads; runs still there are dropped without a report. */
  close(): Promise<void>
}

/** An answer of the status call and when it was asked, in ms of the caller's clock. */
export interface StatusSample {
  readonly askedAt: number
  readonly of: Readonly<Record<string, SessionStatus>>
}

export interface SessionInfo {
  readonly id: string
  readonly directory: string
  readonly title: string
  readonly parentID?: string
  /** Epoch ms on the server's clock. */
  readonly created: number
  readonly updated: number
  readonly tokens: Tokens
  readonly cost: number
  readonly metadata: Readonly<Record<string, unknown>>
}

export interface PermissionRule {
  readonly permission: string
  readonly pattern: string
  readonly action: "allow" | "deny" | "ask"
}

/** The newest messages of a session, newest first. */
export interface MessagesPage {
  /** Newest message of all; null = the session has none. */
  readonly newest: NewestMessage | null
  readonly newestUser?: string
  /** See `Snapshot.fingerprint`. */
  readonly fingerprint: string
  /** Ids of the user messages read, newest first. */
  readonly users: readonly string[]
}

/** A message as text, for reading results on demand. */
export interface PlainMessage {
  readonly id: string
  readonly role: "user" | "assistant"
  readonly text: string
  readonly tools: readonly { readonly name: string; readonly state: string }[]
  readonly error?: string
  /** Epoch ms. */
  readonly created: number
}

/**
 * One OpenCode server, seen from a run. Every call is bounded in time and takes a signal; failures are
 * `LanesError`s: SERVER_UNREACHABLE (nobody there), RELOADING (the directory's instance is not), SERVER_TIMEOUT, GARBLED (not what the API promises),
 * NOT_FOUND (404), SERVER_REJECTED (other 4xx), SERVER_BUSY (429, 5xx), SERVER_AUTH, RUN_MOVED_ON (the fence).
 */
export interface SessionApi {
  create(
    input: {
      readonly directory: string
      readonly title: string
      readonly parentID?: string
      readonly permission: readonly PermissionRule[]
      readonly metadata: Readonly<Record<string, unknown>>
    },
    signal?: AbortSignal,
  ): Promise<SessionInfo>
  get(directory: string, sessionID: string, signal?: AbortSignal): Promise<SessionInfo>
  /** Sessions updated since (epoch ms on the server's clock), newest first, at most `limit`. */
  list(
    directory: string,
    options: { readonly since?: number; readonly limit?: number },
    signal?: AbortSignal,
  ): Promise<readonly SessionInfo[]>
  /** Replaces metadata and appends deny rules of a session not made by us. */
  stamp(
    directory: string,
    sessionID: string,
    input: { readonly metadata: Readonly<Record<string, unknown>>; readonly permission: readonly PermissionRule[] },
    signal?: AbortSignal,
  ): Promise<void>
  /** Resolves when the server has accepted it (204). Same message and part id: one message, one turn. */
  prompt(
    directory: string,
    sessionID: string,
    input: {
      readonly messageID: string
      readonly partID: string
      readonly text: string
      readonly agent?: string
      readonly model?: string
      /** Store without a turn. */
      readonly noReply?: boolean
    },
    signal?: AbortSignal,
  ): Promise<void>
  /** Busy and retrying sessions of one directory. Concurrent callers may share one request. */
  status(directory: string, signal?: AbortSignal): Promise<StatusSample>
  /** The newest `limit` messages, digested; text at most `maxChars`. */
  newest(
    directory: string,
    sessionID: string,
    options: { readonly limit: number; readonly maxChars: number },
    signal?: AbortSignal,
  ): Promise<MessagesPage>
  /** Messages as text, oldest first, at most `limit` newest ones. */
  messages(
    directory: string,
    sessionID: string,
    options: { readonly limit?: number },
    signal?: AbortSignal,
  ): Promise<readonly PlainMessage[]>
  todos(directory: string, sessionID: string, signal?: AbortSignal): Promise<Todos>
  /** The same list itself, for people. */
  todoList(directory: string, sessionID: string, signal?: AbortSignal): Promise<readonly Todo[]>
  /** Open permission asks and questions of one directory, by session. */
  asks(
    directory: string,
    signal?: AbortSignal,
  ): Promise<Readonly<Record<string, readonly { id: string; permission: string; patterns: readonly string[] }[]>>>
  /** Rejects an ask with a message the model can read. */
  reject(directory: string, askID: string, message: string, signal?: AbortSignal): Promise<void>
  abort(directory: string, sessionID: string, signal?: AbortSignal): Promise<void>
  delete(directory: string, sessionID: string, signal?: AbortSignal): Promise<void>
}

/** A request of a run, as it crosses the link: a path on the one server, never a host. */
export interface WireRequest {
  readonly method: string
  /** With query, starting with `/`. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
}

export interface WireResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** How requests reach the server: HTTP, or the host's in-process fetch. Credentials stay behind it. */
export interface Transport {
  /**
   * Rejects with SERVER_UNREACHABLE, SERVER_TIMEOUT, or RELOADING while only the directory's instance is not there; any
   * HTTP status is an answer.
   */
  fetch(request: WireRequest, signal?: AbortSignal): Promise<WireResponse>
}

/** Server events of one directory, normalised. Optional: polling alone is correct. */
export interface EventSource {
  /** Follows a directory until undone. `alive` tells whether the stream is up (watchdog on its heart-beat). */
  follow(
    directory: string,
    on: {
      hint(sessionID: string, hint: Hint): void
      alive(alive: boolean): void
      disposed(): void
    },
  ): Undo
}

/** Where rows are kept. Synchronous; after a throw each row of this write is kept as it was or as it is, never in part. */
export interface Journal {
  /** One step's rows and the ids to drop, as one transaction. */
  write(rows: readonly TaskRow[], forget: readonly TaskId[]): void
  /** Audit and tail; loss is tolerated. */
  append(event: LaneEvent): void
  /** All rows of dead owners that this coordinator takes over, in `order`. */
  load(): readonly TaskRow[]
  close(): void
}

/** How parents are told. */
export interface Parent {
  /**
   * Tells the parent when it is idle; resolves with one proof (message id) per item once the parent's session was
   * seen to contain them. Rejects with NOT_FOUND when the parent is gone, else with any LanesError: tried again.
   */
  deliver(delivery: Delivery, rows: readonly TaskRow[], signal: AbortSignal): Promise<readonly string[]>
}

/** What a task asks for, against what the server has. */
export interface Catalog {
  /**
   * The agent's exact name and the effective model: the task's own → the agent's → the parent's → the default.
   * Rejects with AGENT_UNKNOWN (listing what exists), AGENT_PRIMARY, MODEL_UNKNOWN, or CATALOG_UNAVAILABLE within 5 s.
   */
  resolve(request: {
    readonly directory: string
    readonly agent?: string
    readonly model?: string
    readonly parentModel?: string
  }): Promise<{ readonly agent?: string; readonly model?: string }>
}
