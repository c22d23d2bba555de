import type { SessionStatusData } from "@opencode-ai/sdk/v2/types"
import type { Clock, StatusSample } from "../src/coordinator/ports.ts"
import type { SessionStatus } from "../src/core/snapshot.ts"
import { createCall } from "./opencode-call.ts"
import type { WireFetch } from "./opencode-call.ts"
import { StatusShape } from "./opencode-shapes.ts"
import type { StatusAnswer } from "./opencode-shapes.ts"

/** The status of all sessions of a directory, asked once for all runs of a worker that want it at the same time. */
export interface StatusBoard {
  /**
   * A new request, or the one under way. `askedAt` tells when it was sent: whoever needs a younger sample than the one
   * under way sees it there and asks again.
   */
  read(directory: string): Promise<StatusSample>
}

const LIMIT_MS = 8_000

/** `fetch` sends for nobody in particular: no run's end may take the request of the others with it. */
export function createStatusBoard(options: { readonly fetch: WireFetch; readonly clock: Clock }): StatusBoard {
  const { clock } = options
  const call = createCall(options)
  const underWay = new Map<string, Promise<StatusSample>>()

  const ask = async (directory: string): Promise<StatusSample> => {
    const askedAt = clock.now()
    const { said, sentAt } = await call({
      what: "reading the status",
      limitMs: LIMIT_MS,
      shape: StatusShape,
      method: "get",
      request: { url: "/session/status", query: { directory } } satisfies SessionStatusData,
    })
    return { askedAt, of: statusesOf(said, sentAt ?? clock.wall()) }
  }

  return {
    read(directory) {
      const shared = underWay.get(directory)
      if (shared !== undefined) return shared
      const sample = ask(directory).finally(() => underWay.delete(directory))
      underWay.set(directory, sample)
      return sample
    },
  }
}

/** `wall` is the clock of the server, which says when it asks a provider again: one elsewhere has a clock of its own. */
function statusesOf(answer: StatusAnswer, wall: number): Record<string, SessionStatus> {
  const of: Record<string, SessionStatus> = {}
  for (const [sessionID, status] of Object.entries(answer)) {
    if (status.type === "idle") continue
    of[sessionID] =
      "next" in status
        ? { type: "retry", attempt: status.attempt, message: status.message, inMs: Math.max(0, status.next - wall) }
        : { type: "busy" }
  }
  return of
}
