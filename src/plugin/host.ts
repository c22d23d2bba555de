import { HostEvents } from "../adapters/host-events.ts"
import type { SessionNews } from "../adapters/host-events.ts"
import { HostTransport } from "../adapters/host-transport.ts"
import { OpencodeParent } from "../adapters/opencode-parent.ts"
import type { Composed } from "../compose.ts"
import type { Config } from "../config.ts"
import { resolveOptions } from "../config.ts"
import type { TaskRow } from "../core/task.ts"
import { isLive, tasksOf } from "./desk.ts"
import { holdFor, isHeadlessRun } from "./headless.ts"
import type { Hold } from "./headless.ts"
import { HostLog } from "./host-log.ts"
import type { ToolNames } from "./names.ts"
import { USUAL } from "./names.ts"
import { startsFirst } from "./starts-first.ts"
import { notice } from "./texts/notice.ts"
import { Turns } from "./turns.ts"

/** No instance is left for so long: the host ends, or nobody will come back. Runs have given up by then. */
const DESERTED_MS = 15_000

/**
 * What the instances of one OpenCode process share: one coordinator, so that lanes are the process's, whatever
 * directory a task is of. It starts with the first tool call, outlives instances, and ends with the last of them.
 */
export class PluginHost {
  readonly transport: HostTransport = new HostTransport()
  readonly turns: Turns = new Turns()
  readonly log: HostLog = new HostLog(this.transport)
  readonly events: HostEvents
  readonly #headless = isHeadlessRun(process.argv)
  readonly #held = new Map<string, Hold>()
  /** Conversations that were compacted while tasks of theirs were at work. */
  readonly #forgetful = new Set<string>()
  /** What our tools are called, by directory. */
  readonly #names = new Map<string, ToolNames>()
  /** Projects it was opened for. */
  readonly #joined = new Set<string>()
  #composed: Promise<Composed> | undefined
  #now: Composed | undefined
  #leaving: ReturnType<typeof setTimeout> | undefined

  constructor() {
    this.events = new HostEvents({ now: () => performance.now() }, (sessionID, news) => this.#hear(sessionID, news))
  }

  /** An instance is there. Returns its leave. */
  join(directory: string, client: object): () => void {
    clearTimeout(this.#leaving)
    const remove = this.transport.add(directory, client)
    this.events.loaded(directory)
    this.#now?.coordinator.feed({ type: "instance", directory, state: "loaded" })
    let here = true
    return () => {
      if (!here) return
      here = false
      remove()
      if (this.transport.has(directory)) return
      this.#now?.coordinator.feed({ type: "instance", directory, state: "disposed" })
      this.events.disposed(directory)
      if (!this.transport.deserted) return
      this.#leaving = setTimeout(() => void this.#close(), DESERTED_MS)
      this.#leaving.unref()
    }
  }

  /** An instance has found out what its tools are called. */
  name(directory: string, names: ToolNames): void {
    this.#names.set(directory, names)
  }

  /** What our tools are called in a directory. */
  namesIn(directory: string): ToolNames {
    return this.#names.get(directory) ?? USUAL
  }

  /** What is behind the tools, started on the first call; each project hands over what an earlier process left in it. */
  async open(directory: string, config: Config): Promise<Composed> {
    this.#composed ??= this.#compose(directory, config).catch((thrown: unknown) => {
      this.#composed = undefined
      throw thrown
    })
    const composed = await this.#composed
    await composed.join(directory)
    this.#joined.add(directory)
    return composed
  }

  /** It was opened for this project. */
  isOpen(directory: string): boolean {
    return this.#joined.has(directory)
  }

  /** The same if it was started. */
  get opened(): Composed | undefined {
    return this.#now
  }

  /** Limits of a configuration read again; lowering one stops nobody. */
  relimit(config: Config): void {
    const { defaultConcurrency, providerConcurrency, modelConcurrency } = resolveOptions(config).options
    this.#now?.lanes.setLimits({ defaultConcurrency, providerConcurrency, modelConcurrency })
  }

  /** Keeps a headless run from ending while background tasks of the conversation are at work. */
  async hold(sessionID: string): Promise<void> {
    if (!this.#headless || this.#held.has(sessionID)) return
    // It may just be starting, with something to tell from an earlier run.
    await this.#composed?.catch(() => {})
    if (this.#now === undefined || this.#held.has(sessionID)) return
    if (this.#now.coordinator.findBySession(sessionID) !== undefined) return
    const hold = holdFor(this.#now, sessionID)
    if (hold === undefined) return
    this.#held.set(sessionID, hold)
    this.events.ring(sessionID)
    await hold.over
    this.#held.delete(sessionID)
  }

  /** Tasks at work of a conversation that was compacted since. */
  forgotten(sessionID: string): TaskRow[] {
    return this.#forgetful.has(sessionID) ? this.live(sessionID) : []
  }

  /** Tasks at work of a conversation. */
  live(sessionID: string): TaskRow[] {
    return this.#now === undefined ? [] : tasksOf(this.#now.coordinator, sessionID).filter(isLive)
  }

  /** Ends this conversation could not be told of, each once. */
  untold(sessionID: string): TaskRow[] {
    return this.#now?.coordinator.untold(sessionID) ?? []
  }

  async #compose(directory: string, config: Config): Promise<Composed> {
    // Not before it is needed: it is most of the code, and OpenCode waits for its plugins when it starts.
    const { compose } = await import("../compose.ts")
    const { page } = resolveOptions(config)
    const composed = await compose({
      server: { transport: this.transport, name: `host:${process.pid}` },
      directory,
      configFiles: false,
      config,
      recover: "ask",
      // Every OpenCode here is told the same port, and the tools of those that come too late are to work all the same.
      page: page && { ...page, optional: true },
      events: this.events,
      parent: (world) =>
        new OpencodeParent({
          ...world,
          onIdle: (sessionID, callback) => this.events.onIdle(sessionID, callback),
          held: (sessionID) => this.#held.has(sessionID),
          letPass: (signal) => (this.#now === undefined ? Promise.resolve() : startsFirst(this.#now, signal)),
          text: (item, { delivery, rows, wakes }) => {
            const row = rows.find(({ id }) => id === item.task)
            if (row === undefined) return `Background task ${item.task} has ended.`
            const about = { row, batch: this.#batchOf(row, delivery.parent.sessionID), wakes }
            return notice(item, about, this.namesIn(row.spec.directory))
          },
        }),
      log: (message) => this.log.say(directory, "warn", message),
    })
    this.#now = composed
    return composed
  }

  #batchOf(row: TaskRow, parent: string): TaskRow[] {
    if (this.#now === undefined) return [row]
    const mates = tasksOf(this.#now.coordinator, parent)
    return mates.filter(({ spec }) => spec.background && spec.parent?.batch === row.spec.parent?.batch)
  }

  #hear(sessionID: string, news: SessionNews): void {
    if (news === "idle") return this.#held.get(sessionID)?.release()
    if (this.#now === undefined) return
    if (news === "compacted") {
      if (this.live(sessionID).length > 0) this.#forgetful.add(sessionID)
      return
    }
    this.#forgetful.delete(sessionID)
    this.turns.forget(sessionID)
    this.#now.coordinator.feed({ type: "parent-deleted", sessionID })
  }

  async #close(): Promise<void> {
    const composed = this.#now
    this.#now = undefined
    this.#composed = undefined
    this.#forgetful.clear()
    this.#joined.clear()
    this.#names.clear()
    await composed?.lanes.close()
  }
}
