import type { Clock } from "../src/coordinator/ports.ts"
import { LanesError } from "../src/core/errors.ts"
import type { ErrorReason } from "../src/core/task.ts"

/** Why a run cannot go on, found by its driver. */
export class RunFailure extends Error {
  readonly reason: ErrorReason

  constructor(reason: ErrorReason, message: string) {
    super(message)
    this.reason = reason
  }
}

/** Attempts against a server that is there but answers badly; 0.5 s doubling between them. */
const ATTEMPTS = 5
const FIRST_PAUSE_MS = 500
/** Between two tries to reach a server that is not there; the coordinator bounds how long. */
const UNREACHABLE_PAUSE_MS = 1_000

export interface Patience {
  /** Tries again while the server is away, a few times when it answers badly; rejects with the last error. */
  persist<T>(call: (attempt: number) => Promise<T>): Promise<T>
  /** Resolves after `ms`, or at once when the run is stopped. */
  sleep(ms: number): Promise<void>
  readonly stopped: () => boolean
}

/** How a run waits: on the injected clock, never beyond its stop, and never in silence. */
export function pause(clock: Clock, signal: AbortSignal, onFailure: (error: LanesError) => void): Patience {
  const sleep = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      if (signal.aborted) return resolve()
      const end = (): void => {
        undo()
        signal.removeEventListener("abort", end)
        resolve()
      }
      const undo = clock.setTimer(ms, end)
      signal.addEventListener("abort", end, { once: true })
    })

  async function persist<T>(call: (attempt: number) => Promise<T>): Promise<T> {
    let bad = 0
    for (let attempt = 1; ; attempt++) {
      try {
        return await call(attempt)
      } catch (thrown) {
        if (!(thrown instanceof LanesError) || signal.aborted) throw thrown
        if (!TRANSIENT.has(thrown.code)) throw thrown
        const away = thrown.code === "SERVER_UNREACHABLE" || thrown.code === "RELOADING"
        if (!away && ++bad >= ATTEMPTS) throw thrown
        onFailure(thrown)
        await sleep(away ? UNREACHABLE_PAUSE_MS : FIRST_PAUSE_MS * 2 ** (bad - 1))
        if (signal.aborted) throw thrown
      }
    }
  }

  return { persist, sleep, stopped: () => signal.aborted }
}

const TRANSIENT: ReadonlySet<string> = new Set([
  "SERVER_UNREACHABLE",
  "SERVER_TIMEOUT",
  "SERVER_BUSY",
  "GARBLED",
  "RELOADING",
])
