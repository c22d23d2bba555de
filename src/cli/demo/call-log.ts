/** What the scripted model was asked: one entry per provider call, and signals to wait on. */

/** `title` and `summary` are OpenCode's own requests; `other` is a conversation without a script. */
export type CallKind = "turn" | "title" | "summary" | "other"

/** One request to the scripted model. */
export interface ModelCall {
  /** Counts up from 1 in order of arrival. */
  n: number
  scriptId: string | undefined
  kind: CallKind
  provider: string
  model: string
  /** The OpenCode session, where OpenCode names it. */
  sessionId: string | undefined
  /** Which turn was played, e.g. `t1/turn/0`. */
  key: string
  /** The HTTP status answered. */
  status: number
  startedAt: number
  /** Undefined while the answer is still being given. */
  endedAt: number | undefined
  /** The client left before the answer was complete. */
  aborted: boolean
  /** Number of messages in the request, the system prompt included. */
  messages: number
  /** The newest user message, at most 2,000 characters. */
  lastUser: string
  /** Names of the tools offered. */
  tools: string[]
}

/** Chooses calls: a prefix of the script id, or a test of the call. */
export type CallFilter = string | ((call: ModelCall) => boolean)

/** What is left of a type when `waitFor` has seen it hold. */
export type Truthy<T> = Exclude<T, undefined | null | false | 0 | "">

/** The log of one scripted model. Titles and summaries are left out of the counts. */
export class CallLog {
  readonly entries: ModelCall[] = []
  // In order of happening, so that a call ending in the same millisecond another starts is no overlap.
  readonly #moves: { call: ModelCall; by: 1 | -1 }[] = []
  readonly #watchers = new Set<() => void>()

  open(call: Omit<ModelCall, "n" | "startedAt" | "endedAt" | "aborted">): ModelCall {
    const entry: ModelCall = {
      ...call,
      n: this.entries.length + 1,
      startedAt: Date.now(),
      endedAt: undefined,
      aborted: false,
    }
    this.entries.push(entry)
    this.#moves.push({ call: entry, by: 1 })
    this.#changed()
    return entry
  }

  end(call: ModelCall, aborted: boolean): void {
    if (call.endedAt !== undefined) return
    call.endedAt = Date.now()
    call.aborted = aborted
    this.#moves.push({ call, by: -1 })
    this.#changed()
  }

  /** The turns played for one script id, in order. */
  calls(scriptId: string): ModelCall[] {
    return this.entries.filter((call) => call.kind === "turn" && call.scriptId === scriptId)
  }

  /** How many calls are being answered right now. */
  inFlight(filter?: CallFilter): number {
    return this.entries.filter((call) => call.endedAt === undefined && counts(call, filter)).length
  }

  /** The most calls that were ever answered at one time. */
  peak(filter?: CallFilter): number {
    let now = 0
    let most = 0
    for (const { call, by } of this.#moves) {
      if (!counts(call, filter)) continue
      now += by
      most = Math.max(most, now)
    }
    return most
  }

  /** Resolves with the first truthy value of `predicate`, asked now and at each change of the log. */
  waitFor<T>(predicate: (calls: readonly ModelCall[]) => T, options: { timeoutMs?: number } = {}): Promise<Truthy<T>> {
    const { timeoutMs = 60_000 } = options
    return new Promise((resolve, reject) => {
      const look = (): void => {
        try {
          const value = predicate(this.entries)
          if (!value) return
          finish()
          resolve(value as Truthy<T>)
        } catch (error) {
          finish()
          reject(error)
        }
      }
      const timer = setTimeout(() => {
        finish()
        reject(new Error(`The scripted model saw nothing of the kind within ${timeoutMs} ms: ${this.#summary()}`))
      }, timeoutMs)
      const finish = (): void => {
        clearTimeout(timer)
        this.#watchers.delete(look)
      }
      this.#watchers.add(look)
      look()
    })
  }

  #changed(): void {
    // A watcher may remove itself while we walk, which a Set allows.
    for (const look of this.#watchers) look()
  }

  #summary(): string {
    const tail = this.entries
      .slice(-8)
      .map((call) => `${call.kind} ${call.key || "-"}${call.endedAt === undefined ? " (open)" : ""}`)
    return tail.length > 0 ? `last calls ${tail.join(", ")}` : "no calls at all"
  }
}

function counts(call: ModelCall, filter: CallFilter | undefined): boolean {
  if (call.kind === "title" || call.kind === "summary") return false
  if (filter === undefined) return true
  return typeof filter === "string" ? (call.scriptId ?? "").startsWith(filter) : filter(call)
}
