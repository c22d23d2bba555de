import type { Journal } from "../coordinator/ports.ts"
import { LanesError } from "../core/errors.ts"
import type { LaneEvent } from "../core/events.ts"
import type { TaskId, TaskRow } from "../core/task.ts"
import { FileIdentity } from "./file-identity.ts"
import { BEAT_MS } from "./journal-owner.ts"
import { touch } from "./journal-parts.ts"
import { readAll, rowWriter } from "./journal-rows.ts"
import type { Hide } from "./secrets.ts"
import type { Sql, Statement } from "./sqlite-library.ts"
import { transaction } from "./sqlite-schema.ts"

/** How much a journal may hold. */
export interface JournalBounds {
  /** Size of the file; beyond, launches are refused. Bytes, default 1 GiB. */
  readonly maxBytes?: number
  /** Events kept for the tail; default 20 000. */
  readonly maxEvents?: number
}

export interface SqliteJournalParts {
  readonly sql: Sql
  readonly file: string
  /** What we signed the file with: when it is another's, so is the file. */
  readonly token: string
  readonly bounds?: JournalBounds
  /** What is written goes through it. */
  readonly hide?: Hide | undefined
  readonly onClose?: () => void
}

/** Events wait for the next write of rows, at most so long. */
const FLUSH_MS = 200
/** Events that wait while nothing can be written; the oldest are dropped beyond. */
const MOST_WAITING = 5_000
/** The tail is cut after so many new events. */
const TRIM_EVERY = 2_000
/** Characters of a result that its event keeps; the row has it all. */
const EVENT_TEXT = 500

/**
 * The journal in a file: each step's rows in one durable transaction, events with the next one. The only writer of its
 * file; each transaction makes sure of that, so that a process that was thought dead cannot overwrite its heir's rows.
 */
export class SqliteJournal implements Journal {
  readonly file: string
  readonly #sql: Sql
  readonly #token: string
  readonly #parts: SqliteJournalParts
  readonly #put: (row: TaskRow) => void
  readonly #drop: Statement
  readonly #find: Statement
  readonly #note: Statement
  readonly #owner: Statement
  readonly #trim: Statement
  readonly #identity: FileIdentity
  readonly #maxEvents: number
  readonly #beat: ReturnType<typeof setInterval>
  #waiting: { at: number; text: string }[] = []
  #timer: ReturnType<typeof setTimeout> | undefined
  #untrimmed = 0
  #closed = false

  constructor(parts: SqliteJournalParts) {
    const { sql, file, token, bounds = {} } = parts
    this.file = file
    this.#sql = sql
    this.#token = token
    this.#parts = parts
    this.#maxEvents = bounds.maxEvents ?? 20_000
    const pageSize = Number(sql.prepare("PRAGMA page_size").get()?.["page_size"] ?? 4_096)
    sql.exec(`PRAGMA max_page_count = ${Math.floor((bounds.maxBytes ?? 2 ** 30) / pageSize)}`)
    this.#put = rowWriter(sql, parts.hide)
    this.#drop = sql.prepare("DELETE FROM tasks WHERE id = ?")
    this.#find = sql.prepare("SELECT 1 FROM tasks WHERE id = ?")
    this.#note = sql.prepare("INSERT INTO events (at, event) VALUES (?, ?)")
    this.#owner = sql.prepare("SELECT token FROM owner")
    this.#trim = sql.prepare("DELETE FROM events WHERE n <= (SELECT max(n) FROM events) - ?")
    this.#identity = new FileIdentity(file)
    this.#beat = setInterval(() => touch(file), BEAT_MS)
    if (typeof this.#beat === "object") this.#beat.unref()
  }

  write(rows: readonly TaskRow[], forget: readonly TaskId[]): void {
    if (this.#closed) throw failed(this.file, "it is closed")
    // A step may write a row more than once: the last is the one that holds.
    const last = new Map(rows.map((row) => [row.id, row]))
    const events = this.#waiting
    this.#commit(() => {
      for (const row of last.values()) this.#put(row)
      for (const id of forget) this.#drop.run(id)
      for (const { at, text } of events) this.#note.run(at, text)
    })
    this.#noted(events)
  }

  /** Whether a task's row is in this file. */
  has(id: TaskId): boolean {
    return !this.#closed && this.#find.get(id) !== undefined
  }

  append(event: LaneEvent): void {
    // Polls are many, and what they show is in the rows and in what follows from them.
    if (event.type === "task:snapshot" || this.#closed) return
    const text = JSON.stringify(event, shortened)
    if (this.#waiting.push({ at: event.at, text: this.#parts.hide?.(text) ?? text }) > MOST_WAITING)
      this.#waiting.shift()
    this.#timer ??= setTimeout(() => this.#flush(), FLUSH_MS)
    if (typeof this.#timer === "object") this.#timer.unref()
  }

  /** What is in the file, in order; whoever opened it has it already. */
  load(): readonly TaskRow[] {
    return readAll(this.#sql)
  }

  close(): void {
    if (this.#closed) return
    this.#flush()
    this.#closed = true
    clearInterval(this.#beat)
    try {
      this.#sql.prepare("UPDATE owner SET token = NULL WHERE token = ?").run(this.#token)
    } catch {
      // Whoever starts next sees that we are gone.
    }
    this.#sql.close()
    this.#identity.close()
    this.#parts.onClose?.()
  }

  /** Events alone need not be durable. */
  #flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const events = this.#waiting
    if (events.length === 0 || this.#closed) return
    try {
      this.#sql.exec("PRAGMA synchronous = NORMAL")
      this.#commit(() => {
        for (const { at, text } of events) this.#note.run(at, text)
      })
      this.#noted(events)
    } catch {
      // They wait for the next write; the oldest are given up.
    } finally {
      this.#sql.exec("PRAGMA synchronous = FULL")
    }
  }

  #noted(events: readonly unknown[]): void {
    this.#waiting = []
    this.#untrimmed += events.length
    if (this.#untrimmed < TRIM_EVERY) return
    this.#untrimmed = 0
    try {
      this.#trim.run(this.#maxEvents)
      this.#sql.exec("PRAGMA incremental_vacuum(1000)")
    } catch {
      // Tried again after as many events.
    }
  }

  #commit(body: () => void): void {
    const changed = this.#identity.changed()
    if (changed !== undefined) throw failed(this.file, changed)
    try {
      transaction(this.#sql, () => {
        if (this.#owner.get()?.["token"] !== this.#token) throw failed(this.file, "another process has taken it over")
        body()
      })
    } catch (thrown) {
      throw unwritable(this.file, thrown)
    }
  }
}

function shortened(key: string, value: unknown): unknown {
  return key === "text" && typeof value === "string" && value.length > EVENT_TEXT
    ? `${value.slice(0, EVENT_TEXT)}…`
    : value
}

/** Whatever was thrown while a journal was written. */
export function unwritable(file: string, thrown: unknown): LanesError {
  if (thrown instanceof LanesError) return thrown
  return failed(file, thrown instanceof Error ? thrown.message : String(thrown), thrown)
}

function failed(file: string, why: string, cause?: unknown): LanesError {
  return new LanesError("JOURNAL_FAILED", `The journal ${file} cannot be written: ${why}`, undefined, { cause })
}
