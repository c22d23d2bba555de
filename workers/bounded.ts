import type { Clock } from "../src/coordinator/ports.ts"
import { LanesError } from "../src/core/errors.ts"

/** How long a call may take, and who may give it up. */
export interface Bounds {
  readonly clock: Clock
  readonly limitMs: number
  /** What is done, for the message: "reading the status". */
  readonly what: string
  readonly signal?: AbortSignal | undefined
}

/**
 * Runs a call within its bounds: SERVER_TIMEOUT after `limitMs`, and the signal's own error (else CLOSED) when the caller
 * gives it up. The call gets a signal, but is not waited for if it does not listen.
 */
export function bounded<T>(bounds: Bounds, call: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const { clock, limitMs, what, signal } = bounds
  if (signal?.aborted === true) return Promise.reject(givenUp(signal, what))
  return new Promise<T>((resolve, reject) => {
    const own = new AbortController()
    const finish = (): void => {
      undo()
      signal?.removeEventListener("abort", forgo)
    }
    const end = (error: LanesError): void => {
      finish()
      own.abort(error)
      reject(error)
    }
    const forgo = (): void => end(givenUp(signal, what))
    const undo = clock.setTimer(limitMs, () =>
      end(new LanesError("SERVER_TIMEOUT", `OpenCode did not answer within ${limitMs} ms (${what}).`)),
    )
    signal?.addEventListener("abort", forgo, { once: true })
    call(own.signal).then(resolve, reject).finally(finish)
  })
}

function givenUp(signal: AbortSignal | undefined, what: string): LanesError {
  const reason: unknown = signal?.reason
  return reason instanceof LanesError
    ? reason
    : new LanesError("CLOSED", `The caller gave up ${what}.`, undefined, { cause: reason })
}
