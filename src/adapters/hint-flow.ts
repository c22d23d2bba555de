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
  tool: string | null | undefined
}

/**
 * Thins a stream of hints, because a model writes dozens of pieces a second: deltas to one a second and session, a step
 * once, a tool when it changes. Everything else passes.
 */
export class HintFlow {
  readonly #clock: Clock
  readonly #emit: (sessionID: string, hint: Hint) => void
  readonly #said = new Map<string, Said>()

  constructor(clock: Clock, emit: (sessionID: string, hint: Hint) => void) {
    this.#clock = clock
    this.#emit = emit
  }

  add({ sessionID, hint }: Heard): void {
    const said = this.#of(sessionID)
    if (hint.type === "delta") return this.#delta(sessionID, said)
    if (hint.type === "step") {
      if (said.step === hint.messageID) return this.#delta(sessionID, said)
      said.step = hint.messageID
    } else if (hint.type === "part") {
      // A running tool is reported again and again while its output grows.
      if (hint.tool === undefined || said.tool === hint.tool) return this.#delta(sessionID, said)
      said.tool = hint.tool
    } else if (hint.type === "idle" || hint.type === "deleted") {
      this.#said.delete(sessionID)
    }
    this.#emit(sessionID, hint)
  }

  #delta(sessionID: string, said: Said): void {
    const now = this.#clock.now()
    if (now - said.deltaAt < DELTA_EVERY_MS) return
    said.deltaAt = now
    this.#emit(sessionID, { type: "delta" })
  }

  #of(sessionID: string): Said {
    const said = this.#said.get(sessionID) ?? { deltaAt: Number.NEGATIVE_INFINITY, step: undefined, tool: undefined }
    this.#said.delete(sessionID)
    this.#said.set(sessionID, said)
    if (this.#said.size > SESSIONS) this.#said.delete(this.#said.keys().next().value ?? "")
    return said
  }
}
