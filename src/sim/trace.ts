import type { LaneEvent } from "../core/events.ts"

/** One thing worth showing; made into words only when somebody reads it. */
interface Entry {
  readonly at: number
  readonly what: LaneEvent | string
}

const KEPT = 20_000

/** What happened, in order, and a number that is the same when the same has happened. */
export class Trace {
  #entries: Entry[] = []
  #hash = 0x811c_9dc5
  readonly #names = new Map<string, number>()

  add(at: number, what: LaneEvent | string): void {
    if (typeof what === "object") this.#mark(at, what)
    if (typeof what === "object" && what.type === "task:snapshot") return
    this.#entries.push({ at, what })
    if (this.#entries.length > 2 * KEPT) this.#entries = this.#entries.slice(-KEPT)
  }

  /** The same for the same seed, in every process. Rests on decisions and when they were made, not on the wall clock. */
  get hash(): string {
    return (this.#hash >>> 0).toString(16).padStart(8, "0")
  }

  /** Lines of the time-line; of these tasks only, if given. */
  lines(tasks?: ReadonlySet<string>): string[] {
    const lines: string[] = []
    for (const { at, what } of this.#entries) {
      if (typeof what === "object" && tasks !== undefined && "id" in what && !tasks.has(what.id)) continue
      lines.push(`${timeOf(at)}  ${typeof what === "string" ? what : wordsOf(what)}`)
    }
    return lines
  }

  #mark(at: number, event: LaneEvent): void {
    let hash = this.#hash ^ this.#name(event.type)
    hash = Math.imul(hash ^ Math.round(at * 1_000), 0x0100_0193)
    if ("id" in event) hash = Math.imul(hash ^ this.#name(event.id) ^ event.epoch, 0x0100_0193)
    if (event.type === "task:settled") hash = Math.imul(hash ^ this.#name(event.outcome.reason), 0x0100_0193)
    this.#hash = (hash << 5) | (hash >>> 27)
  }

  #name(text: string): number {
    let hash = this.#names.get(text)
    if (hash !== undefined) return hash
    hash = 0x811c_9dc5
    for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x0100_0193)
    this.#names.set(text, hash)
    return hash
  }
}

/** `01:02:03.004` */
function timeOf(ms: number): string {
  const s = Math.floor(ms / 1_000)
  const two = (n: number): string => String(n).padStart(2, "0")
  return `${two(Math.floor(s / 3_600))}:${two(Math.floor((s % 3_600) / 60))}:${two(s % 60)}.${String(Math.floor(ms % 1_000)).padStart(3, "0")}`
}

function wordsOf(event: LaneEvent): string {
  const who = "id" in event ? `${event.id}#${event.epoch} ` : ""
  if (event.type === "task:settled") {
    return `${who}settled ${event.outcome.state} ${event.outcome.reason}: ${event.outcome.sentence}`
  }
  if (event.type === "task:queued") return `${who}queued in ${event.lane}, ${event.ahead} ahead`
  if (event.type === "task:started") return `${who}started in ${event.lane}, attempt ${event.attempt}`
  if (event.type === "task:session") return `${who}has session ${event.sessionID}`
  if (event.type === "lane:granted" || event.type === "lane:released") {
    return `${who}${event.type.slice(5)} ${event.lane}: ${event.used}/${event.limit ?? "∞"}, ${event.queued} wait`
  }
  if (event.type === "worker:lost") return `${event.worker} lost: ${event.cause} (${event.tasks.join(" ")})`
  return `${who}${event.type}`
}
