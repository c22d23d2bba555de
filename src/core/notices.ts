import type { Book } from "./book.ts"
import type { Notice, TaskId } from "./task.ts"

/** Tells parents what they are owed, until it is proved or given up. */
export class Notices {
  /** While a dead coordinator's rows are taken over: all is told together afterwards, without a turn. */
  quiet = false
  readonly #book: Book

  constructor(book: Book) {
    this.#book = book
  }

  /** The next delivery to a parent, if one is owed and none is under way. */
  notify(parent: string | undefined): void {
    if (parent === undefined || this.quiet) return
    const delivery = this.#book.outbox.next(parent, this.#book.options.wake, this.#book.now.mono)
    if (delivery !== undefined) this.#book.ask({ type: "deliver", delivery })
  }

  /** The parent has read the result, or was shown what could not be delivered: nothing more to tell. */
  read(id: TaskId): void {
    this.#mark(id, undefined, { state: "none" }, ["owed", "dead"])
  }

  /** The parent's session was seen to hold the notice. */
  told(id: TaskId, epoch: number, proof: string): void {
    const parent = this.#book.outbox.delivered(id) ?? this.#book.tasks.get(id)?.spec.parent?.sessionID
    if (this.#mark(id, epoch, { state: "told", proof }) && parent !== undefined) {
      this.#book.emit({ type: "task:notified", id, epoch, parent, proof })
    }
    this.notify(parent)
  }

  /** A delivery was called back because it no longer stood: what is owed now is told at once. */
  recalled(parent: string): void {
    this.#book.outbox.recalled(parent)
    this.notify(parent)
  }

  failed(parent: string, gone: boolean): void {
    const retryAt = this.#book.outbox.failed(parent, this.#book.now.mono)
    if (retryAt !== undefined && !gone) {
      this.#book.due.set(`p:${parent}`, retryAt)
      return
    }
    for (const { id, epoch } of this.#book.outbox.owed(parent)) {
      this.#mark(id, epoch, { state: "dead" })
      this.#book.emit({ type: "task:notified", id, epoch, parent, dead: true })
    }
  }

  /** There is nobody to tell. */
  forgo(parent: string): void {
    for (const { id, epoch } of this.#book.outbox.owed(parent)) this.#mark(id, epoch, { state: "none" })
  }

  #mark(
    id: TaskId,
    epoch: number | undefined,
    notice: Pick<Notice, "state" | "proof">,
    from: readonly Notice["state"][] = ["owed"],
  ): boolean {
    const task = this.#book.tasks.get(id)
    if (task === undefined || !from.includes(task.notice.state) || (epoch !== undefined && task.epoch !== epoch)) {
      this.#book.ignored++
      return false
    }
    task.notice = { ...task.notice, ...notice }
    this.#book.outbox.index(task)
    this.#book.journal(task)
    return true
  }
}
