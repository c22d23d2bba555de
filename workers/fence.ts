import type { Transport, WireRequest, WireResponse } from "../src/coordinator/ports.ts"
import { LanesError } from "../src/core/errors.ts"
import type { RunRef } from "../src/core/task.ts"
import { reasonOf, runKey, WIRE } from "./link.ts"

/** What a run may ask of the server. */
type Leave = "all" | "leaving"

interface Admitted {
  leave: Leave
  /** Requests under way. */
  readonly asked: Set<AbortController>
}

/** Requests a run that was told to stop still needs: to look, to abort, to delete. */
function isFarewell(request: WireRequest): boolean {
  if (request.method === "GET" || request.method === "DELETE") return true
  return request.method === "POST" && /^\/session\/[^/?#]+\/abort(\?[^#]*)?$/.test(request.path)
}

/**
 * Who may reach the server, and how far. One fence stands before each worker: a run that was moved to another worker, or
 * whose task runs again, is refused here, whatever its thread still does. So a zombie can neither prompt nor abort.
 *
 *   admit ──▶ all ──restrict──▶ leaving ──dismiss──▶ (refused)
 *              └───────────────dismiss────────────────▲
 */
export class Fence {
  readonly #transport: Transport
  readonly #runs = new Map<string, Admitted>()
  readonly #shared = new Set<AbortController>()

  constructor(transport: Transport) {
    this.#transport = transport
  }

  admit(run: RunRef): void {
    this.#runs.set(runKey(run), { leave: "all", asked: new Set() })
  }

  /** From now on the run may only look, abort and delete. */
  restrict(run: RunRef): void {
    const admitted = this.#runs.get(runKey(run))
    if (admitted !== undefined) admitted.leave = "leaving"
  }

  /** The run is over here: what it has under way is aborted. */
  dismiss(run: RunRef): void {
    const key = runKey(run)
    const admitted = this.#runs.get(key)
    this.#runs.delete(key)
    if (admitted !== undefined) abortAll(admitted.asked)
  }

  /** Nobody behind this fence asks any more. */
  close(): void {
    const admitted = [...this.#runs.values()]
    this.#runs.clear()
    for (const { asked } of admitted) abortAll(asked)
    abortAll(this.#shared)
  }

  /**
   * Rejects with RUN_MOVED_ON for a run not admitted or a request it may not make, with GARBLED when the answer is larger
   * than any of the API's, else as the transport does. Without a run only reading is allowed.
   */
  async fetch(run: RunRef | undefined, request: WireRequest, signal?: AbortSignal): Promise<WireResponse> {
    const asked = run === undefined ? this.#sharedLeave(request) : this.#leave(run, request)
    const over = new AbortController()
    const forgo = (): void => over.abort(signal?.reason)
    signal?.addEventListener("abort", forgo, { once: true })
    asked.add(over)
    try {
      if (signal?.aborted === true) throw reasonOf(signal)
      const response = await this.#transport.fetch(request, over.signal)
      if (!asked.has(over)) throw movedOn(run)
      return bounded(request, response)
    } catch (thrown) {
      if (!asked.has(over)) throw movedOn(run)
      throw signal?.aborted === true ? reasonOf(signal) : LanesError.from(thrown, "SERVER_UNREACHABLE")
    } finally {
      signal?.removeEventListener("abort", forgo)
      asked.delete(over)
    }
  }

  #leave(run: RunRef, request: WireRequest): Set<AbortController> {
    const admitted = this.#runs.get(runKey(run))
    if (admitted === undefined || (admitted.leave === "leaving" && !isFarewell(request))) throw movedOn(run)
    return admitted.asked
  }

  #sharedLeave(request: WireRequest): Set<AbortController> {
    if (this.#runs.size === 0 || request.method !== "GET") throw movedOn(undefined)
    return this.#shared
  }
}

/** Ends requests under way; taken off the list first, which is how each learns that it was not its asker who gave up. */
function abortAll(asked: Set<AbortController>): void {
  const all = [...asked]
  asked.clear()
  for (const controller of all) controller.abort()
}

function bounded(request: WireRequest, response: WireResponse): WireResponse {
  if (response.body.length <= WIRE.responseChars) return response
  throw new LanesError("GARBLED", `The server answered ${request.method} with ${response.body.length} characters.`)
}

function movedOn(run: RunRef | undefined): LanesError {
  const who = run === undefined ? "This worker" : `Run ${run.task}, epoch ${run.epoch}, attempt ${run.attempt},`
  return new LanesError("RUN_MOVED_ON", `${who} may not ask the server for this any more.`)
}
