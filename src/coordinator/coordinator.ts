import type { Delivery, Effect } from "../core/effects.ts"
import { LanesError } from "../core/errors.ts"
import type { LaneEvent } from "../core/events.ts"
import type { Input, Now } from "../core/inputs.ts"
import type { LaneView } from "../core/lanes.ts"
import type { Options } from "../core/options.ts"
import { BOUNDS } from "../core/options.ts"
import { Core } from "../core/step.ts"
import type { CancelReason, Outcome, TaskId, TaskRow, TaskSpec } from "../core/task.ts"
import { isTerminal } from "../core/task.ts"
import { Bus } from "./bus.ts"
import { JournalWriter } from "./journal-writer.ts"
import type { Clock, Ids, Journal, Parent, SessionApi, Threads, Undo } from "./ports.ts"

export interface CoordinatorPorts {
  readonly clock: Clock
  readonly ids: Ids
  readonly threads: Threads
  readonly journal: Journal
  readonly parent: Parent
  /** For aborts the worker could not make, and for reading results. */
  readonly api: Pick<SessionApi, "abort">
  /** Sees every input before it is taken in: a recorded log replays to the same effects. */
  readonly record?: (input: Input, now: Now) => void
}

/** What a launch answers, at once. */
export interface Launched {
  readonly id: TaskId
  readonly epoch: number
  readonly lane: LaneView & { readonly ahead: number }
  /** Settles when this epoch does; never rejects. */
  readonly done: Promise<Outcome>
}

interface Waiting {
  readonly id: TaskId
  readonly promise: Promise<Outcome>
  readonly resolve: (outcome: Outcome) => void
}

/**
 * Feeds what happens to the core and carries out what it asks for, through ports only. The effects of a step are carried
 * out in order, journal first; those of a nested step (a listener that launches) follow the current one's.
 */
export class Coordinator {
  readonly bus: Bus
  readonly #core: Core
  readonly #ports: CoordinatorPorts
  readonly #journal: JournalWriter
  /** By task and epoch. */
  readonly #waiting = new Map<string, Waiting>()
  readonly #deliveries = new Map<AbortController, Delivery>()
  readonly #effects: Effect[] = []
  #carrying = false
  #timer: { at: number; undo: Undo } | undefined
  #closed: Promise<void> | undefined
  /** Closed for good: whatever still comes in is too late. */
  #ended = false

  constructor(options: Options, ports: CoordinatorPorts) {
    this.#core = new Core(options)
    this.#ports = ports
    this.#journal = new JournalWriter(ports.journal, ports.clock)
    this.bus = new Bus(() => ports.clock.wall())
    ports.threads.listen((report) => this.feed(report))
  }

  /** Stores a task and starts it as soon as its lane admits it; never waits for that. Throws a LanesError if refused. */
  launch(spec: TaskSpec): Launched {
    const id = this.#freshId()
    this.#store({ type: "launch", id, spec }, id)
    return this.#launched(id)
  }

  /** A new epoch of a settled task, or a follow-up into an unsettled one. Throws a LanesError if refused. */
  continue(
    id: TaskId,
    prompt: string,
    how: Omit<Extract<Input, { type: "continue" }>, "type" | "id" | "prompt"> = {},
  ): Launched {
    this.#store({ type: "continue", id, prompt, ...how }, id)
    return this.#launched(id)
  }

  /** Cancels at once; a settled task stays as it is. `silent`: the parent asked for it and need not be told. */
  cancel(id: TaskId, options: { readonly reason?: CancelReason; readonly silent?: boolean } = {}): TaskRow {
    this.feed({ type: "cancel", id, reason: options.reason ?? "USER", silent: options.silent ?? false })
    const row = this.#core.get(id)
    if (row === undefined) throw new LanesError("TASK_UNKNOWN", `There is no task ${id}.`)
    return row
  }

  /** Takes in anything that happened outside. */
  feed(input: Input): void {
    if (this.#ended && input.type !== "cancel") return
    this.#carryOut(this.#step(input))
  }

  /** A task's row with its times up to now. */
  get(id: TaskId): TaskRow | undefined {
    return this.#core.get(id, this.#ports.clock.now())
  }

  /** All tasks, or those of one conversation. */
  list(parent?: string): TaskRow[] {
    return [...this.#core.list(parent)]
  }

  /** Tasks that run now. */
  running(): TaskRow[] {
    return [...this.#core.running()]
  }

  /** Whether a directory has unsettled tasks. */
  isBusy(directory: string): boolean {
    return this.#core.isBusy(directory)
  }

  findBySession(sessionID: string): TaskRow | undefined {
    const id = this.#core.findBySession(sessionID)
    return id === undefined ? undefined : this.get(id)
  }

  lanes(): LaneView[] {
    return this.#core.lanes()
  }

  lane(id: TaskId): (LaneView & { ahead: number }) | undefined {
    return this.#core.lane(id)
  }

  /** What a parent is still owed. */
  owed(parent: string): TaskRow[] {
    return this.#core.owed(parent)
  }

  /** Ends that could not be told to a parent, each once: who asks shows them. */
  untold(parent: string): TaskRow[] {
    const rows = this.list(parent).filter(({ notice }) => notice.state === "dead")
    for (const { id } of rows) this.feed({ type: "read", id })
    return rows
  }

  get options(): Options {
    return this.#core.options
  }

  /** Sizes of everything that must be empty at rest. */
  sizes(): Readonly<Record<string, number>> {
    return {
      ...this.#core.sizes(),
      promises: this.#waiting.size,
      deliveries: this.#deliveries.size,
      behind: this.#journal.behind,
    }
  }

  /** How the current epoch of a task ends; at once if it has. */
  done(id: TaskId): Promise<Outcome> {
    const row = this.#core.get(id)
    if (row === undefined) return Promise.reject(new LanesError("TASK_UNKNOWN", `There is no task ${id}.`))
    if (row.outcome !== undefined) return Promise.resolve(row.outcome)
    const key = epochKey(row)
    const known = this.#waiting.get(key)
    if (known !== undefined) return known.promise
    let resolve: (outcome: Outcome) => void = () => {}
    const promise = new Promise<Outcome>((done) => (resolve = done))
    this.#waiting.set(key, { id, promise, resolve })
    return promise
  }

  /** Takes over what an earlier coordinator left in the journal. */
  recover(sessions: "alive" | "dead"): number {
    const rows = this.#journal.load()
    if (rows.length > 0) this.feed({ type: "recover", rows, sessions })
    return rows.length
  }

  /**
   * Refuses launches, lets runs finish for up to `drainMs`, then detaches (they run on, and the journal hands them to the
   * next coordinator) or aborts them. Idempotent.
   */
  close(options: { readonly drainMs?: number; readonly detach?: boolean } = {}): Promise<void> {
    this.#closed ??= this.#close(options.drainMs ?? 0, options.detach ?? false)
    return this.#closed
  }

  async #close(drainMs: number, detach: boolean): Promise<void> {
    this.feed({ type: "close", mode: "drain" })
    if (drainMs > 0) await this.#until(() => this.#core.sizes()["runs"] === 0, drainMs)
    if (!detach) this.feed({ type: "close", mode: "abort" })
    // What was cancelled must be out of its session before nobody is left to stop it.
    await this.#until(() => this.#core.sizes()["draining"] === 0, BOUNDS.drainMs)
    if (detach) this.feed({ type: "close", mode: "detach" })
    this.#ended = true
    for (const under of this.#deliveries.keys()) under.abort()
    this.#timer?.undo()
    this.#timer = undefined
    try {
      await this.#ports.threads.close()
    } finally {
      for (const { id, resolve } of this.#waiting.values()) resolve(detached(this.#core.get(id)))
      this.#waiting.clear()
      this.#journal.close()
    }
  }

  /** Until the condition holds after some input, or `ms` have gone by. */
  #until(condition: () => boolean, ms: number): Promise<void> {
    if (condition()) return Promise.resolve()
    return new Promise((resolve) => {
      const undo = this.#ports.clock.setTimer(ms, () => end())
      const end = (): void => {
        undo()
        this.#onStep = () => {}
        resolve()
      }
      this.#onStep = () => {
        if (condition()) end()
      }
    })
  }

  #onStep: () => void = () => {}

  /** A command whose first effect must reach the journal, or it never happened. */
  #store(input: Extract<Input, { type: "launch" | "continue" }>, id: TaskId): void {
    // Deadlines that have come are a step of their own, at the same time: what is refused below must be this command alone.
    const now = this.#now()
    this.#carryOut(this.#step({ type: "tick" }, now))
    const before = this.#core.get(id)
    const effects = this.#step(input, now)
    const failure = this.#journal.write(effects, { refused: true })
    if (failure !== undefined) {
      this.#step({ type: "refuse", id, ...(before === undefined ? {} : { before }) }, now)
      this.#carryOut([{ type: "emit", event: { type: "journal:error", message: failure.message } }])
      throw new LanesError(
        "JOURNAL_FAILED",
        `The task was not stored: ${failure.message}.`,
        "Nothing was started; see to the journal and launch again.",
      )
    }
    this.#carryOut(effects.filter((effect) => effect.type !== "journal" && effect.type !== "forget"))
  }

  #now(): Now {
    return { mono: this.#ports.clock.now(), wall: this.#ports.clock.wall() }
  }

  #step(input: Input, now: Now = this.#now()): Effect[] {
    this.#ports.record?.(input, now)
    return this.#core.step(input, now)
  }

  #carryOut(effects: readonly Effect[]): void {
    const failure = this.#journal.write(effects)
    if (failure !== undefined)
      this.#effects.push({ type: "emit", event: { type: "journal:error", message: failure.message } })
    for (const effect of effects) this.#effects.push(effect)
    if (!this.#carrying) {
      this.#carrying = true
      try {
        for (let next = this.#effects.shift(); next !== undefined; next = this.#effects.shift()) this.#do(next)
      } finally {
        this.#carrying = false
      }
    }
    if (this.#deliveries.size > 0) this.#recall()
    this.#arm()
    this.#onStep()
  }

  #do(effect: Effect): void {
    const { threads } = this.#ports
    switch (effect.type) {
      case "journal":
      case "forget":
        return
      case "start-run":
        return threads.run(effect.assignment)
      case "command":
        return threads.command(effect.run, effect.command)
      case "abort":
        return this.#abort(effect.directory, effect.sessionID, this.#ports.clock.now() + ABORT_MS)
      case "deliver":
        return this.#deliver(effect)
      case "emit": {
        const event = this.bus.emit(effect.event)
        this.#journal.append(event)
        if (event.type === "task:settled") this.#resolve(event)
      }
    }
  }

  #resolve(event: LaneEvent<"task:settled">): void {
    const key = epochKey(event)
    const waiting = this.#waiting.get(key)
    if (waiting === undefined) return
    this.#waiting.delete(key)
    waiting.resolve(event.outcome)
  }

  /** Best effort: tried again while the server does not take it, until somebody else is in the session. */
  #abort(directory: string, sessionID: string, until: number): void {
    const { api, clock } = this.#ports
    const again = (end: number): void => {
      if (clock.now() >= end) return
      clock.setTimer(ABORT_PAUSE_MS, () => {
        const row = this.findBySession(sessionID)
        if (this.#closed === undefined && (row === undefined || isTerminal(row.state)))
          this.#abort(directory, sessionID, end)
      })
    }
    api.abort(directory, sessionID).then(
      // A session just prompted may begin only now: once more, then it is done.
      () => again(Math.min(until, clock.now() + 1)),
      (thrown: unknown) => void (LanesError.from(thrown, "GARBLED").code === "NOT_FOUND" || again(until)),
    )
  }

  #deliver({ delivery }: Extract<Effect, { type: "deliver" }>): void {
    const parent = delivery.parent.sessionID
    const rows = delivery.items.flatMap(({ task }) => this.#core.get(task) ?? [])
    const under = new AbortController()
    this.#deliveries.set(under, delivery)
    const over = (): boolean => this.#deliveries.delete(under) && !this.#ended
    const told = async (): Promise<readonly string[]> => {
      const proofs: unknown = await this.#ports.parent.deliver(delivery, rows, under.signal)
      if (Array.isArray(proofs) && proofs.length === delivery.items.length) return proofs
      throw new LanesError("GARBLED", "The parent gave no proof for each notice.")
    }
    told().then(
      (proofs) => {
        if (!over()) return
        delivery.items.forEach(({ task, epoch }, i) =>
          this.feed({ type: "told", id: task, epoch, proof: proofs[i] ?? "" }),
        )
      },
      (thrown: unknown) => {
        if (!over()) return
        if (under.signal.aborted) return this.feed({ type: "delivery-recalled", parent })
        const error = LanesError.from(thrown, "SERVER_UNREACHABLE")
        this.feed({ type: "delivery-failed", parent, message: error.message, gone: error.code === "NOT_FOUND" })
      },
    )
  }

  /**
   * A delivery may wait for minutes until its parent is idle. It is called back when it would then say what was read
   * meanwhile, or start a turn too early, or none although it is the last.
   */
  #recall(): void {
    for (const [under, delivery] of this.#deliveries) if (!this.#core.stands(delivery)) under.abort()
  }

  /** The one timer: the core's next deadline. */
  #arm(): void {
    if (this.#ended) return
    const at = this.#core.nextDue()
    // One that comes too early finds nothing due and is set again: cheaper than to move it with each step.
    if (at !== undefined && this.#timer !== undefined && this.#timer.at <= at) return
    this.#timer?.undo()
    this.#timer = undefined
    if (at === undefined) return
    const ms = Math.min(LONGEST_TIMER_MS, Math.max(0, at - this.#ports.clock.now()))
    const undo = this.#ports.clock.setTimer(ms, () => {
      this.#timer = undefined
      this.feed({ type: "tick" })
    })
    this.#timer = { at, undo }
  }

  #launched(id: TaskId): Launched {
    const row = this.#core.get(id)
    const lane = this.#core.lane(id)
    if (row === undefined || lane === undefined) throw new LanesError("TASK_UNKNOWN", `There is no task ${id}.`)
    return { id, epoch: row.epoch, lane, done: this.done(id) }
  }

  #freshId(): TaskId {
    let id = this.#ports.ids.task()
    while (this.#core.get(id) !== undefined) id = this.#ports.ids.task()
    return id
  }
}

function epochKey({ id, epoch }: { readonly id: TaskId; readonly epoch: number }): string {
  return `${id}:${epoch}`
}

/** setTimeout takes 31 bits; a retention of weeks is armed in pieces. */
const LONGEST_TIMER_MS = 2_000_000_000

/** An abort that failed is tried again this often, for so long. */
const ABORT_PAUSE_MS = 1_000
const ABORT_MS = 600_000

/** What is known of a task whose coordinator goes while it runs on. */
function detached(row: TaskRow | undefined): Outcome {
  const settled = row !== undefined && isTerminal(row.state) ? row.outcome : undefined
  return (
    settled ?? {
      state: "cancelled",
      reason: "SHUTDOWN",
      sentence: "This coordinator was closed; the task runs on and is left to the next one.",
      text: row?.lastText ?? "",
      truncated: false,
      epoch: row?.epoch ?? 1,
      ...(row?.sessionID === undefined ? {} : { sessionID: row.sessionID }),
      queuedMs: row?.queuedMs ?? 0,
      durationMs: row?.ranMs ?? 0,
      tokens: row?.tokens ?? { input: 0, output: 0, reasoning: 0, cacheRead: 0, cacheWrite: 0 },
      cost: row?.cost ?? 0,
      unsent: [],
    }
  )
}
