/** Stable codes: callers switch on these, never on the text. */
export type ErrorCode =
  | "INVALID_INPUT"
  | "CONFIG_INVALID"
  | "QUEUE_FULL"
  | "PARENT_LIMIT"
  | "TASK_UNKNOWN"
  | "TASK_FOREIGN"
  | "SESSION_FOREIGN"
  | "AGENT_UNKNOWN"
  | "AGENT_PRIMARY"
  | "MODEL_UNKNOWN"
  | "CATALOG_UNAVAILABLE"
  | "BINARY_MISSING"
  | "SERVER_UNREACHABLE"
  | "SERVER_TIMEOUT"
  | "SERVER_AUTH"
  | "SERVER_NOT_OPENCODE"
  | "SERVER_REJECTED"
  | "SERVER_BUSY"
  | "NOT_FOUND"
  | "GARBLED"
  | "RUN_MOVED_ON"
  | "WORKER_LOST"
  | "JOURNAL_FAILED"
  | "RELOADING"
  | "CLOSED"

/** How an error crosses threads: as data. */
export interface ErrorData {
  readonly code: ErrorCode
  readonly message: string
  readonly hint?: string
}

/**
 * The one error class: a stable `code`, a sentence saying what happened and, as `hint`, what to do next.
 * `message` already ends with the hint, so that printing it is enough.
 */
export class LanesError extends Error {
  readonly code: ErrorCode
  readonly hint: string | undefined

  constructor(code: ErrorCode, message: string, hint?: string, options?: { cause?: unknown }) {
    super(hint === undefined ? message : `${message} ${hint}`, options)
    this.name = "LanesError"
    this.code = code
    this.hint = hint
  }

  /** Plain object for the wire; the other side gets an equal error from `fromData`. */
  toData(): ErrorData {
    return { code: this.code, message: this.message }
  }

  static fromData(data: ErrorData): LanesError {
    return new LanesError(data.code, data.message)
  }

  /** Whatever was thrown, as a LanesError; an unknown error keeps its message under the given code. */
  static from(thrown: unknown, code: ErrorCode): LanesError {
    if (thrown instanceof LanesError) return thrown
    const message = thrown instanceof Error ? thrown.message : String(thrown)
    return new LanesError(code, message, undefined, { cause: thrown })
  }
}
