/** The tasks of coordinators in other processes as a view's source: their journals followed, their owners asked. */

import type { JournalReader } from "../adapters/journal-reader.ts"
import { askOwner } from "../adapters/request-files.ts"
import type { LaneEvent } from "../core/events.ts"
import type { LaneLimits, LaneView } from "../core/lanes.ts"
import type { TaskId, TaskRow } from "../core/task.ts"
import { canonical } from "../adapters/state-folder.ts"
import { isLive } from "../page/source.ts"
import type { Source, SourceMessage, SourceTodo } from "../page/source.ts"
import { JournalLanes } from "./journal-lanes.ts"
import { ask, Journals, Missing, NoCoordinator } from "./journals.ts"
import type { FoundTask } from "./journals.ts"

const LOOK_MS = 150
/** Coordinators come and go, and rows change without a word: run times, what a dead owner left. */
const RESCAN_MS = 2_000
const PAGE = 500
/** So much of the past tells the limits lanes have. */
const LOOK_BACK = 2_000

export class JournalSource implements Source, Disposable {
  readonly #directory: string | undefined
  readonly #lanes: JournalLanes
  #journals: Journals
  readonly #places = new Map<string, number>()
  readonly #tasks = new Map<TaskId, FoundTask>()
  /** Of running tasks: rows are written seldom, and progress is told every second. */
  readonly #progress = new Map<TaskId, LaneEvent<"task:progress">>()
  readonly #handlers = new Set<(event: LaneEvent) => unknown>()
  #seq = 0
  #rescanned = performance.now()
  #looking = false
  readonly #timer: ReturnType<typeof setInterval>

  private constructor(journals: Journals, directory: string | undefined, limits: LaneLimits) {
    this.#journals = journals
    this.#directory = directory === undefined ? undefined : canonical(directory)
    this.#lanes = new JournalLanes(limits)
    for (const reader of this.#readers()) {
      const place = reader.place()
      this.#places.set(reader.file, place)
      for (const { event } of reader.events(Math.max(0, place - LOOK_BACK), LOOK_BACK)) this.#learn(event)
    }
    this.#reload()
    this.#timer = setInterval(() => void this.#look(), LOOK_MS)
  }

  /** `directory` undefined: all projects. `limits` are shown for lanes of which the journals say nothing yet. */
  static async open(directory: string | undefined, limits: LaneLimits): Promise<JournalSource> {
    const source = new JournalSource(await Journals.open(), directory, limits)
    await source.#lanes.meet(source.#owners())
    return source
  }

  list(): TaskRow[] {
    return [...this.#tasks.values()].map((found) => this.#shown(found))
  }

  get(id: TaskId): TaskRow | undefined {
    const found = this.#tasks.get(id)
    return found === undefined ? undefined : this.#shown(found)
  }

  usage(): LaneView[] {
    const lanes = new Map([...this.#lanes.named()].map((lane) => [lane, { used: 0, queued: 0 }]))
    for (const found of this.#tasks.values()) {
      const { state, lane } = shown(found)
      if (!isLive({ state })) continue
      const of = lanes.get(lane) ?? { used: 0, queued: 0 }
      lanes.set(lane, of)
      of[state === "running" ? "used" : "queued"]++
    }
    return [...lanes].map(([lane, { used, queued }]) => ({
      lane,
      used,
      queued,
      limit: this.#lanes.limit(lane),
    }))
  }

  on(_type: "*", handler: (event: LaneEvent) => unknown): () => void {
    this.#handlers.add(handler)
    return () => this.#handlers.delete(handler)
  }

  cancel(id: TaskId): Promise<unknown> {
    return ask(this.#found(id), { type: "cancel", id })
  }

  async cancelAll(): Promise<void> {
    const live = [...this.#tasks.values()].filter((found) => found.living && isLive(found.row))
    await Promise.all(live.map((found) => ask(found, { type: "cancel", id: found.row.id })))
  }

  continue(id: TaskId, prompt: string): Promise<unknown> {
    return ask(this.#found(id), { type: "continue", id, prompt }, 15_000)
  }

  async messages(id: TaskId): Promise<readonly SourceMessage[]> {
    return (await ask(this.#found(id), { type: "messages", id }, 15_000)) as readonly SourceMessage[]
  }

  async todos(id: TaskId): Promise<readonly SourceTodo[]> {
    return (await ask(this.#found(id), { type: "todos", id }, 15_000)) as readonly SourceTodo[]
  }

  /** Of every coordinator that is seen here and lives: each has lanes of its own. */
  async setLimits(limits: Partial<LaneLimits>): Promise<void> {
    const living = this.#owners().filter((reader) => reader.owner().living)
    if (living.length === 0)
      throw new NoCoordinator(
        "No coordinator runs here now; the limits of the next one are those of the configuration.",
      )
    const asked = Date.now()
    const answers = await Promise.all(living.map((reader) => askOwner(reader.file, { type: "limits", limits })))
    this.#lanes.hear((answers as LaneView[][]).flat(), asked)
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
    this.#handlers.clear()
    this.#journals[Symbol.dispose]()
  }

  /** One that is seen here: other projects' tasks are none of this view's business. */
  #found(id: TaskId): FoundTask {
    const found = this.#tasks.get(id)
    if (found === undefined) throw new Missing(`There is no task ${id} here.`)
    return found
  }

  #readers(): JournalReader[] {
    return this.#journals.readers.filter(
      (reader) => this.#directory === undefined || reader.owner().directory === this.#directory,
    )
  }

  /** Of this project, or of a process with several whose tasks work in it. */
  #owners(): JournalReader[] {
    const files = new Set([...this.#tasks.values()].map(({ reader }) => reader.file))
    const here = new Set(this.#readers())
    return this.#journals.readers.filter((reader) => here.has(reader) || files.has(reader.file))
  }

  async #look(): Promise<void> {
    if (this.#looking) return
    this.#looking = true
    try {
      if (performance.now() - this.#rescanned > RESCAN_MS) await this.#rescan()
      for (const reader of this.#readers()) this.#read(reader)
    } catch {
      // A journal that vanished, or is being replaced: the next look finds what there is.
      this.#rescanned = Number.NEGATIVE_INFINITY
    } finally {
      this.#looking = false
    }
  }

  async #rescan(): Promise<void> {
    const fresh = await Journals.open(() => {})
    const old = this.#journals
    this.#journals = fresh
    old[Symbol.dispose]()
    this.#reload()
    this.#rescanned = performance.now()
    for (const { lane, limit } of await this.#lanes.meet(this.#owners()))
      this.#tell({ type: "lane:limit", lane, limit, at: Date.now(), seq: 0 })
  }

  /** New events of one journal, each with the row it changed. */
  #read(reader: JournalReader): void {
    for (
      let events = reader.events(this.#places.get(reader.file) ?? 0, PAGE);
      events.length > 0;
      events = reader.events(this.#places.get(reader.file) ?? 0, PAGE)
    ) {
      const changed = new Set<string>()
      for (const { event } of events) if ("id" in event) changed.add(event.id)
      const living = reader.owner().living
      for (const id of changed) {
        const row = reader.row(id)
        if (row !== undefined) this.#tasks.set(id, { row, reader, living })
      }
      for (const { n, event } of events) {
        this.#places.set(reader.file, n)
        this.#learn(event)
        this.#tell(event)
      }
    }
  }

  /** All rows as they are, the living owner's before a dead one's. */
  #reload(): void {
    const before = new Map(this.#tasks)
    this.#tasks.clear()
    for (const found of this.#journals.tasks(this.#directory)) {
      const other = this.#tasks.get(found.row.id)
      if (other === undefined || !other.living) this.#tasks.set(found.row.id, found)
    }
    // An owner that died says nothing more: that its tasks are left alone is said for it.
    for (const [id, { row, living }] of before) {
      const now = this.#tasks.get(id)
      if (!living || now === undefined || now.living || !isLive(now.row)) continue
      const { outcome, spec, lane } = shown(now)
      if (outcome !== undefined)
        this.#tell({
          type: "task:settled",
          id,
          epoch: row.epoch,
          outcome,
          description: spec.description,
          lane,
          at: Date.now(),
          seq: 0,
        })
    }
  }

  #shown(found: FoundTask): TaskRow {
    const row = shown(found)
    const progress = row.state === "running" ? this.#progress.get(row.id) : undefined
    if (progress === undefined || progress.epoch !== row.epoch || progress.steps < row.steps) return row
    const { steps, cost, tool } = progress
    return { ...row, steps, cost, ...(tool === undefined ? {} : { lastTool: tool }) }
  }

  #learn(event: LaneEvent): void {
    if (event.type === "task:progress") this.#progress.set(event.id, event)
    else if (event.type === "task:settled") this.#progress.delete(event.id)
    this.#lanes.learn(event)
  }

  /** Several journals tell at once: their events are numbered anew. */
  #tell(event: LaneEvent): void {
    const numbered = { ...event, seq: ++this.#seq }
    for (const handler of [...this.#handlers]) handler(numbered)
  }
}

/** A row as a view shows it: what nobody looks after does not run, whatever its last word was. */
function shown({ row, living }: FoundTask): TaskRow {
  if (living || !isLive(row)) return row
  const settledAt = row.startedAt === undefined ? row.queuedAt + row.queuedMs : row.startedAt + row.ranMs
  return {
    ...row,
    state: "error",
    settledAt,
    outcome: {
      state: "error",
      reason: "INTERRUPTED",
      sentence: "Its coordinator has ended; lanes resume takes over what it left.",
      text: row.lastText ?? "",
      truncated: false,
      epoch: row.epoch,
      queuedMs: row.queuedMs,
      durationMs: row.ranMs,
      tokens: row.tokens,
      cost: row.cost,
      unsent: [],
    },
  }
}
