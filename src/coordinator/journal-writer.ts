import type { Effect } from "../core/effects.ts"
import { LanesError } from "../core/errors.ts"
import type { LaneEvent } from "../core/events.ts"
import type { TaskId, TaskRow } from "../core/task.ts"
import type { Clock, Journal, Undo } from "./ports.ts"

/** Between two tries to write what could not be written. */
const RETRY_MS = 1_000

/**
 * Carries a step's rows to the journal. What it did not take is not forgotten: it goes with the next write that succeeds,
 * so that a disk that was full for a while leaves no gap.
 */
export class JournalWriter {
  readonly #journal: Journal
  readonly #clock: Clock
  /** The newest state of each row the journal lacks; undefined = it should have been dropped. */
  readonly #behind = new Map<TaskId, TaskRow | undefined>()
  #retry: Undo | undefined

  constructor(journal: Journal, clock: Clock) {
    this.#journal = journal
    this.#clock = clock
  }

  /** Rows the journal lacks. */
  get behind(): number {
    return this.#behind.size
  }

  /** Returns why it failed. `refused`: what fails will be undone, and is not tried again. */
  write(
    effects: readonly Effect[],
    { refused }: { readonly refused: boolean } = { refused: false },
  ): LanesError | undefined {
    const changes = changesOf(effects)
    if (changes === undefined) return undefined
    // What may be refused goes alone: it is not to slip in with others, nor to be refused for their sake.
    const failure = refused ? this.#put(changes) : this.#putAll(changes)
    if (failure === undefined) {
      if (this.#behind.size > 0) for (const id of changes.keys()) this.#behind.delete(id)
      if (refused) this.#catchUp()
    } else if (!refused) {
      for (const [id, row] of changes) this.#behind.set(id, row)
      this.#tryLater()
    }
    return failure
  }

  append(event: LaneEvent): void {
    try {
      this.#journal.append(event)
    } catch {
      // The audit may have holes; the rows are what counts, and their failures are told.
    }
  }

  load(): readonly TaskRow[] {
    return this.#journal.load()
  }

  close(): void {
    this.#catchUp()
    this.#caughtUp()
    this.#journal.close()
  }

  /** With what it lacks; else without: what one project's file does not take holds up no other's rows. */
  #putAll(changes: ReadonlyMap<TaskId, TaskRow | undefined>): LanesError | undefined {
    const failure = this.#put(this.#behind.size === 0 ? changes : new Map([...this.#behind, ...changes]))
    if (failure === undefined) this.#caughtUp()
    else if (this.#behind.size > 0) return this.#put(changes)
    return failure
  }

  #put(changes: ReadonlyMap<TaskId, TaskRow | undefined>): LanesError | undefined {
    const rows: TaskRow[] = []
    const forget: TaskId[] = []
    for (const [id, row] of changes) {
      if (row === undefined) forget.push(id)
      else rows.push(row)
    }
    try {
      this.#journal.write(rows, forget)
      return undefined
    } catch (thrown) {
      return LanesError.from(thrown, "JOURNAL_FAILED")
    }
  }

  #catchUp(): void {
    if (this.#behind.size === 0 || this.#put(this.#behind) === undefined) this.#caughtUp()
  }

  #caughtUp(): void {
    this.#behind.clear()
    this.#retry?.()
    this.#retry = undefined
  }

  #tryLater(): void {
    this.#retry ??= this.#clock.setTimer(RETRY_MS, () => {
      this.#retry = undefined
      this.#catchUp()
      if (this.#behind.size > 0) this.#tryLater()
    })
  }
}

/** The last state of each row that a step changes; undefined = none, as with most steps. */
function changesOf(effects: readonly Effect[]): Map<TaskId, TaskRow | undefined> | undefined {
  let changes: Map<TaskId, TaskRow | undefined> | undefined
  for (const effect of effects) {
    if (effect.type === "journal") (changes ??= new Map()).set(effect.row.id, effect.row)
    else if (effect.type === "forget") (changes ??= new Map()).set(effect.id, undefined)
  }
  return changes
}
