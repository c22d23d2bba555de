import type { WireRequest, WireResponse } from "../src/coordinator/ports.ts"
import { LanesError } from "../src/core/errors.ts"
import type { RunRef } from "../src/core/task.ts"
import { reasonOf, TAG } from "./link.ts"
import type { FromWorker, ToWorker } from "./link.ts"

interface Waiting {
  resolve(response: WireResponse): void
  reject(error: unknown): void
}

/** The thread's end of the carried fetch: requests go out as messages, answers come back by their number. */
export class CarriedFetches {
  readonly #post: (message: FromWorker) => void
  readonly #waiting = new Map<number, Waiting>()
  #last = 0

  constructor(post: (message: FromWorker) => void) {
    this.#post = post
  }

  fetch(run: RunRef | undefined, request: WireRequest, signal?: AbortSignal): Promise<WireResponse> {
    const call = ++this.#last
    return new Promise<WireResponse>((resolve, reject) => {
      if (signal?.aborted === true) throw reasonOf(signal)
      const forgo = (): void => {
        this.#waiting.delete(call)
        this.#post({ [TAG]: "forgo", call })
        if (signal !== undefined) reject(reasonOf(signal))
      }
      const done = (): void => signal?.removeEventListener("abort", forgo)
      this.#waiting.set(call, {
        resolve: (response) => (done(), resolve(response)),
        reject: (error) => (done(), reject(error)),
      })
      signal?.addEventListener("abort", forgo, { once: true })
      this.#post({ [TAG]: "fetch", call, ...(run === undefined ? {} : { run }), request })
    })
  }

  /** An answer of the host's; one that nobody waits for is dropped. */
  answer(answer: ToWorker): void {
    const waiting = this.#waiting.get(answer.call)
    if (waiting === undefined) return
    this.#waiting.delete(answer.call)
    if ("error" in answer) waiting.reject(LanesError.fromData(answer.error))
    else waiting.resolve(answer.response)
  }
}
