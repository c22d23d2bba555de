import type { Journal, Parent, SessionApi, Threads } from "../coordinator/ports.ts"
import { Coordinator } from "../coordinator/coordinator.ts"
import type { LaneEvent } from "../core/events.ts"
import { LanesError } from "../core/errors.ts"
import type { Input, Now } from "../core/inputs.ts"
import type { LaneLimits } from "../core/lanes.ts"
import type { Options } from "../core/options.ts"
import { withLimits } from "../core/step.ts"
import type { TaskId, TaskSpec } from "../core/task.ts"
import type { AgentScript } from "./agent.ts"
import { simApi } from "./calls.ts"
import type { Ambush } from "./ambush.ts"
import { Audience } from "./audience.ts"
import { Loop, SimProcess } from "./clock.ts"
import { Dice } from "./dice.ts"
import { EventStream } from "./event-stream.ts"
import type { FaultClass, FaultRates } from "./faults.ts"
import { callFate, deliveryFate, doomOf, journalFails, travelOf } from "./fates.ts"
import { SimDisk, simJournal } from "./journal.ts"
import { SimConversation, simParent } from "./parents.ts"
import { SimServer } from "./server.ts"
import { SimThreads } from "./threads.ts"
import { Tally } from "./tally.ts"
import { Trace } from "./trace.ts"
import type { Oracle, Scene, TaskTruth } from "./truth.ts"

/** 2026-01-01; the wall clock is only printed. */
const WALL_START = 1_767_225_600_000
/** News of a conversation, on its way. */
const WORD_MS = 5

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
  /** Calls nobody's task made. */
  readonly strays: TaskTruth["calls"] = {}
  readonly trace: Trace = new Trace()
  readonly tally: Tally = new Tally(this.loop)
  readonly dice: Dice
  readonly rates: FaultRates
  readonly server: SimServer
  readonly recordings: Recording[] = []
  /** Bus events, core inputs and calls so far. */
  happened = 0
  options: Options
  coordinator: Coordinator | undefined
  violation: { readonly invariant: number; readonly sentence: string } | undefined
  /** The next effects until the coordinator's process dies; undefined = it is safe. */
  crashAfter: number | undefined
  /** What happens when the coordinator's process has died. */
  onCrash: (() => void) | undefined
  cutUntil = 0
  /** What the next calls, deliveries and writes will meet, whatever the dice say. */
  readonly ambushes: Ambush[] = []
  readonly #config: WorldOptions
  readonly #stream: EventStream
  readonly #directories = new Set<string>()
  readonly #audience: Audience
  #host: SimProcess
  #threads: SimThreads | undefined
  #lives = 0
  #nextID = ""
  readonly #onSettled = new Set<(event: LaneEvent<"task:settled">) => void>()

  constructor(config: WorldOptions) {
    this.#config = config
    this.options = config.options
    this.rates = config.rates
    this.dice = new Dice(config.seed)
    this.#host = new SimProcess(this.loop, "host-0")
    this.#stream = new EventStream(this.loop, config.events && this.rates["events.never"] === undefined)
    this.server = new SimServer({
      loop: this.loop,
      dice: this.dice,
      scriptOf: (session, text) => this.tasks.get(session.task ?? "")?.scripts.get(text),
      numberOf: (metadata) => numberOf(metadata),
      hint: (session, hint) => this.#stream.hint(session, hint),
      observe: (fact) => this.#audience.tell("fact", fact),
    })
    this.#audience = new Audience(config.oracles.map((oracle) => oracle(this)))
  }

  get eventsSince(): number | undefined {
    return this.#stream.since
  }

  /** The stream breaks; it is told at once, or only after the watchdog when it stalls. */
  dropEvents(ms: number, stalls: boolean): void {
    this.#stream.drop(ms, stalls)
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
    this.tally.reach(what)
    this.trace.add(this.loop.now, `⚡ ${words}`)
  }

  onSettled(hear: (event: LaneEvent<"task:settled">) => void): void {
    this.#onSettled.add(hear)
  }

  conversation(id: string): SimConversation {
    let known = this.conversations.get(id)
    if (known === undefined) this.conversations.set(id, (known = new SimConversation(id)))
    return known
  }

  /** Word that a conversation was deleted: by the stream of events, or by the host's own hook where there is none. */
  orphan(sessionID: string): void {
    const host = this.#host
    this.loop.after(WORD_MS, () =>
      host.enter(() => {
        const streams = this.#stream.since !== undefined
        this.coordinator?.feed(
          streams ? { type: "hint", sessionID, hint: { type: "deleted" } } : { type: "parent-deleted", sessionID },
        )
        if (!host.dead) this.#audience.tell("orphaned", sessionID)
      }),
    )
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
        this.#audience.tell("input", input.type)
      },
    })
    this.coordinator = coordinator
    coordinator.bus.on("*", (event) => {
      if (host.dead) return
      if (this.#config.record) recording.said.push(event)
      this.#heard(event)
    })
    this.#audience.tell("started", sessions !== undefined)
    if (sessions !== undefined) coordinator.recover(sessions)
    this.#stream.connect(host, (input) => coordinator.feed(input))
    for (const directory of this.#directories) this.#stream.follow(directory)
  }

  /** `kill -9` of the coordinator's process, threads and all. */
  crash(): void {
    if (this.coordinator === undefined) return
    this.trace.add(this.loop.now, `☠ ${this.#host.name} is killed`)
    this.#host.die()
    this.#threads?.die()
    this.coordinator = undefined
    this.#threads = undefined
    this.#stream.disconnect()
    this.crashAfter = undefined
    this.tally.crashed(this.disk.rows.values())
    this.#audience.tell("crashed")
    this.onCrash?.()
  }

  /** Stores a task. Refusals are thrown as the coordinator throws them; undefined: it died before it could answer. */
  launch(spec: TaskSpec, script: AgentScript): TaskTruth | undefined {
    const { coordinator } = this
    if (coordinator === undefined || this.#host.dead)
      throw new LanesError("CLOSED", "The coordinator is down at this moment; launch when it is up.")
    const of = this.tasks.size
    const id = taskID(of)
    this.#nextID = id
    const scripts = new Map([[spec.prompt, script.checked().acts]])
    const truth: TaskTruth = {
      id,
      of,
      spec,
      scripts,
      acknowledged: false,
      launchedAt: this.loop.now,
      calls: {},
      throws: 0,
    }
    this.tasks.set(id, truth)
    this.#directories.add(spec.directory)
    this.#stream.follow(spec.directory)
    coordinator.launch(spec)
    if (this.#host.dead) return undefined
    truth.acknowledged = true
    this.#audience.tell("launched", truth)
    return truth
  }

  /** Keeps a number for a task that is left out of this run, so that the others keep theirs. */
  skip(spec: TaskSpec): void {
    const of = this.tasks.size
    this.tasks.set(taskID(of), {
      id: taskID(of),
      of,
      spec,
      scripts: new Map(),
      acknowledged: false,
      launchedAt: 0,
      calls: {},
      throws: 0,
    })
  }

  /** New limits for the running coordinator and its successors. */
  limit(limits: Partial<LaneLimits>): void {
    this.options = withLimits(this.options, limits)
    this.#audience.tell("limits")
    this.coordinator?.feed({ type: "limits", limits })
  }

  /** The next event of the loop, and what oracles say to it. */
  step(until: number): boolean {
    if (!this.loop.step(until)) return false
    if (this.crashAfter !== undefined && this.crashAfter <= 0) this.crash()
    this.#audience.tell("settled")
    return true
  }

  tell(what: "quiet" | "rest"): void {
    this.#audience.tell(what)
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
      lives: (run, alive) => this.#audience.tell("lives", run, alive),
      stray: (words) => {
        // Deadlines that have come are not this word's doing.
        this.coordinator?.feed({ type: "tick" })
        this.#audience.tell("stray", words)
      },
      heard: () => this.#audience.tell("heard"),
      bug: (thrown) =>
        this.fail(
          0,
          `the loop of a run threw: ${thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)}`,
        ),
    })
  }

  #guarded(threads: SimThreads, host: SimProcess): Threads {
    return {
      run: (assignment) => {
        this.#effect(host)
        if (host.dead) return
        this.#audience.tell("assigned", assignment)
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
      wrote: (rows, forget) => this.#audience.tell("wrote", rows, forget),
    })
  }

  #parent(host: SimProcess): Parent {
    return simParent({
      loop: this.loop,
      process: host,
      conversation: (id) => this.conversation(id),
      fate: (delivery) => deliveryFate(this, delivery),
      effect: () => this.#effect(host),
      delivering: (delivery, rows) => this.#audience.tell("delivering", delivery, rows),
      telling: (delivery) => this.#audience.tell("telling", delivery),
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
    if (event.type === "listener:error") this.fail(0, `a listener threw: ${event.message}`)
    this.tally.take(event)
    this.#audience.tell("event", event)
    if (event.type === "task:settled") for (const hear of this.#onSettled) hear(event)
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
