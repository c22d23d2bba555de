import type { Input } from "../core/inputs.ts"
import type { Hint } from "../core/snapshot.ts"
import type { Loop, SimProcess } from "./clock.ts"
import type { SimSession } from "./session.ts"

/** An event on its way from the server. */
const HINT_MS = 5
/** A stream is up so soon after it was asked for. */
const CONNECT_MS = 20
/** A stalled stream is noticed by its missing heart-beat. */
const WATCHDOG_MS = 25_000

/** OpenCode's stream of server events, as the coordinator gets it: it breaks, it stalls, and what falls into a gap is lost. */
export class EventStream {
  /** Events have arrived since this moment; undefined = they do not now. */
  since: number | undefined
  readonly #loop: Loop
  readonly #exists: boolean
  readonly #followed = new Set<string>()
  #host: SimProcess | undefined
  #feed: (input: Input) => void = () => {}
  #gap = false

  constructor(loop: Loop, exists: boolean) {
    this.#loop = loop
    this.#exists = exists
  }

  /** A coordinator listens from now on. */
  connect(host: SimProcess, feed: (input: Input) => void): void {
    this.disconnect()
    this.#host = host
    this.#feed = feed
  }

  disconnect(): void {
    this.#followed.clear()
    this.#host = undefined
    this.since = undefined
  }

  follow(directory: string): void {
    const host = this.#host
    if (!this.#exists || host === undefined || this.#followed.has(directory)) return
    this.#followed.add(directory)
    this.#loop.after(CONNECT_MS, () => host.enter(() => this.#gap || this.#alive(true, [directory])))
  }

  /** The stream breaks for so long; `stalls`: nobody is told until the watchdog notices. */
  drop(ms: number, stalls: boolean): void {
    if (this.#gap) return
    this.#gap = true
    this.since = undefined
    this.#loop.after(stalls ? Math.min(ms, WATCHDOG_MS) : 0, () => this.#alive(false, this.#followed))
    this.#loop.after(ms, () => {
      this.#gap = false
      this.#alive(true, this.#followed)
    })
  }

  hint(session: SimSession, hint: Hint): void {
    const host = this.#host
    if (this.#gap || this.since === undefined || host === undefined || session.task === undefined) return
    this.#loop.after(HINT_MS, () => host.enter(() => this.#feed({ type: "hint", sessionID: session.id, hint })))
  }

  #alive(alive: boolean, directories: Iterable<string>): void {
    if (this.#host === undefined || this.#host.dead || !this.#exists) return
    this.since = alive ? this.#loop.now : undefined
    for (const directory of directories) this.#feed({ type: "events", directory, alive })
  }
}
