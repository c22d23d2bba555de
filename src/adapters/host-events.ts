import type { Clock, EventSource, Undo } from "../coordinator/ports.ts"
import { hintOf } from "./event-hints.ts"
import { HintFlow } from "./hint-flow.ts"
import { record, text } from "./loose.ts"

type Listener = Parameters<EventSource["follow"]>[1]

/** What the plugin itself wants to know of a session. */
export type SessionNews = "idle" | "deleted" | "compacted"

/** Server events as the host hands them to its plugin: no stream to open, none to lose. */
export class HostEvents implements EventSource {
  readonly #following = new Map<string, Set<Listener>>()
  readonly #loaded = new Set<string>()
  readonly #idle = new Map<string, Set<() => void>>()
  readonly #news: (sessionID: string, news: SessionNews) => void
  readonly #flow: HintFlow

  constructor(clock: Pick<Clock, "now">, news: (sessionID: string, news: SessionNews) => void) {
    this.#news = news
    this.#flow = new HintFlow(clock as Clock, (sessionID, hint) => {
      // All of them feed one coordinator, which finds the task by the session.
      this.#any()?.hint(sessionID, hint)
    })
  }

  follow(directory: string, on: Listener): Undo {
    const of = this.#following.get(directory) ?? new Set()
    this.#following.set(directory, of.add(on))
    on.alive(this.#loaded.has(directory))
    return () => {
      if (of.delete(on) && of.size === 0) this.#following.delete(directory)
    }
  }

  /** An instance is there: its events come. */
  loaded(directory: string): void {
    this.#loaded.add(directory)
    for (const on of this.#following.get(directory) ?? []) on.alive(true)
  }

  /** It is gone, and what ran in it was aborted. */
  disposed(directory: string): void {
    this.#loaded.delete(directory)
    for (const on of this.#following.get(directory) ?? []) {
      on.disposed()
      on.alive(false)
    }
  }

  /** One event of an instance. */
  take(event: unknown): void {
    const type = text(record(event)?.["type"])
    const properties = record(record(event)?.["properties"])
    const sessionID = text(properties?.["sessionID"]) ?? text(record(properties?.["info"])?.["id"])
    if (type === undefined || sessionID === undefined) return
    const status = text(record(properties?.["status"])?.["type"])
    if (type === "session.idle" || (type === "session.status" && status === "idle")) {
      this.#news(sessionID, "idle")
      this.ring(sessionID)
    }
    if (type === "session.deleted") this.#news(sessionID, "deleted")
    if (type === "session.compacted") this.#news(sessionID, "compacted")
    if (this.#following.size === 0) return
    const heard = hintOf(event)
    if (heard !== undefined) this.#flow.add(heard)
  }

  /** Calls back when the session goes idle, as often as it does. */
  onIdle(sessionID: string, callback: () => void): Undo {
    const of = this.#idle.get(sessionID) ?? new Set()
    this.#idle.set(sessionID, of.add(callback))
    return () => {
      if (of.delete(callback) && of.size === 0) this.#idle.delete(sessionID)
    }
  }

  /** Whoever waits for the session looks again. */
  ring(sessionID: string): void {
    for (const callback of [...(this.#idle.get(sessionID) ?? [])]) callback()
  }

  #any(): Listener | undefined {
    for (const of of this.#following.values()) for (const on of of) return on
    return undefined
  }
}
