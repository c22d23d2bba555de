import { createParser } from "eventsource-parser"

import type { Clock, EventSource, Undo } from "../coordinator/ports.ts"
import { LanesError } from "../core/errors.ts"
import { hintOf, isDisposal } from "./event-hints.ts"
import { HintFlow } from "./hint-flow.ts"
import { parsed, record } from "./loose.ts"
import type { StreamingTransport } from "./wire-fetch.ts"

/** How a stream of events is kept up. */
export interface EventsOptions {
  readonly transport: Pick<StreamingTransport, "open">
  readonly clock: Clock
  /** The server's heart beats every 10 s; silence for so long is a dead stream. Default 25,000 ms. */
  readonly silentMs?: number
  /** First and longest pause before connecting again. Default 500 and 15,000 ms. */
  readonly backoffMs?: readonly [number, number]
}

/** Longest event; a part with a tool's whole output is one. */
const EVENT_CHARS = 32 * 1024 * 1024

/**
 * OpenCode's `/event`, one stream for each followed directory. Events have no ids and those of a gap are lost: after each
 * `alive(true)` whoever relies on them reads again.
 *
 *   connecting ──first event──▶ alive ──end, error, silence──▶ pause ──▶ connecting
 *       └──────────error, silence─────────────────────────────▲
 */
export function opencodeEvents(options: EventsOptions): EventSource {
  const { transport, clock, silentMs = 25_000, backoffMs: [first, longest] = [500, 15_000] } = options

  return {
    follow(directory, on): Undo {
      const undone = new AbortController()
      const flow = new HintFlow(clock, (sessionID, hint) => on.hint(sessionID, hint))
      const path = `/event?directory=${encodeURIComponent(directory)}`

      /** One connection, to its end; true = it was alive. */
      const connection = async (): Promise<boolean> => {
        const ended = new AbortController()
        const watchdog = watch(clock, silentMs, () =>
          ended.abort(new LanesError("SERVER_TIMEOUT", "The events fell silent.")),
        )
        let alive = false
        const hear = (event: unknown): void => {
          if (undone.signal.aborted || record(event) === undefined) return
          if (!alive) {
            alive = true
            on.alive(true)
          }
          if (isDisposal(event, directory)) on.disposed()
          const heard = hintOf(event)
          if (heard !== undefined) flow.add(heard)
        }
        try {
          const response = await transport.open(path, AbortSignal.any([undone.signal, ended.signal]))
          await read(response, AbortSignal.any([undone.signal, ended.signal]), () => watchdog.fed(), hear)
        } catch {
          // However it ended, it is opened again; only being alive or not is of interest.
        } finally {
          watchdog.stop()
          ended.abort()
          if (alive && !undone.signal.aborted) on.alive(false)
        }
        return alive
      }

      const keepUp = async (): Promise<void> => {
        let pause = first
        while (!undone.signal.aborted) {
          if (await connection()) pause = first
          await sleep(clock, pause, undone.signal)
          pause = Math.min(pause * 2, longest)
        }
      }
      void keepUp()
      return () => undone.abort()
    },
  }
}

async function read(
  response: Response,
  signal: AbortSignal,
  fed: () => void,
  hear: (event: unknown) => void,
): Promise<void> {
  const isStream = response.headers.get("content-type")?.startsWith("text/event-stream") === true
  if (!response.ok || !isStream || response.body === null) {
    await response.body?.cancel()
    return
  }
  const parser = createParser({ maxBufferSize: EVENT_CHARS, onEvent: ({ data }) => hear(parsed(data)) })
  const reader = response.body.getReader()
  const cancel = (): void => void reader.cancel().catch(() => undefined)
  signal.addEventListener("abort", cancel, { once: true })
  const decoder = new TextDecoder()
  try {
    while (!signal.aborted) {
      const { done, value } = await reader.read()
      if (done) return
      fed()
      parser.feed(decoder.decode(value, { stream: true }))
    }
  } finally {
    signal.removeEventListener("abort", cancel)
    cancel()
  }
}

/** Calls back when it was not fed for `ms`. One timer at a time, however often it is fed. */
function watch(clock: Clock, ms: number, silent: () => void): { fed(): void; stop: Undo } {
  let fedAt = clock.now()
  let undo: Undo | undefined
  const arm = (left: number): void => {
    undo = clock.setTimer(left, () => {
      const rest = fedAt + ms - clock.now()
      if (rest > 0) arm(rest)
      else silent()
    })
  }
  arm(ms)
  return { fed: () => (fedAt = clock.now()), stop: () => undo?.() }
}

function sleep(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => {
    const done = (): void => {
      undo()
      signal.removeEventListener("abort", done)
      resolve()
    }
    const undo = clock.setTimer(ms, done)
    signal.addEventListener("abort", done, { once: true })
  })
}
