import mitt from "mitt"

import type { BareEvent, EventType, LaneEvent } from "../core/events.ts"
import type { Undo } from "./ports.ts"

type Handler = (event: LaneEvent) => unknown

export interface ListenOptions {
  /** Aborting it ends the subscription, the wait or the iteration. */
  readonly signal?: AbortSignal
}

/** Events an iterator keeps for a slow reader; the oldest are dropped beyond. */
const BUFFER = 10_000

/**
 * The typed bus over mitt. A listener that throws or rejects stops nobody: it becomes a `listener:error`. An emit from
 * within a listener is delivered after the current event has reached everybody, so that all see one order.
 */
export class Bus {
  readonly #mitt = mitt<Record<string, LaneEvent>>()
  readonly #wall: () => number
  readonly #queue: LaneEvent[] = []
  #delivering = false
  #seq = 0

  constructor(wall: () => number) {
    this.#wall = wall
  }

  /** Stamps an event and delivers it to all its listeners. */
  emit(event: BareEvent): LaneEvent {
    const stamped = { ...event, at: this.#wall(), seq: ++this.#seq } as LaneEvent
    this.#queue.push(stamped)
    if (this.#delivering) return stamped
    this.#delivering = true
    try {
      for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift())
        this.#mitt.emit(next.type, next)
    } finally {
      this.#delivering = false
    }
    return stamped
  }

  /** Hears one kind of event, or all with `"*"`. Returns its undo. */
  on<T extends EventType>(type: T, handler: (event: LaneEvent<T>) => unknown, options?: ListenOptions): Undo
  on(type: "*", handler: (event: LaneEvent) => unknown, options?: ListenOptions): Undo
  on(type: string, handler: (event: never) => unknown, options: ListenOptions = {}): Undo {
    if (options.signal?.aborted === true) return () => {}
    let heard = true
    const call = (event: LaneEvent): void => {
      // mitt still calls who was taken off during the same event.
      if (heard) this.#isolate(handler as Handler, event)
    }
    const detach = this.#attach(type, call)
    const undo = (): void => {
      heard = false
      detach()
    }
    if (options.signal === undefined) return undo
    const { signal } = options
    signal.addEventListener("abort", undo, { once: true })
    return () => {
      signal.removeEventListener("abort", undo)
      undo()
    }
  }

  /** Hears the next event of a kind, once. Returns its undo. */
  once<T extends EventType>(type: T, handler: (event: LaneEvent<T>) => unknown, options?: ListenOptions): Undo {
    const undo = this.on(
      type,
      (event) => {
        undo()
        return handler(event)
      },
      options,
    )
    return undo
  }

  /** The next event of a kind for which `predicate` holds. Rejects with the signal's reason when it is aborted. */
  waitFor<T extends EventType>(
    type: T,
    predicate: (event: LaneEvent<T>) => boolean = () => true,
    options: ListenOptions = {},
  ): Promise<LaneEvent<T>> {
    const { signal } = options
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) return reject(signal.reason)
      const aborted = (): void => {
        undo()
        reject(signal?.reason)
      }
      const undo = this.on(type, (event) => {
        if (!predicate(event)) return
        undo()
        signal?.removeEventListener("abort", aborted)
        resolve(event)
      })
      signal?.addEventListener("abort", aborted, { once: true })
    })
  }

  /** All events from now on, in order, until the signal is aborted or the loop is left. */
  events(options: ListenOptions = {}): AsyncGenerator<LaneEvent, void, undefined> {
    const events = this.#stream(options)
    // A generator begins when it is first asked; this one listens at once: its first answer is the word that it does.
    void events.next()
    return events as AsyncGenerator<LaneEvent, void, undefined>
  }

  async *#stream(options: ListenOptions): AsyncGenerator<LaneEvent | undefined, void, undefined> {
    const buffer: LaneEvent[] = []
    let wake = (): void => {}
    const undo = this.on("*", (event) => {
      if (buffer.push(event) > BUFFER) buffer.shift()
      wake()
    })
    const ended = (): void => wake()
    options.signal?.addEventListener("abort", ended)
    try {
      yield undefined
      while (options.signal?.aborted !== true) {
        const event = buffer.shift()
        if (event !== undefined) yield event
        else await new Promise<void>((resolve) => (wake = resolve))
      }
    } finally {
      undo()
      options.signal?.removeEventListener("abort", ended)
    }
  }

  #attach(type: string, call: Handler): Undo {
    // mitt hands `*` handlers the type first.
    const handler = type === "*" ? (_: unknown, event: LaneEvent) => call(event) : call
    this.#mitt.on(type, handler as (event: LaneEvent) => void)
    return () => {
      this.#mitt.off(type, handler as (event: LaneEvent) => void)
      // mitt keeps the keys of listeners that are gone.
      if (this.#mitt.all.get(type)?.length === 0) this.#mitt.all.delete(type)
    }
  }

  #isolate(handler: Handler, event: LaneEvent): void {
    const failed = (thrown: unknown): void => {
      // A listener of errors that fails itself is not told about it: that would never end.
      if (event.type === "listener:error") return
      this.emit({
        type: "listener:error",
        event: event.type,
        message: thrown instanceof Error ? thrown.message : String(thrown),
      })
    }
    try {
      const result = handler(event)
      if (result instanceof Promise) result.catch(failed)
    } catch (thrown) {
      failed(thrown)
    }
  }
}
