import type { Inheritance, ReadyJournal } from "./adapters/open-journal.ts"
import { stopLeftovers } from "./adapters/stop-leftovers.ts"
import { answerRequests } from "./answer-requests.ts"
import type { Coordinator } from "./coordinator/coordinator.ts"
import type { SessionApi, Undo } from "./coordinator/ports.ts"
import { LanesError } from "./core/errors.ts"
import type { Lanes } from "./lanes.ts"

export interface InheritParts {
  readonly journal: ReadyJournal
  readonly coordinator: Coordinator
  readonly api: SessionApi
  readonly lanes: Lanes
}

/** When the start is over for long: what was left long ago can wait. */
const TIDY_AFTER_MS = 60_000

/** The projects a coordinator looks after: what dead ones left in each, and what other processes ask about it. */
export class Projects implements Disposable {
  readonly #parts: InheritParts
  readonly #joining = new Map<string, Promise<void>>()
  readonly #serving: Undo[] = []
  readonly #tidy: ReturnType<typeof setTimeout>
  #closed = false

  /** Takes over what was left in the coordinator's own project. */
  constructor(parts: InheritParts) {
    this.#parts = parts
    this.#inherit(parts.journal)
    this.#tidy = setTimeout(() => parts.journal.removeForgotten(), TIDY_AFTER_MS)
    this.#tidy.unref()
  }

  /**
   * Looks after one more project: takes over what dead coordinators left there, and keeps its tasks where the next one
   * looks for them. Rejects with JOURNAL_FAILED; what could not be opened may be mended until the next call.
   */
  join(directory: string): Promise<void> {
    let joined = this.#joining.get(directory)
    if (joined === undefined) {
      joined = this.#join(directory)
      this.#joining.set(directory, joined)
      joined.catch(() => this.#joining.delete(directory))
    }
    return joined
  }

  [Symbol.dispose](): void {
    this.#closed = true
    clearTimeout(this.#tidy)
    for (const undo of this.#serving.splice(0)) undo()
  }

  async #join(directory: string): Promise<void> {
    const found = await this.#parts.journal.join(directory)
    if (this.#closed) throw new LanesError("CLOSED", "These lanes were closed meanwhile.")
    if (found !== undefined) this.#inherit(found)
  }

  #inherit({ file, left }: Inheritance): void {
    const { coordinator, api, lanes } = this.#parts
    for (const { rows, sealed = [], sessions } of left) {
      if (rows.length + sealed.length > 0) coordinator.feed({ type: "recover", rows, sealed, sessions })
      if (sessions === "alive") void stopLeftovers(rows, api, ({ id, epoch }) => coordinator.get(id)?.epoch === epoch)
    }
    if (file !== undefined) this.#serving.push(answerRequests(lanes, file))
  }
}
