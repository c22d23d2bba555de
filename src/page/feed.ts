import { randomBytes } from "node:crypto"

import type { LaneEvent } from "../core/events.ts"
import { History } from "./history.ts"
import type { Source } from "./source.ts"
import { wireEvent, wireTask } from "./wire-task.ts"
import type { WireFrame, WireHistory, WireTask } from "./wire.ts"

/** Frames kept for those who come back, and the characters they may take together. */
const FRAMES = 10_000
const CHARS = 8_000_000
/** Frames of so many ms go out together: one write per client instead of one per event. */
const GATHER_MS = 25
const PRUNE_MS = 60_000

/** Events after which lanes may have changed. */
const LANE_EVENTS = new Set<LaneEvent["type"]>([
  "task:queued",
  "task:settled",
  "task:continued",
  "lane:granted",
  "lane:released",
  "lane:limit",
])

/**
 * Everything a source says, serialised once, numbered without gaps and kept for a while. Clients read from it at their
 * own pace: the ring is the only buffer there is, however many they are, and a slow one costs nothing.
 */
export class Feed implements Disposable {
  /** Names this feed: a cursor of another one means nothing here. */
  readonly boot: string = randomBytes(6).toString("hex")
  readonly history: History = new History()
  readonly #source: Source
  readonly #frames: string[] = []
  readonly #listeners = new Set<() => void>()
  readonly #tasks = new Map<string, WireTask>()
  #chars = 0
  #first = 1
  #gathering: NodeJS.Timeout | undefined
  readonly #undo: () => void
  readonly #pruning: NodeJS.Timeout

  constructor(source: Source) {
    this.#source = source
    for (const row of source.list()) this.#tasks.set(row.id, wireTask(row))
    this.#undo = source.on("*", (event) => this.#take(event))
    this.#pruning = setInterval(() => this.#prune(), PRUNE_MS)
    this.#pruning.unref()
  }

  /** Number of the newest frame; 0 = none yet. */
  get last(): number {
    return this.#first + this.#frames.length - 1
  }

  get cursor(): string {
    return `${this.boot}-${this.last}`
  }

  /** The number after which a client wants frames; undefined when they are no longer here or never were. */
  after(cursor: string): number | undefined {
    const dash = cursor.lastIndexOf("-")
    const number = Number(cursor.slice(dash + 1))
    if (cursor.slice(0, dash) !== this.boot || !Number.isSafeInteger(number)) return undefined
    return number >= this.#first - 1 && number <= this.last ? number : undefined
  }

  /** Frame `number` as JSON; undefined when it is not kept. */
  frame(number: number): string | undefined {
    return this.#frames[number - this.#first]
  }

  /** Told when there are new frames, some ms after they came. Returns the undo. */
  listen(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  histories(): Record<string, WireHistory> {
    return this.history.all()
  }

  [Symbol.dispose](): void {
    this.#undo()
    clearInterval(this.#pruning)
    clearTimeout(this.#gathering)
    this.#listeners.clear()
  }

  #take(event: LaneEvent): void {
    const slim = wireEvent(event)
    const before = slim.id === undefined ? undefined : this.#tasks.get(slim.id)
    const row = slim.id === undefined || event.type === "task:snapshot" ? undefined : this.#source.get(slim.id)
    const task = row === undefined ? undefined : wireTask(row)
    this.history.note(slim, before, task)
    if (task !== undefined) this.#tasks.set(task.id, task)
    const frame: WireFrame = {
      event: slim,
      ...(task === undefined ? {} : { task }),
      ...(LANE_EVENTS.has(event.type) ? { lanes: this.#source.usage() } : {}),
    }
    const text = JSON.stringify(frame)
    this.#frames.push(text)
    this.#chars += text.length
    while (this.#frames.length > FRAMES || this.#chars > CHARS) {
      this.#chars -= this.#frames.shift()?.length ?? 0
      this.#first++
    }
    this.#gathering ??= setTimeout(() => {
      this.#gathering = undefined
      for (const listener of [...this.#listeners]) listener()
    }, GATHER_MS)
  }

  /** Tasks the source no longer keeps. */
  #prune(): void {
    for (const id of this.#tasks.keys()) if (this.#source.get(id) === undefined) this.#tasks.delete(id)
    this.history.forget((id) => !this.#tasks.has(id))
  }
}
