import type { WireError, WireFrame, WireSnapshot } from "../wire.ts"
import type { Store } from "./store.ts"

const AGAIN_MS = 1_000
/** The server pings every 15 s; after so long without a word the connection is dead, whatever it says. */
const SILENT_MS = 40_000

/** Asks the server for something; a failure is an Error with the server's sentence. */
export async function ask<T>(path: string, body?: unknown): Promise<T> {
  const init: RequestInit =
    body === undefined
      ? {}
      : { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) }
  const answer = await fetch(path, { ...init, credentials: "same-origin", signal: AbortSignal.timeout(30_000) })
  const value = (await answer.json()) as T & WireError
  if (!answer.ok) throw Object.assign(new Error(value.message), { code: value.code, status: answer.status })
  return value
}

/** Exchanges the secret of a one-time link for a session; it leaves the address bar at once. */
async function enter(): Promise<string> {
  const secret = /^#link=(.+)$/.exec(location.hash)?.[1]
  if (secret === undefined) return ""
  history.replaceState(null, "", location.pathname)
  try {
    await ask("/api/session", { token: secret })
    return ""
  } catch (failure) {
    return (failure as { code?: string }).code === "LINK_USED"
      ? "This link has been used already."
      : "This link does not open this page."
  }
}

/** Snapshot, then the stream after it, for ever: what was missed is replayed, or the snapshot is read again. */
export async function follow(store: Store): Promise<void> {
  const why = await enter()
  const start = async (): Promise<void> => {
    try {
      const snapshot = await ask<WireSnapshot>("/api/snapshot")
      store.load(snapshot)
      listen(snapshot.cursor)
    } catch (failure) {
      if ((failure as { status?: number }).status === 401) return store.connect("locked", why)
      store.connect("lost")
      window.setTimeout(() => void start(), AGAIN_MS)
    }
  }
  const listen = (cursor: string): void => {
    const stream = new EventSource(`/api/events?after=${encodeURIComponent(cursor)}`)
    let heard = performance.now()
    const restart = (): void => {
      stream.close()
      window.clearInterval(watch)
      void start()
    }
    const watch = window.setInterval(() => {
      if (stream.readyState === EventSource.CLOSED) restart()
      else if (
        document.visibilityState === "visible" &&
        stream.readyState === EventSource.OPEN &&
        performance.now() - heard > SILENT_MS
      )
        void probe()
    }, AGAIN_MS)
    // Pings are comments, which no script sees: a quiet stream is asked for by a request beside it.
    const probe = async (): Promise<void> => {
      heard = performance.now()
      try {
        const { cursor: newest } = await ask<WireSnapshot>("/api/snapshot")
        if (newest !== `${store.boot}-${store.last}`) restart()
      } catch {
        restart()
      }
    }
    stream.addEventListener("open", () => {
      heard = performance.now()
      store.connect("live")
    })
    stream.addEventListener("message", ({ data, lastEventId }: MessageEvent<string>) => {
      heard = performance.now()
      if (!store.apply(lastEventId, JSON.parse(data) as WireFrame)) restart()
    })
    stream.addEventListener("reset", restart)
    stream.addEventListener("error", () => store.connect("lost"))
  }
  await start()
}
