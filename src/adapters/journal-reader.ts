import { LanesError } from "../core/errors.ts"
import type { LaneEvent } from "../core/events.ts"
import type { TaskRow } from "../core/task.ts"
import { journalsIn } from "./journal-files.ts"
import type { Ownership } from "./journal-owner.ts"
import { isLiving, readOwner } from "./journal-owner.ts"
import { hasLog, sizeOf } from "./journal-parts.ts"
import { parsedRow, readAll } from "./journal-rows.ts"
import type { OpenSql, Sql } from "./sqlite-library.ts"
import { readDatabase } from "./sqlite-schema.ts"
import { projectFolders } from "./state-folder.ts"

/** An event with its place in the file. */
export interface StoredEvent {
  readonly n: number
  readonly event: LaneEvent
}

/** A journal file, seen by a process that does not own it. */
export class JournalReader implements Disposable {
  readonly file: string
  readonly #sql: Sql

  constructor(open: OpenSql, file: string) {
    this.file = file
    this.#sql = readDatabase(open, file)
  }

  /** Looked up anew at each call: an owner can die, and another can follow. */
  owner(): Ownership & { readonly living: boolean } {
    const owner = readOwner(this.#sql, this.file)
    if (owner === undefined) throw new LanesError("JOURNAL_FAILED", `The journal ${this.file} names no owner.`)
    return { ...owner, living: isLiving(owner) }
  }

  /** All tasks, oldest first. */
  rows(): readonly TaskRow[] {
    return readAll(this.#sql)
  }

  /** Undefined when there is none that can be read. */
  row(id: string): TaskRow | undefined {
    try {
      return parsedRow(String(this.#read("SELECT row FROM tasks WHERE id = ?").get(id)?.["row"]))
    } catch {
      return undefined
    }
  }

  /** Events behind a place, at most `limit`; without torn ones. */
  events(after: number, limit = 500): StoredEvent[] {
    const query = "SELECT n, event FROM events WHERE n > ? AND json_valid(event) ORDER BY n LIMIT ?"
    const found = this.#read(query).all(after, limit)
    return found.map(({ n, event }) => ({ n: Number(n), event: JSON.parse(String(event)) as LaneEvent }))
  }

  /** The place of the newest event before a moment (epoch ms), or of the newest of all. */
  place(before: number = Number.MAX_SAFE_INTEGER): number {
    return Number(this.#read("SELECT max(n) AS n FROM events WHERE at < ?").get(before)?.["n"] ?? 0)
  }

  [Symbol.dispose](): void {
    this.#sql.close()
  }

  readonly #statements = new Map<string, ReturnType<Sql["prepare"]>>()

  #read(query: string): ReturnType<Sql["prepare"]> {
    let statement = this.#statements.get(query)
    if (statement === undefined) this.#statements.set(query, (statement = this.#sql.prepare(query)))
    return statement
  }
}

/** All journals of a state folder; what cannot be read is told, not thrown. */
export function openReaders(open: OpenSql, state: string, log: (message: string) => void): JournalReader[] {
  return projectFolders(state)
    .flatMap(journalsIn)
    .flatMap((file) => {
      try {
        const reader = new JournalReader(open, file)
        reader.owner()
        return [reader]
      } catch (thrown) {
        // One that is just being made is empty.
        if (sizeOf(file) > 0 || hasLog(file))
          log(`The journal ${file} cannot be read: ${LanesError.from(thrown, "JOURNAL_FAILED").message}`)
        return []
      }
    })
}
