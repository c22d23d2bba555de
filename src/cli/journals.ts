/** What commands know of coordinators in other processes: their journals, and the way to ask them. */

import { openReaders } from "../adapters/journal-reader.ts"
import type { JournalReader } from "../adapters/journal-reader.ts"
import type { OwnerRequest } from "../adapters/request-files.ts"
import { askOwner } from "../adapters/request-files.ts"
import { sqliteLibrary } from "../adapters/sqlite-library.ts"
import { canonical, stateFolder } from "../adapters/state-folder.ts"
import type { LaneEvent } from "../core/events.ts"
import type { TaskRow } from "../core/task.ts"
import { EXIT } from "./output/exit-codes.ts"
import { sentenceOf, UsageError } from "./output/errors.ts"

/** A task and the journal it is in. */
export interface FoundTask {
  readonly row: TaskRow
  readonly reader: JournalReader
  /** A coordinator looks after it now. */
  readonly living: boolean
}

/** All journals of this user; what cannot be read is said. */
export class Journals implements Disposable {
  readonly #readers: readonly JournalReader[]
  readonly #say: (sentence: string) => void
  readonly #said = new Set<JournalReader>()

  private constructor(readers: readonly JournalReader[], say: (sentence: string) => void) {
    this.#readers = readers
    this.#say = say
  }

  static async open(say: (sentence: string) => void = toStderr): Promise<Journals> {
    const open = await sqliteLibrary()
    return new Journals(open === undefined ? [] : openReaders(open, stateFolder(), say), say)
  }

  /** Looks into each. What is broken in one keeps nobody from looking into the others; it is said once. */
  each(look: (reader: JournalReader) => void): void {
    for (const reader of this.#readers) {
      try {
        look(reader)
      } catch (thrown) {
        if (this.#said.size < this.#said.add(reader).size)
          this.#say(`The journal ${reader.file} cannot be read: ${sentenceOf(thrown)}`)
      }
    }
  }

  /** Tasks of one project, or of all, oldest first. */
  tasks(directory: string | undefined): FoundTask[] {
    const wanted = directory === undefined ? undefined : canonical(directory)
    const found: FoundTask[] = []
    this.each((reader) => {
      const { living, directory: home } = reader.owner()
      for (const row of reader.rows())
        if (wanted === undefined || home === wanted || canonical(row.spec.directory) === wanted)
          found.push({ row, reader, living })
    })
    return found.sort((a, b) => a.row.createdAt - b.row.createdAt || a.row.order - b.row.order)
  }

  /** One task, wherever it was launched, by its id or its session's. */
  task(id: string): FoundTask {
    if (!/^(bg|ses)_\w+$/.test(id)) throw new UsageError(`"${id}" is no task id; those look like bg_4k2m9x0a.`)
    const found: FoundTask[] = []
    this.each((reader) => {
      if (found.length > 0) return
      const row = id.startsWith("bg_") ? reader.row(id) : reader.rows().find(({ sessionID }) => sessionID === id)
      if (row !== undefined) found.push({ row, reader, living: reader.owner().living })
    })
    const [first] = found
    if (first !== undefined) return first
    throw new Missing(`There is no task ${id}. See lanes list --all; what ended a day ago is forgotten.`)
  }

  [Symbol.dispose](): void {
    for (const reader of this.#readers) reader[Symbol.dispose]()
  }
}

/**
 * Whether an event is of a project, or of any: a coordinator tells of its own, and of tasks it was asked to run there.
 */
export function placed(directory: string | undefined): (reader: JournalReader, event: LaneEvent) => boolean {
  const known = new Map<string, boolean>()
  return (reader, event) => {
    if (directory === undefined) return true
    if (!("id" in event)) return reader.owner().directory === directory
    let of = known.get(event.id)
    if (of === undefined) {
      const at = reader.row(event.id)?.spec.directory
      // One that is forgotten is taken for the coordinator's own.
      of = at === undefined ? reader.owner().directory === directory : canonical(at) === directory
      known.set(event.id, of)
    }
    return of
  }
}

/** A task that is asked for is not there. */
export class Missing extends Error {
  override readonly name = "Missing"
  readonly code = "TASK_UNKNOWN"
}

/** Nobody is there who could be asked. */
export class NoCoordinator extends Error {
  override readonly name = "NoCoordinator"
  readonly code = "CLOSED"
}

/** Asks the coordinator that looks after a task; says so when there is none. */
export async function ask(
  { row, reader, living }: FoundTask,
  request: OwnerRequest,
  timeoutMs?: number,
): Promise<unknown> {
  if (living) return askOwner(reader.file, request, timeoutMs)
  throw new NoCoordinator(`No coordinator looks after ${row.id} now: its process has ended. ${ORPHAN_HINT}`)
}

export const ORPHAN_HINT = "lanes resume takes over what it left."

/** Says on stderr that what is shown may be old; for tasks nobody looks after. */
export function warnOfOrphans(tasks: readonly FoundTask[]): void {
  const orphans = tasks.filter(({ row, living }) => !living && row.settledAt === undefined).length
  if (orphans === 0) return
  const which = orphans === 1 ? "1 unfinished task has" : `${orphans} unfinished tasks have`
  toStderr(`${which} no coordinator: what is shown is the last that was known. ${ORPHAN_HINT}`)
}

export function toStderr(sentence: string): void {
  process.stderr.write(`${sentence}\n`)
}

/** Writes to stdout; a reader that has left is no failure. */
export function print(text: string): number {
  process.stdout.write(text.endsWith("\n") ? text : `${text}\n`)
  return EXIT.ok
}
