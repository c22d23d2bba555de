import type { Journal, Parent, SessionApi, Threads } from "../coordinator/ports.ts"
import { Coordinator } from "../coordinator/coordinator.ts"
import type { LaneEvent } from "../core/events.ts"
import { LanesError } from "../core/errors.ts"
import type { Input, Now } from "../core/inputs.ts"
import type { Options } from "../core/options.ts"
import type { Hint } from "../core/snapshot.ts"
import type { TaskId, TaskSpec } from "../core/task.ts"
import type { AgentScript } from "./agent.ts"
import { simApi } from "./calls.ts"
import type { CallKind } from "./calls.ts"
import { Loop, SimProcess } from "./clock.ts"
import { Dice } from "./dice.ts"
import type { FaultClass, FaultRates } from "./faults.ts"
import { callFate, deliveryFate, doomOf, journalFails, travelOf } from "./fates.ts"
import { SimDisk, simJournal } from "./journal.ts"
import { SimConversation, simParent } from "./parents.ts"
import type { SimSession } from "./session.ts"
import { SimServer } from "./server.ts"
import { SimThreads } from "./threads.ts"
import { Trace } from "./trace.ts"
import type { Oracle, Scene, TaskTruth, Witness } from "./truth.ts"

/** 2026-01-01; the wall clock is only printed. */
const WALL_START = 1_767_225_600_000
/** An event on its way from the server. */
const HINT_MS = 5

export interface WorldOptions {
  readonly seed: number
  readonly options: Options
  readonly rates: FaultRates
  readonly oracles: readonly Oracle[]
  /** Whether server events exist at all. */
  readonly events: boolean
  /** Keeps every input, so that the run can be replayed. */
  readonly record: boolean
}

/** A fault for the next so many of a kind. */
export interface Ambush {
  readonly on: CallKind | "delivery" | "journal"
  times: number
  readonly how: "slow" | "failed" | "garbled" | "lost" | "refused" | "unreachable"
}

/** One coordinator's inputs, from its start to its end. */
export interface Recording {
  readonly options: Options
  readonly inputs: { readonly input: Input; readonly now: Now }[]
  /** What it said on the bus, without stamps. */
  readonly said: LaneEvent[]
}

/** One simulated machine with everything on it: the coordinator's process, its threads, OpenCode, the disk, conversations. */
export class World implements Scene {
  readonly loop: Loop = new Loop(WALL_START)
  readonly disk: SimDisk = new SimDisk()
  readonly tasks: Map<TaskId, TaskTruth> = new Map()
  readonly conversations: Map<string, SimConversation> = new Map()
  readonly struck: Set<FaultClass> = new Set()
  readonly reached: Map<string, number> = new Map()
  /** Tasks that have not ended, by what was said of them. */
  readonly live: Set<TaskId> = new Set()
  /** The most slots of a lane that were taken at once. */
  readonly peaks: Map<string, number> = new Map()
  /** When each task first got a slot. */
  readonly starts: Map<TaskId, number> = new Map()
  /** When each task last ended. */
  readonly ends: Map<TaskId, number> = new Map()
  /** Time slots of each lane were taken. */
  readonly slotMs: Map<string, number> = new Map()
  readonly #takenAt = new Map<TaskId, number>()
  /** Calls nobody's task made. */
  readonly strays: TaskTruth["calls"] = {}
  readonly #taken = new Map<string, number>()
  readonly trace: Trace = new Trace()
  readonly dice: Dice
  readonly rates: FaultRates
  readonly server: SimServer
  readonly recordings: Recording[] = []
  /** Bus events, core inputs and calls so far. */
  happened = 0
  options: Options
  coordinator: Coordinator | undefined
  eventsSince: number | undefined
  violation: { readonly invariant: number; readonly sentence: string } | undefined
  /** The next effects until the coordinator's process dies; undefined = it is safe. */
  crashAfter: number | undefined
  /** What happens when the coordinator's process has died. */
  onCrash: (() => void) | undefined
  cutUntil = 0
  /** What the next calls, deliveries and writes will meet, whatever the dice say. */
  readonly ambushes: Ambush[] = []
  readonly #config: WorldOptions
  readonly #witnesses: readonly Witness[]
  #host: SimProcess
  #threads: SimThreads | undefined
  #stalled = false
  #lives = 0
  #nextID = ""
  readonly #followed = new Set<string>()
  readonly #onSettled = new Set<(event: LaneEvent<"task:settled">) => void>()

  constructor(config: WorldOptions) {
    this.#config = config
    this.options = config.options
    this.rates = config.rates
    this.dice = new Dice(config.seed)
    this.#host = new SimProcess(this.loop, "host-0")
    this.server = new SimServer({
      loop: this.loop,
      dice: this.dice,
      scriptOf: (session, text) => this.tasks.get(session.task ?? "")?.scripts.get(text),
      numberOf: (metadata) => numberOf(metadata),
      hint: (session, hint) => this.#hint(session, hint),
      observe: (fact) => this.#each((witness) => witness.fact?.(fact)),
    })
    this.#witnesses = config.oracles.map((oracle) => oracle(this))
  }

  get running(): number {
    return this.#threads?.runs ?? 0
  }

  get threads(): SimThreads | undefined {
    return this.#threads
  }

  fail(invariant: number, sentence: string): void {
    this.violation ??= { invariant, sentence }
    this.trace.add(this.loop.now, `✗ invariant ${invariant}: ${sentence}`)
  }

  /** A fault has struck, or something worth counting was reached. */
  strike(what: FaultClass, words: string = what): void {
    this.struck.add(what)
    this.reach(what)
    this.trace.add(this.loop.now, `⚡ ${words}`)
  }

  reach(what: string): void {
    this.reached.set(what, (this.reached.get(what) ?? 0) + 1)
  }

  onSettled(hear: (event: LaneEvent<"task:settled">) => void): void {
    this.#onSettled.add(hear)
  }

  conversation(id: string): SimConversation {
    let known = this.conversations.get(id)
    if (known === undefined) this.conversations.set(id, (known = new SimConversation(id)))
    return known
  }

  // ── The coordinator's process ──

  /** A coordinator comes up; `sessions`: how what an earlier one left is found. */
  start(sessions?: "alive" | "dead"): void {
    if (this.coordinator !== undefined) return
    const host = new SimProcess(this.loop, `host-${++this.#lives}`)
    this.#host = host
    const threads = this.#makeThreads(host)
    this.#threads = threads
    const recording: Recording = { options: this.options, inputs: [], said: [] }
    if (this.#config.record) this.recordings.push(recording)
    const coordinator = new Coordinator(this.options, {
      clock: host.clock(),
      ids: { task: () => this.#nextID },
      threads: this.#guarded(threads, host),
      journal: this.#journal(host),
      parent: this.#parent(host),
      api: this.#api(host),
      record: (input, now) => {
        if (host.dead) return
        this.happened++
        if (this.#config.record) recording.inputs.push({ input, now })
        this.#each((witness) => witness.input?.(input.type))
      },
    })
    this.coordinator = coordinator
    coordinator.bus.on("*", (event) => {
      if (host.dead) return
      if (this.#config.record) recording.said.push(event)
      this.#heard(event)
    })
    this.#each((witness) => witness.started?.(sessions !== undefined))
    if (sessions !== undefined) coordinator.recover(sessions)
    this.#followed.clear()
    this.eventsSince = undefined
    for (const directory of new Set([...this.tasks.values()].slice(0, 1_000).map(({ spec }) => spec.directory))) this.#follow(directory)
  }

  /** `kill -9` of the coordinator's process, threads and all. */
  crash(): void {
    if (this.coordinator === undefined) return
    this.trace.add(this.loop.now, `☠ ${this.#host.name} is killed`)
    this.#host.die()
    this.#threads?.die()
    this.coordinator = undefined
    this.#threads = undefined
    this.eventsSince = undefined
    this.crashAfter = undefined
    this.#taken.clear()
    this.live.clear()
    for (const { id, state } of this.disk.rows.values()) if (state === "pending" || state === "running") this.live.add(id)
    this.#each((witness) => witness.crashed?.())
    this.onCrash?.()
  }

  /** Stores a task. Refusals are thrown as the coordinator throws them; undefined: it died before it could answer. */
  launch(spec: TaskSpec, script: AgentScript): TaskTruth | undefined {
    const { coordinator } = this
    if (coordinator === undefined || this.#host.dead) throw new LanesError("CLOSED", "The coordinator is down at this moment; launch when it is up.")
    const of = this.tasks.size
    const id = taskID(of)
    this.#nextID = id
    const scripts = new Map([[spec.prompt, script.checked().acts]])
    const truth: TaskTruth = { id, of, spec, scripts, acknowledged: false, launchedAt: this.loop.now, calls: {}, throws: 0 }
    this.tasks.set(id, truth)
    this.#follow(spec.directory)
    coordinator.launch(spec)
    if (this.#host.dead) return undefined
    truth.acknowledged = true
    this.#each((witness) => witness.launched?.(truth))
    return truth
  }

  /** Keeps a number for a task that is left out of this run, so that the others keep theirs. */
  skip(spec: TaskSpec): void {
    const of = this.tasks.size
    this.tasks.set(taskID(of), { id: taskID(of), of, spec, scripts: new Map(), acknowledged: false, launchedAt: 0, calls: {}, throws: 0 })
  }

  /** New limits for the running coordinator and its successors. */
  limit(limits: Partial<Pick<Options, "defaultConcurrency" | "providerConcurrency" | "modelConcurrency">>): void {
    this.options = { ...this.options, ...limits }
    this.#each((witness) => witness.limits?.())
    this.coordinator?.feed({ type: "limits", limits })
  }

  /** The next event of the loop, and what oracles say to it. */
  step(until: number): boolean {
    if (!this.loop.step(until)) return false
    if (this.crashAfter !== undefined && this.crashAfter <= 0) this.crash()
    for (const witness of this.#witnesses) witness.settled?.()
    return true
  }

  tell(what: "quiet" | "rest"): void {
    this.#each((witness) => witness[what]?.())
  }

  // ── Ports ──

  #makeThreads(host: SimProcess): SimThreads {
    return new SimThreads({
      loop: this.loop,
      server: this.server,
      host,
      maxWorkers: this.options.maxWorkers,
      isolation: this.options.isolation,
      fate: (kind, run) => callFate(this, kind, this.tasks.get(run.task)),
      travel: (report) => travelOf(this, this.tasks.get(report.run.task), report),
      doom: (run) => doomOf(this, this.tasks.get(run.task), run),
      lives: (run, alive) => this.#each((witness) => witness.lives?.(run, alive)),
      stray: (words) => {
        // Deadlines that have come are not this word's doing.
        this.coordinator?.feed({ type: "tick" })
        this.#each((witness) => witness.stray?.(words))
      },
      heard: () => this.#each((witness) => witness.heard?.()),
      bug: (thrown) => this.fail(0, `the loop of a run threw: ${thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)}`),
    })
  }

  #guarded(threads: SimThreads, host: SimProcess): Threads {
    return {
      run: (assignment) => {
        this.#effect(host)
        if (host.dead) return
        this.#each((witness) => witness.assigned?.(assignment))
        threads.run(assignment)
      },
      command: (run, command) => {
        this.#effect(host)
        if (!host.dead) threads.command(run, command)
      },
      listen: (report) => threads.listen(report),
      close: () => threads.close(),
    }
  }

  #journal(host: SimProcess): Journal {
    return simJournal({
      disk: this.disk,
      dead: () => host.dead,
      fails: (rows) => journalFails(this, rows),
      effect: () => this.#effect(host),
      wrote: (rows, forget) => this.#each((witness) => witness.wrote?.(rows, forget)),
    })
  }

  #parent(host: SimProcess): Parent {
    return simParent({
      loop: this.loop,
      process: host,
      conversation: (id) => this.conversation(id),
      fate: (delivery) => deliveryFate(this, delivery),
      effect: () => this.#effect(host),
      delivering: (delivery, rows) => this.#each((witness) => witness.delivering?.(delivery, rows)),
    })
  }

  #api(host: SimProcess): SessionApi {
    return simApi({
      loop: this.loop,
      server: this.server,
      process: host,
      fate: (kind) => callFate(this, kind, undefined),
    })
  }

  /** Between any two effects the process may die. */
  #effect(host: SimProcess): void {
    if (this.crashAfter === undefined || host !== this.#host) return
    if (--this.crashAfter > 0) return
    // What is on the stack runs on without effect; the world buries it after this event.
    host.die()
    this.#threads?.die()
  }

  #heard(event: LaneEvent): void {
    this.happened++
    this.trace.add(this.loop.now, event)
    this.#count(event)
    this.#each((witness) => witness.event?.(event))
    if (event.type === "task:settled") for (const hear of this.#onSettled) hear(event)
  }

  #count(event: LaneEvent): void {
    switch (event.type) {
      case "task:queued":
        this.live.add(event.id)
        return
      case "task:settled":
        this.live.delete(event.id)
        this.ends.set(event.id, this.loop.now)
        this.reach(event.outcome.state)
        this.reach(event.outcome.reason)
        return
      case "lane:granted": {
        const taken = (this.#taken.get(event.lane) ?? 0) + 1
        this.#taken.set(event.lane, taken)
        this.#takenAt.set(event.id, this.loop.now)
        if (!this.starts.has(event.id)) this.starts.set(event.id, this.loop.now)
        this.peaks.set(event.lane, Math.max(taken, this.peaks.get(event.lane) ?? 0))
        return
      }
      case "lane:released":
        this.slotMs.set(event.lane, (this.slotMs.get(event.lane) ?? 0) + this.loop.now - (this.#takenAt.get(event.id) ?? this.loop.now))
        this.#taken.set(event.lane, (this.#taken.get(event.lane) ?? 0) - 1)
        return
      case "listener:error":
        this.fail(0, `a listener threw: ${event.message}`)
    }
  }

  #each(tell: (witness: Witness) => void): void {
    for (const witness of this.#witnesses) tell(witness)
  }

  // ── Server events ──

  /** The stream breaks; it is told at once, or only after the watchdog when it stalls. */
  dropEvents(ms: number, stalls: boolean): void {
    if (this.#stalled) return
    this.#stalled = true
    this.eventsSince = undefined
    this.loop.after(stalls ? Math.min(ms, 25_000) : 0, () => this.#alive(false))
    this.loop.after(ms, () => {
      this.#stalled = false
      this.#alive(true)
    })
  }

  #follow(directory: string): void {
    if (!this.#config.events || this.rates["events.never"] !== undefined || this.#followed.has(directory)) return
    this.#followed.add(directory)
    const host = this.#host
    this.loop.after(20, () => host.enter(() => this.#stalled || this.#alive(true, directory)))
  }

  #alive(alive: boolean, only?: string): void {
    const { coordinator } = this
    if (coordinator === undefined || !this.#config.events) return
    this.eventsSince = alive ? this.loop.now : undefined
    for (const directory of only === undefined ? this.#followed : [only]) coordinator.feed({ type: "events", directory, alive })
  }

  #hint(session: SimSession, hint: Hint): void {
    if (this.#stalled || this.eventsSince === undefined || session.task === undefined) return
    const host = this.#host
    this.loop.after(HINT_MS, () => host.enter(() => this.coordinator?.feed({ type: "hint", sessionID: session.id, hint })))
  }
}

/** Ids in the order of the launches, so that a task keeps its own when others are left out. */
export function taskID(of: number): TaskId {
  return `bg_${of.toString(36).padStart(8, "0")}`
}

function numberOf(metadata: Readonly<Record<string, unknown>>): number {
  const entry = metadata["opencode-lanes"]
  const task = typeof entry === "object" && entry !== null ? (entry as { task?: unknown }).task : undefined
  return typeof task === "string" ? Number.parseInt(task.slice(3), 36) : 0
}
