/** The tasks of coordinators in other processes as a view's source: their journals followed, their owners asked. */

import type { JournalReader, StoredEvent } from "../adapters/journal-reader.ts"
import { askOwner } from "../adapters/request-files.ts"
import type { LaneEvent } from "../core/events.ts"
import type { LaneLimits, LaneView } from "../core/lanes.ts"
import type { TaskId, TaskRow } from "../core/task.ts"
import { canonical } from "../adapters/state-folder.ts"
import { isLive } from "../page/source.ts"
import type { Source, SourceMessage, SourceTodo } from "../page/source.ts"
import { JournalLanes } from "./journal-lanes.ts"
import { ask, Journals, Missing, NoCoordinator, placed } from "./journals.ts"
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
  /** Whether an event is of this project; anew with the journals. */
  #isOf: ReturnType<typeof placed>
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
    this.#isOf = placed(this.#directory)
    journals.each((reader) => this.#places.set(reader.file, reader.place()))
    this.#reload()
    const owners = this.#owners()
    journals.each((reader) => {
      if (!owners.includes(reader)) return
      const from = Math.max(0, reader.place() - LOOK_BACK)
      for (const { event } of reader.events(from, LOOK_BACK)) this.#learn(event)
    })
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

  /** Of this project, or of a process with several whose tasks work in it. */
  #owners(): JournalReader[] {
    const files = new Set([...this.#tasks.values()].map(({ reader }) => reader.file))
    const owners: JournalReader[] = []
    this.#journals.each((reader) => {
      if (this.#directory === undefined || files.has(reader.file) || reader.owner().directory === this.#directory)
        owners.push(reader)
    })
    return owners
  }

  async #look(): Promise<void> {
    if (this.#looking) return
    this.#looking = true
    try {
      if (performance.now() - this.#rescanned > RESCAN_MS) await this.#rescan()
      this.#journals.each((reader) => this.#read(reader))
    } catch {
      // A journal that vanished, or is being replaced: the next look finds what there is.
    } finally {
      this.#looking = false
    }
  }

  async #rescan(): Promise<void> {
    this.#rescanned = performance.now()
    const fresh = await Journals.open(() => {})
    const old = this.#journals
    this.#journals = fresh
    this.#isOf = placed(this.#directory)
    old[Symbol.dispose]()
    this.#reload()
    for (const { lane, limit } of await this.#lanes.meet(this.#owners()))
      this.#tell({ type: "lane:limit", lane, limit, at: Date.now(), seq: 0 })
  }

  /** New events of one journal, each with the row it changed: of its own project, and of tasks of ours in it. */
  #read(reader: JournalReader): void {
    for (let events = this.#next(reader); events.length > 0; events = this.#next(reader)) {
      const { directory, living } = reader.owner()
      const ours = events.filter(({ event }) => directory === this.#directory || this.#isOf(reader, event))
      const changed = new Set(ours.flatMap(({ event }) => ("id" in event ? [event.id] : [])))
      for (const id of changed) {
        const row = reader.row(id)
        if (row !== undefined) this.#tasks.set(id, { row, reader, living })
      }
      for (const { n } of events) this.#places.set(reader.file, n)
      for (const { event } of ours) {
        this.#learn(event)
        this.#tell(event)
      }
    }
  }

  #next(reader: JournalReader): StoredEvent[] {
    return reader.events(this.#places.get(reader.file) ?? 0, PAGE)
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
