import type { ServerResponse } from "node:http"

import type { Feed } from "./feed.ts"

/** One write takes at most so much: what is not written yet stays in the feed. */
const CHUNK = 64_000
const PING_MS = 15_000

export interface StreamBounds {
  /** A client whose socket takes nothing for so long is dropped. */
  readonly stalledMs: number
  /** As is one that is so many frames behind. */
  readonly behind: number
}

export const STREAM_BOUNDS: StreamBounds = { stalledMs: 20_000, behind: 5_000 }

/**
 * Sends a client the feed's frames after `from`, as server-sent events, until it leaves or is too slow. It holds no
 * buffer of its own: a position in the feed, and whether the socket is full.
 */
export function streamTo(
  response: ServerResponse,
  feed: Feed,
  from: number,
  bounds: StreamBounds,
  dropped: () => void,
): () => void {
  let sent = from
  let fullSince: number | undefined
  let over = false

  const end = (): void => {
    if (over) return
    over = true
    undo()
    clearInterval(ping)
  }
  const drop = (): void => {
    end()
    dropped()
    response.destroy()
  }
  const write = (text: string): void => {
    if (!response.write(text)) fullSince = performance.now()
  }
  const flush = (): void => {
    if (over) return
    if (feed.last - sent > bounds.behind) return drop()
    if (fullSince !== undefined) return void (performance.now() - fullSince > bounds.stalledMs && drop())
    while (fullSince === undefined && sent < feed.last) {
      let text = ""
      while (sent < feed.last && text.length < CHUNK) {
        const frame = feed.frame(sent + 1)
        if (frame === undefined) return drop()
        sent++
        text += `id: ${feed.boot}-${sent}\ndata: ${frame}\n\n`
      }
      write(text)
    }
  }

  response.on("drain", () => {
    fullSince = undefined
    flush()
  })
  response.on("close", end)
  const undo = feed.listen(flush)
  const ping = setInterval(
    () => {
      if (fullSince === undefined) write(": ping\n\n")
      flush()
    },
    Math.min(PING_MS, bounds.stalledMs),
  )
  ping.unref()
  // Something must be written now: proxies and browsers wait for the first byte.
  write(`retry: 1000\n\n`)
  flush()
  return () => {
    end()
    response.end()
  }
}
