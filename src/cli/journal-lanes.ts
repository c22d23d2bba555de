/** What a view beside coordinators knows of their lanes: from the configuration, from events, and from themselves. */

import type { JournalReader } from "../adapters/journal-reader.ts"
import { askOwner } from "../adapters/request-files.ts"
import type { LaneEvent } from "../core/events.ts"
import type { LaneLimits, LaneView } from "../core/lanes.ts"

/** An owner that is stopped or busy tells by its events instead. */
const TELL_MS = 1_500

export class JournalLanes {
  readonly #limits: LaneLimits
  /** As last told; null = unlimited. */
  readonly #told = new Map<string, number | null>()
  /** When coordinators themselves were asked: events from before that are news no more. */
  #asked = 0
  /** Lanes a coordinator shows at rest. */
  readonly #named: Set<string>
  /** Owners that were asked, by their tokens: a new one has limits of its own. */
  readonly #met = new Set<string>()

  constructor(limits: LaneLimits) {
    this.#limits = limits
    const models = Object.keys(limits.modelConcurrency).filter((name) => name.includes("/"))
    this.#named = new Set([
      "default",
      ...Object.keys(limits.providerConcurrency).map((name) => `provider:${name}`),
      ...models.map((name) => `model:${name}`),
    ])
  }

  named(): Iterable<string> {
    return this.#named
  }

  limit(lane: string): number | null {
    const told = this.#told.get(lane)
    return told === undefined ? configured(lane, this.#limits) : told
  }

  learn(event: LaneEvent): void {
    if (event.type === "lane:limit") this.#named.add(event.lane)
    if (event.type !== "lane:granted" && event.type !== "lane:released" && event.type !== "lane:limit") return
    if (event.at >= this.#asked) this.#told.set(event.lane, event.limit)
  }

  /** Asks owners that were not asked yet, and tells the lanes whose limits were not known so. */
  async meet(readers: readonly JournalReader[]): Promise<LaneView[]> {
    const fresh = readers.filter((reader) => {
      const { token, living } = reader.owner()
      if (!living || token === undefined || this.#met.has(token)) return false
      this.#met.add(token)
      return true
    })
    const asked = Date.now()
    const answers = await Promise.allSettled(
      fresh.map((reader) => askOwner(reader.file, { type: "limits" }, TELL_MS) as Promise<readonly LaneView[]>),
    )
    return this.hear(
      answers.flatMap((answer) => (answer.status === "fulfilled" ? answer.value : [])),
      asked,
    )
  }

  /** What coordinators themselves said when they were asked at a moment; returns what was not known. */
  hear(views: readonly LaneView[], asked: number): LaneView[] {
    if (views.length > 0) this.#asked = Math.max(this.#asked, asked)
    const news = views.filter(({ lane, limit }) => !this.#named.has(lane) || this.limit(lane) !== limit)
    for (const { lane, limit } of views) {
      this.#named.add(lane)
      this.#told.set(lane, limit)
    }
    return news
  }
}

function configured(lane: string, limits: LaneLimits): number | null {
  if (lane === "default") return limits.defaultConcurrency
  const name = lane.slice(lane.indexOf(":") + 1)
  const map = lane.startsWith("provider:") ? limits.providerConcurrency : limits.modelConcurrency
  const limit = map[name] ?? map[name.slice(name.indexOf("/") + 1)]
  return limit === undefined || limit === 0 ? null : limit
}
