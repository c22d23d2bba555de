import type { LaneView } from "../../core/lanes.ts"
import { History } from "../history.ts"
import type { Ability } from "../source.ts"
import type { WireEvent, WireFrame, WireSnapshot, WireTask } from "../wire.ts"

/** locked: no session; live: frames come; lost: they do not, and it tries again. */
export type Connection = "connecting" | "live" | "lost" | "locked"

export interface Totals {
  readonly running: number
  readonly queued: number
  readonly done: number
  readonly failed: number
  readonly cancelled: number
  readonly cost: number
  readonly tokens: number
}

const EVENTS = 2_000
/** Views follow at most so often, however many frames come. */
const TELL_MS = 80

/** What the page knows: the server's rows as last told, never a guess of its own. */
export class Store {
  readonly tasks: Map<string, WireTask> = new Map()
  readonly history: History = new History()
  readonly events: WireEvent[] = []
  lanes: readonly LaneView[] = []
  connection: Connection = "connecting"
  why = ""
  title = "lanes"
  directory = ""
  can: ReadonlySet<Ability> = new Set()
  /** What a screen reader is told. */
  spoken = ""
  /** Number of frames applied, and of the newest one. */
  frames = 0
  last = 0
  boot = ""
  #offset = 0
  #retainMs = Number.POSITIVE_INFINITY
  readonly #listeners = new Set<() => void>()
  #telling = 0

  /** The server's clock. */
  now(): number {
    return Date.now() + this.#offset
  }

  load(snapshot: WireSnapshot): void {
    this.tasks.clear()
    for (const task of snapshot.tasks) this.tasks.set(task.id, task)
    this.history.load(snapshot.history)
    this.lanes = snapshot.lanes
    this.title = snapshot.title
    this.directory = snapshot.directory
    this.can = new Set(snapshot.can)
    this.#offset = snapshot.now - Date.now()
    this.#retainMs = snapshot.retainMs ?? Number.POSITIVE_INFINITY
    const [boot = "", last = "0"] = snapshot.cursor.split("-")
    this.boot = boot
    this.last = Number(last)
    this.tell()
  }

  /** Applies the frame after the last one. False = it is not the next: something was missed. */
  apply(id: string, frame: WireFrame): boolean {
    const [boot, number] = id.split("-")
    if (boot !== this.boot || Number(number) !== this.last + 1) return false
    this.last++
    this.frames++
    const { event, task, lanes } = frame
    const before = event.id === undefined ? undefined : this.tasks.get(event.id)
    this.history.note(event, before, task)
    if (task !== undefined) this.tasks.set(task.id, task)
    if (lanes !== undefined) this.lanes = lanes
    if (event.type !== "task:snapshot") {
      this.events.push(event)
      if (this.events.length > EVENTS + 200) this.events.splice(0, this.events.length - EVENTS)
    }
    if (event.type === "task:settled" && task !== undefined) this.spoken = `${task.description}: ${task.state}`
    if (this.frames % 500 === 0) this.#forget()
    this.tell()
    return true
  }

  connect(connection: Connection, why: string = ""): void {
    if (this.connection === connection && this.why === why) return
    this.connection = connection
    this.why = why
    this.tell()
  }

  totals(): Totals {
    const totals = { running: 0, queued: 0, done: 0, failed: 0, cancelled: 0, cost: 0, tokens: 0 }
    for (const { state, cost, tokens } of this.tasks.values()) {
      totals[TOTAL[state]]++
      totals.cost += cost
      totals.tokens += tokens
    }
    return totals
  }

  listen(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  tell(): void {
    if (this.#telling !== 0) return
    this.#telling = window.setTimeout(() => {
      this.#telling = 0
      for (const listener of [...this.#listeners]) listener()
    }, TELL_MS)
  }

  /** Tasks the server no longer keeps. */
  #forget(): void {
    const before = this.now() - this.#retainMs
    for (const { id, settledAt } of this.tasks.values())
      if (settledAt !== undefined && settledAt < before) this.tasks.delete(id)
    this.history.forget((id) => !this.tasks.has(id))
  }
}

const TOTAL = {
  pending: "queued",
  running: "running",
  completed: "done",
  error: "failed",
  cancelled: "cancelled",
} as const
