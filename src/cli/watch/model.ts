import type { TaskRow } from "../../core/task.ts"
import { isLive } from "../../page/source.ts"
import type { Source, SourceMessage, SourceTodo } from "../../page/source.ts"
import { sentenceOf } from "../output/errors.ts"
import { printable } from "../output/columns.ts"
import type { Key } from "./keys.ts"

/*
 *   list ── enter ──▶ detail ── escape ──▶ list
 *   list ── / ──▶ filter ── enter, escape ──▶ list
 *   list, detail ── c ──▶ sure ── y: cancel, else nothing ──▶ list or detail
 *   all ── q (not in filter), Ctrl-C ──▶ over
 */
export type Mode = "list" | "detail" | "filter" | "sure" | "over"

/** Something of a task's session, read on demand. */
export interface Read<T> {
  readonly id: string
  readonly found?: T
  readonly why?: string
}

/** What a person sees of the tasks: which are listed, which one is chosen, and what is asked. */
export class WatchModel {
  mode: Mode = "list"
  filter = ""
  selected: string | undefined
  /** Lines the detail is scrolled by. */
  scroll = 0
  /** The detail stays at its end while more comes, as the end key asks for. */
  atEnd = false
  /** Rows of the list that fit, told by the view: how far page keys go. */
  page = 10
  /** A sentence about the last thing that was asked. */
  said = ""
  /** What was read of the chosen task's session, or why it could not be. */
  transcript: Read<readonly SourceMessage[]> | undefined
  todos: Read<readonly SourceTodo[]> | undefined
  readonly source: Source
  readonly #changed: () => void
  /** What is behind a question. */
  #behind: "list" | "detail" = "list"
  /** Which task was read, and how far it was. */
  #moved = ""

  constructor(source: Source, changed: () => void) {
    this.source = source
    this.#changed = changed
  }

  /** The detail is what is looked at, also while something is asked about it. */
  get inDetail(): boolean {
    return this.mode === "detail" || (this.mode === "sure" && this.#behind === "detail")
  }

  /** Running first, then those that wait in the order of their queues, then what is over, newest first. */
  rows(): TaskRow[] {
    const words = this.filter.toLowerCase()
    const fits = ({ spec, id, state, lane, lastTool }: TaskRow): boolean =>
      words === "" ||
      `${spec.description} ${spec.agent ?? ""} ${spec.model ?? ""} ${id} ${state} ${lane} ${lastTool ?? ""}`
        .toLowerCase()
        .includes(words)
    return this.source.list().filter(fits).sort(inOrder)
  }

  chosen(): TaskRow | undefined {
    return this.selected === undefined ? undefined : this.source.get(this.selected)
  }

  press(key: Key): void {
    if (key.type === "interrupt") this.mode = "over"
    else if (this.mode === "filter") this.#type(key)
    else if (this.mode === "sure") this.#sure(key)
    else if (key.type === "text" && key.text === "q") this.mode = "over"
    else if (key.type === "text" && key.text === "c") this.#askCancel()
    else if (this.mode === "detail") this.#scroll(key)
    else this.#choose(key)
    this.#changed()
  }

  #choose(key: Key): void {
    if (key.type === "text") {
      if (key.text === "/") this.mode = "filter"
      else if (key.text === "j") this.#move(1)
      else if (key.text === "k") this.#move(-1)
      return
    }
    if (key.type === "enter") return this.#open()
    if (key.type === "escape") this.filter = ""
    const steps = { up: -1, down: 1, "page-up": -this.page, "page-down": this.page, home: -1e9, end: 1e9 }[
      key.type as string
    ]
    if (steps !== undefined) this.#move(steps)
  }

  #move(steps: number): void {
    const rows = this.rows()
    const at = rows.findIndex(({ id }) => id === this.selected)
    this.selected = rows[Math.min(rows.length - 1, Math.max(0, at < 0 ? 0 : at + steps))]?.id
  }

  #open(): void {
    this.selected ??= this.rows()[0]?.id
    const row = this.chosen()
    if (row === undefined) return
    this.mode = "detail"
    this.scroll = 0
    this.atEnd = false
    this.transcript = { id: row.id }
    this.todos = { id: row.id }
    this.#moved = ""
    this.follow()
  }

  /** Reads the chosen task's session when its detail is open and it has moved since. */
  follow(): void {
    const row = this.mode === "detail" ? this.chosen() : undefined
    if (row?.sessionID === undefined) return
    const { id } = row
    const moved = [id, row.epoch, row.state, row.sessionID, row.steps, row.lastTool].join()
    if (moved === this.#moved) return
    this.#moved = moved
    void this.#read(id, this.source.messages?.(id, { limit: 50 }), (read) => (this.transcript = read))
    void this.#read(id, this.source.todos?.(id), (read) => (this.todos = read))
  }

  /** What is shown stays until there is something newer. */
  async #read<T>(id: string, reading: Promise<T> | undefined, keep: (read: Read<T>) => void): Promise<void> {
    if (reading === undefined) return
    const read = await reading.then(
      (found) => ({ id, found }),
      (failure: unknown) => ({ id, why: sentenceOf(failure) }),
    )
    if (this.transcript?.id !== id) return
    keep(read)
    this.#changed()
  }

  #scroll(key: Key): void {
    if (key.type === "escape" || key.type === "enter" || key.type === "backspace") this.mode = "list"
    const steps = { up: -1, down: 1, "page-up": -this.page, "page-down": this.page, home: -1e9, end: 1e9 }[
      key.type as string
    ]
    if (steps === undefined) return
    this.atEnd = key.type === "end"
    this.scroll = Math.max(0, this.scroll + steps)
  }

  #type(key: Key): void {
    if (key.type === "text") this.filter += key.text
    else if (key.type === "backspace") this.filter = this.filter.slice(0, -1)
    else {
      if (key.type === "escape") this.filter = ""
      this.mode = "list"
    }
    const rows = this.rows()
    if (!rows.some(({ id }) => id === this.selected)) this.selected = rows[0]?.id
  }

  #askCancel(): void {
    this.selected ??= this.rows()[0]?.id
    const row = this.chosen()
    if (row === undefined) return
    if (!isLive(row)) return void (this.said = `${printable(row.spec.description)} is over already.`)
    if (this.source.cancel === undefined) return void (this.said = "Tasks cannot be cancelled from here.")
    this.#behind = this.mode === "detail" ? "detail" : "list"
    this.mode = "sure"
    this.said = ""
  }

  #sure(key: Key): void {
    this.mode = this.#behind
    const row = this.chosen()
    if (key.type !== "text" || key.text.toLowerCase() !== "y" || row === undefined) return
    const name = printable(row.spec.description)
    this.said = `Cancelling ${name}`
    const say = (sentence: string): void => {
      this.said = sentence
      this.#changed()
    }
    Promise.resolve()
      .then(() => this.source.cancel?.(row.id))
      .then(
        () => say(`Cancelled ${name}.`),
        (failure: unknown) => say(sentenceOf(failure)),
      )
  }
}

const RANK = { running: 0, pending: 1, completed: 2, error: 2, cancelled: 2 } as const

function inOrder(a: TaskRow, b: TaskRow): number {
  const rank = RANK[a.state] - RANK[b.state]
  if (rank !== 0) return rank
  if (a.state === "running") return (a.startedAt ?? 0) - (b.startedAt ?? 0) || a.order - b.order
  if (a.state === "pending") return a.queuedAt - b.queuedAt || a.order - b.order
  return (b.settledAt ?? 0) - (a.settledAt ?? 0) || b.order - a.order
}
