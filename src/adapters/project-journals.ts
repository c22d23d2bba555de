import type { Journal } from "../coordinator/ports.ts"
import type { LaneEvent } from "../core/events.ts"
import type { TaskId, TaskRow } from "../core/task.ts"
import type { SqliteJournal } from "./sqlite-journal.ts"
import { canonical } from "./state-folder.ts"

/**
 * The files of one coordinator: one for its own directory, and one for each other project it was asked to look after.
 * A task is kept where the next coordinator of its project looks for it; a task of any other directory with our own.
 */
export class ProjectJournals implements Journal {
  readonly #directory: string
  readonly #own: SqliteJournal
  /** By canonical directory; without our own. */
  readonly #projects = new Map<string, SqliteJournal>()
  /** Of rows that were written or found since there is more than one file. */
  readonly #at = new Map<TaskId, SqliteJournal>()
  /** By directory as tasks spell it. */
  readonly #spelt = new Map<string, SqliteJournal>()
  #closed = false

  /** Directories are canonical here. */
  constructor(directory: string, own: SqliteJournal) {
    this.#directory = directory
    this.#own = own
  }

  has(directory: string): boolean {
    return directory === this.#directory || this.#projects.has(directory)
  }

  /** Tasks of this directory are kept here from now on; those that are in our own file already stay there. */
  add(directory: string, journal: SqliteJournal, rows: Iterable<TaskId>): void {
    if (this.#closed) journal.close()
    this.#projects.set(directory, journal)
    this.#spelt.clear()
    for (const id of rows) this.#at.set(id, journal)
  }

  /** Rows of one file are kept all or none; when it throws, all of them are to be written again. */
  write(rows: readonly TaskRow[], forget: readonly TaskId[]): void {
    if (this.#projects.size === 0) return this.#own.write(rows, forget)
    const parts = new Map<SqliteJournal, { rows: TaskRow[]; forget: TaskId[] }>()
    const partOf = (journal: SqliteJournal): { rows: TaskRow[]; forget: TaskId[] } => {
      const part = parts.get(journal) ?? { rows: [], forget: [] }
      parts.set(journal, part)
      return part
    }
    for (const row of rows) partOf(this.#of(row)).rows.push(row)
    for (const id of forget) partOf(this.#at.get(id) ?? this.#own).forget.push(id)
    const failures: unknown[] = []
    for (const [journal, part] of parts) {
      try {
        journal.write(part.rows, part.forget)
        for (const id of part.forget) this.#at.delete(id)
      } catch (thrown) {
        failures.push(thrown)
      }
    }
    if (failures.length > 0) throw failures[0]
  }

  /** What is about no task concerns every project. */
  append(event: LaneEvent): void {
    if (this.#projects.size === 0) return this.#own.append(event)
    if ("id" in event) return (this.#at.get(event.id) ?? this.#own).append(event)
    for (const journal of [this.#own, ...this.#projects.values()]) journal.append(event)
  }

  load(): readonly TaskRow[] {
    return this.#own.load()
  }

  close(): void {
    this.#closed = true
    const failures: unknown[] = []
    for (const journal of [this.#own, ...this.#projects.values()]) {
      try {
        journal.close()
      } catch (thrown) {
        failures.push(thrown)
      }
    }
    if (failures.length > 0) throw failures[0]
  }

  #of({ id, spec }: TaskRow): SqliteJournal {
    const known = this.#at.get(id)
    if (known !== undefined) return known
    const project = this.#projectOf(spec.directory)
    const journal = project === this.#own || this.#own.has(id) ? this.#own : project
    this.#at.set(id, journal)
    return journal
  }

  #projectOf(directory: string): SqliteJournal {
    let journal = this.#spelt.get(directory)
    if (journal === undefined) {
      journal = this.#projects.get(canonical(directory)) ?? this.#own
      this.#spelt.set(directory, journal)
    }
    return journal
  }
}
