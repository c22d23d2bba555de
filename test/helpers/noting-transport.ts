import type { Transport, WireRequest, WireResponse } from "../../src/coordinator/ports.ts"
import { LanesError } from "../../src/core/errors.ts"

/** A transport that notes what it is asked; `/hang` is answered only by giving up. */
export class NotingTransport implements Transport {
  readonly asked: string[] = []
  readonly givenUp: string[] = []
  readonly #waiting = new Set<() => void>()

  fetch(request: WireRequest, signal?: AbortSignal): Promise<WireResponse> {
    const line = `${request.method} ${request.path}`
    this.asked.push(line)
    this.#look()
    if (request.path === "/large") return Promise.resolve({ status: 200, headers: {}, body: "x".repeat(16_000_001) })
    if (request.path === "/down") return Promise.reject(new LanesError("SERVER_UNREACHABLE", "Nobody is there."))
    if (!request.path.startsWith("/hang")) return Promise.resolve({ status: 200, headers: {}, body: line })
    return new Promise((_, reject) => {
      signal?.addEventListener("abort", () => {
        this.givenUp.push(line)
        this.#look()
        reject(new Error("given up"))
      })
    })
  }

  /** Resolves when what has been noted fits. */
  until(fits: (transport: this) => boolean): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const look = (): void => {
      if (!fits(this)) return
      this.#waiting.delete(look)
      resolve()
    }
    this.#waiting.add(look)
    look()
    return promise
  }

  #look(): void {
    for (const look of [...this.#waiting]) look()
  }
}
