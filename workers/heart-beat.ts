import type { Clock, Undo } from "../src/coordinator/ports.ts"

export interface HeartBeatOptions {
  readonly clock: Clock
  /** Between two beats; ms. */
  readonly everyMs: number
  /** Silence of more than this is a loss; ms. */
  readonly silentMs: number
  /** Asks for a sign of life; the answer is the owner's to read. */
  readonly ping: () => Promise<void>
  readonly onSilent: () => void
}

/**
 * Tells a spinning or hanging thread from a busy one. Silence is counted in beats, each worth at most two intervals: when
 * the main thread itself was held up, the answers it has not read yet do not count as missing.
 */
export class HeartBeat {
  readonly #options: HeartBeatOptions
  #timer: Undo | undefined
  #beatAt = 0
  #silentFor = 0
  #asked = false

  constructor(options: HeartBeatOptions) {
    this.#options = options
  }

  start(): void {
    if (this.#timer !== undefined) return
    this.#beatAt = this.#options.clock.now()
    this.#silentFor = 0
    this.#arm()
  }

  stop(): void {
    this.#timer?.()
    this.#timer = undefined
  }

  #arm(): void {
    this.#timer = this.#options.clock.setTimer(this.#options.everyMs, () => this.#beat())
  }

  #beat(): void {
    const { clock, everyMs, silentMs, onSilent } = this.#options
    const now = clock.now()
    this.#silentFor += Math.min(now - this.#beatAt, 2 * everyMs)
    this.#beatAt = now
    if (this.#silentFor > silentMs) {
      this.stop()
      onSilent()
      return
    }
    this.#arm()
    this.#ask()
  }

  #ask(): void {
    if (this.#asked) return
    this.#asked = true
    const heard = (): void => {
      this.#asked = false
      this.#silentFor = 0
    }
    this.#options.ping().then(heard, heard)
  }
}
