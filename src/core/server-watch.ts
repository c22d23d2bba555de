import type { Book } from "./book.ts"
import type { Run } from "./run.ts"
import { disturb } from "./stability.ts"

/** What is known of servers and their events beyond single runs. */
export class ServerWatch {
  readonly #book: Book
  readonly #eventsAlive = new Set<string>()
  #lostAt: number | undefined

  constructor(book: Book) {
    this.#book = book
  }

  eventsAlive(directory: string): boolean {
    return this.#eventsAlive.has(directory)
  }

  silent(message: string): void {
    if (this.#lostAt !== undefined) return
    const { mono } = this.#book.now
    this.#lostAt = mono
    // One server serves them all: one that is gone may come back as another, whichever run has noticed.
    for (const run of this.#book.runs.values()) disturb(run.evidence, mono)
    this.#book.emit({ type: "server:lost", message })
  }

  answers(): void {
    if (this.#lostAt === undefined) return
    this.#book.emit({ type: "server:back", lostMs: this.#book.now.mono - this.#lostAt })
    this.#lostAt = undefined
  }

  /** The stream of a directory's events is up or not; returns the runs it matters to. */
  events(directory: string, alive: boolean): Run[] {
    if (alive) this.#eventsAlive.add(directory)
    else this.#eventsAlive.delete(directory)
    const runs = this.#in(directory)
    for (const run of runs) {
      run.evidence.eventsAlive = alive
      // Events of the gap are lost: look now.
      if (alive) this.#book.command(run, { type: "poke" })
    }
    return runs
  }

  /** Whatever ran there was cut off, unless it is seen busy again. */
  disturbed(directory: string | undefined, disposed: boolean): void {
    for (const run of this.#in(directory)) {
      disturb(run.evidence, this.#book.now.mono)
      if (disposed) run.evidence.disposedAt = this.#book.now.mono
      this.#book.command(run, { type: "poke" })
    }
  }

  /** An instance is there again: look now. */
  loaded(directory: string): void {
    for (const run of this.#in(directory)) this.#book.command(run, { type: "poke" })
  }

  #in(directory: string | undefined): Run[] {
    return [...this.#book.runs.values()].filter(
      (run) => directory === undefined || run.task.spec.directory === directory,
    )
  }
}
