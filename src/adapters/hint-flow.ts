import type { Clock } from "../coordinator/ports.ts"
import type { Hint } from "../core/snapshot.ts"
import type { Heard } from "./event-hints.ts"

/** Between two proofs of life of one session; ms. */
const DELTA_EVERY_MS = 1_000
/** Sessions remembered at most; the one silent longest is forgotten, which costs one hint too many. */
const SESSIONS = 2_000

interface Said {
  deltaAt: number
  step: string | undefined
  /** The end of that step was told. */
  ended: boolean
  /** What was said last of tools; undefined = nothing yet. */
  tool: string | null | undefined
  /** Tools that run, by part. */
  readonly running: Map<string, string>
}

/**
 * Thins a stream of hints, because a model writes dozens of pieces a second: deltas to one a second and session, a step
 * once, a tool when it changes, its end when the last of those that run in parallel has ended. Everything else passes.
 */
export class HintFlow {
  readonly #clock: Clock
  readonly #emit: (sessionID: string, hint: Hint) => void
  readonly #said = new Map<string, Said>()

  constructor(clock: Clock, emit: (sessionID: string, hint: Hint) => void) {
    this.#clock = clock
    this.#emit = emit
  }

  add({ sessionID, hint, partID }: Heard): void {
    const said = this.#of(sessionID)
    switch (hint.type) {
      case "delta":
        return this.#delta(sessionID, said)
      case "part":
        return this.#part(sessionID, said, hint.tool, partID ?? "")
      case "step":
        if (said.step === hint.messageID) return this.#delta(sessionID, said)
        said.step = hint.messageID
        said.ended = false
        said.running.clear()
        break
      case "step-end":
        // OpenCode says it twice.
        if (said.ended) return this.#delta(sessionID, said)
        said.ended = said.step !== undefined
        break
      case "idle":
      case "deleted":
        this.#said.delete(sessionID)
        break
      case "todos":
      case "error":
      case "ask":
      case "answered":
        break
    }
    this.#emit(sessionID, hint)
  }

  #part(sessionID: string, said: Said, tool: string | null | undefined, partID: string): void {
    if (tool === undefined) return this.#delta(sessionID, said)
    if (tool === null) said.running.delete(partID)
    else said.running.set(partID, tool)
    const [now = null] = said.running.values()
    // A running tool is reported again and again while its output grows.
    if (said.tool === now) return this.#delta(sessionID, said)
    said.tool = now
    this.#emit(sessionID, { type: "part", tool: now })
  }

  #delta(sessionID: string, said: Said): void {
    const now = this.#clock.now()
    if (now - said.deltaAt < DELTA_EVERY_MS) return
    said.deltaAt = now
    this.#emit(sessionID, { type: "delta" })
  }

  #of(sessionID: string): Said {
    const said = this.#said.get(sessionID) ?? fresh()
    this.#said.delete(sessionID)
    this.#said.set(sessionID, said)
    if (this.#said.size > SESSIONS) this.#said.delete(this.#said.keys().next().value ?? "")
    return said
  }
}

function fresh(): Said {
  return { deltaAt: Number.NEGATIVE_INFINITY, step: undefined, ended: false, tool: undefined, running: new Map() }
}
