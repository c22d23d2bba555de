import { checkLaunch, checkLimits } from "../check-input.ts"
import { parseConfig, resolveOptions } from "../config.ts"
import type { Config } from "../config.ts"
import { LanesError } from "../core/errors.ts"
import type { Options } from "../core/options.ts"
import type { TaskSpec } from "../core/task.ts"
import type { Ambush } from "./ambush.ts"
import { checkAmbush, classOf } from "./ambush.ts"
import type { AgentScript } from "./agent.ts"
import { checkWhole, checkWord } from "./check.ts"
import type { Duration } from "./duration.ts"
import { parseDuration } from "./duration.ts"
import type { FaultClass, FaultPlan, FaultRates } from "./faults.ts"
import { checkRates, without } from "./faults.ts"
import { ORACLES } from "./invariants/all.ts"
import {
  crashCoordinator,
  cutServer,
  disposeInstance,
  jumpWall,
  restartServer,
  scheduleMishaps,
  sleepMachine,
} from "./mishaps.ts"
import type { LaunchSpec } from "./handles.ts"
import { SimParent, SimTask } from "./handles.ts"
import { isQuiet, stillOpen } from "./quiet.ts"
import { RunResult } from "./result.ts"
import { replayLine, shrink } from "./shrink.ts"
import type { Oracle } from "./truth.ts"
import { Violation } from "./violation.ts"
import { World } from "./world.ts"

export interface SimulateOptions {
  /** Default: `SIM_SEED`, else 0. */
  readonly seed?: number
  /** As in a configuration file. */
  readonly config?: Config
  readonly faults?: FaultPlan
  /** Whether OpenCode's events reach the coordinator; default true. */
  readonly events?: boolean
  /** Default: all of them. @internal */
  readonly oracles?: readonly Oracle[]
  /** Keeps every input for `replay`. */
  readonly record?: boolean
  /** Whether a violation is shown with as few tasks and faults as are found to be needed; default true. */
  readonly shrink?: boolean
  /** The line a violation is shown again with; default: the test that asked. */
  readonly replay?: (seed: number) => string
}

export interface RunUntil {
  /** `quiet`: nothing is left to do. A moment: just then. Default `quiet`. */
  readonly until?: Duration
  /** Virtual time it may take; default 48h. */
  readonly max?: Duration
}

/** One simulation: what is asked of it now happens at its virtual time, in `run`. */
export class Simulation {
  readonly seed: number
  readonly options: Options
  /** @internal */
  world: World
  readonly #how: SimulateOptions
  readonly #rates: FaultRates
  /** What was asked from outside, to do it all again with less. */
  readonly #script: ((sim: Simulation) => void)[] = []
  #playing = false
  #left: { readonly tasks: ReadonlySet<number>; readonly faults: readonly FaultClass[] } = {
    tasks: new Set(),
    faults: [],
  }
  #planned = 0

  constructor(how: SimulateOptions) {
    this.seed = how.seed ?? Number(process.env["SIM_SEED"] ?? 0)
    checkWhole(this.seed, "a seed")
    this.#how = how
    this.options = resolveOptions(parseConfig(how.config ?? {})).options
    this.#rates = checkRates(how.faults?.(this.seed) ?? {})
    this.world = this.#build()
  }

  /** A conversation that launches tasks and is told about them. */
  session(id: string): SimParent {
    return new SimParent(this, id)
  }

  /** A task; with `parent` that conversation is told how it ends. */
  launch(spec: LaunchSpec & { readonly parent?: string }, script: AgentScript): SimTask {
    script.checked()
    const { parent, batch = "turn-1", ...rest } = spec
    checkLaunch({ prompt: "the default", ...rest })
    let task: SimTask | undefined
    this.#do(({ world }) => {
      const of = world.tasks.size
      task = new SimTask(this, of)
      const whole: TaskSpec = {
        prompt: `task ${of}`,
        description: `task ${of}`,
        directory: "/sim",
        server: "sim",
        background: true,
        ...rest,
        ...(parent === undefined ? {} : { parent: { sessionID: parent, batch } }),
      }
      if (this.#left.tasks.has(of)) world.skip(whole)
      else world.launch(whole, script)
    })
    return task ?? new SimTask(this, 0)
  }

  /** Has something done at a virtual time. */
  at(time: Duration, act: () => void): void {
    const at = this.#moment(time)
    this.#do((sim) => {
      sim.#planned++
      sim.world.loop.after(at - sim.world.loop.now, () => {
        sim.#planned--
        act()
      })
    })
  }

  /** Ends a process with `kill -9`; it comes back after `down`. A worker does not, its runs go elsewhere. */
  crash(what: "coordinator" | "host" | "server" | "worker", down: Duration = "1s"): void {
    const downMs = parseDuration(down, "how long it stays down")
    switch (what) {
      case "coordinator":
        return this.act("coordinator.crash", (world) => crashCoordinator(world, { downMs, effects: 0, server: false }))
      case "host":
        return this.act("host.crash", (world) => crashCoordinator(world, { downMs, effects: 0, server: true }))
      case "server":
        return this.act("server.restart", (world) => restartServer(world, downMs, false))
      case "worker":
        return this.worker("exits")
      default:
        throw new LanesError(
          "INVALID_INPUT",
          `Nothing called "${String(what)}" can crash; there are coordinator, host, server and worker.`,
        )
    }
  }

  sleepMachine(span: Duration): void {
    const ms = parseDuration(span, "how long the machine sleeps")
    this.act("machine.sleep", (world) => sleepMachine(world, ms))
  }

  /** Sets the wall clock; a negative number of ms sets it back. */
  jumpWall(by: Duration): void {
    const back = typeof by === "number" && by < 0
    const ms = back ? -parseDuration(-by, "how far the clock is set") : parseDuration(by, "how far the clock is set")
    this.act("wall.jump", (world) => jumpWall(world, ms))
  }

  /** Nobody reaches OpenCode for so long. */
  cutServer(span: Duration): void {
    const ms = parseDuration(span, "how long the server is cut off")
    this.act("server.cut", (world) => cutServer(world, ms))
  }

  /** The OpenCode instance is disposed, and loaded again after so long. */
  reload(span: Duration): void {
    const ms = parseDuration(span, "how long loading takes")
    this.act("server.dispose", (world) => disposeInstance(world, ms))
  }

  /** OpenCode's events are lost for so long; `stalls`: nobody notices at first. */
  dropEvents(span: Duration, options: { readonly stalls?: boolean } = {}): void {
    const ms = parseDuration(span, "how long events are lost")
    this.act(options.stalls === true ? "events.stalled" : "events.dropped", (world) =>
      world.dropEvents(ms, options.stalls === true),
    )
  }

  /**
   * The next `times` calls of a kind go wrong: `slow`, `failed` (5xx), `garbled`, `lost` (done, but the answer is lost),
   * `refused` (4xx) or `unreachable`. Also for `delivery` (to a conversation) and `journal` (a full disk).
   */
  ambush(on: Ambush["on"], how: Ambush["how"], times = 1): void {
    const ambush = { on, how, times }
    checkAmbush(ambush)
    // Each play uses up its own.
    this.act(classOf(ambush), (world) => void world.ambushes.push({ ...ambush }))
  }

  /** One of the workers that have runs crashes, spins or falls silent. */
  worker(how: "throws" | "rejects" | "exits" | "spins" | "falls silent"): void {
    checkWord(how, ["throws", "rejects", "exits", "spins", "falls silent"], "how a worker ends")
    const what: FaultClass = how === "spins" ? "worker.spin" : how === "falls silent" ? "worker.silent" : "worker.crash"
    this.act(what, ({ threads }) => {
      const [name] = threads?.busyWorkers ?? []
      if (threads === undefined || name === undefined) return
      if (how === "spins") threads.spin(name)
      else if (how === "falls silent") threads.silence(name)
      else threads.crash(name, how)
    })
  }

  limits(limits: Partial<Pick<Options, "defaultConcurrency" | "providerConcurrency" | "modelConcurrency">>): void {
    checkLimits(limits)
    this.act("user.limits", (world) => world.limit(limits))
  }

  /** Runs on. Synchronous. Throws a `Violation`. */
  run(how: RunUntil = {}): RunResult {
    const until = how.until === undefined || how.until === "quiet" ? undefined : this.#moment(how.until)
    const max = parseDuration(how.max ?? "48h", "how long it may take")
    this.#do((sim) => sim.#play(until, max))
    return new RunResult(this.world)
  }

  /** Lets the retention go by and checks that nothing is kept. Throws a `Violation`. */
  rest(): void {
    this.#do((sim) => {
      const { world } = sim
      const end = world.loop.now + sim.options.retainMs + 3_600_000
      while (world.violation === undefined && world.step(end));
      world.loop.skipTo(end)
      world.tell("rest")
      sim.#check()
    })
  }

  /** A moment that is not past. */
  #moment(time: Duration): number {
    const at = parseDuration(time, "a moment")
    const { now } = this.world.loop
    if (at >= now) return at
    throw new LanesError("INVALID_INPUT", `${String(time)} is past: it is ${Math.round(now)} ms already.`)
  }

  // ── Again, with less ──

  /** Does something that is a fault; left out when that fault is. @internal */
  act(what: FaultClass, effect: (world: World) => void): void {
    this.#do((sim) => {
      if (sim.#left.faults.includes(what)) return
      sim.world.tally.reach(what)
      sim.world.struck.add(what)
      effect(sim.world)
    })
  }

  #do(what: (sim: Simulation) => void): void {
    // What is asked for while it runs belongs to what asked for it, and comes again with that.
    if (this.#playing) return what(this)
    this.#script.push(what)
    this.#playing = true
    try {
      what(this)
    } catch (thrown) {
      if (!(thrown instanceof Found)) throw thrown
      throw this.#violation(thrown)
    } finally {
      this.#playing = false
    }
  }

  #build(): World {
    const world = new World({
      seed: this.seed,
      options: this.options,
      rates: without(this.#rates, this.#left.faults),
      oracles: this.#how.oracles ?? ORACLES,
      events: this.#how.events ?? true,
      record: this.#how.record ?? false,
    })
    this.#planned = 0
    world.start()
    if (world.rates["events.never"] !== undefined) world.strike("events.never")
    scheduleMishaps(world)
    return world
  }

  #play(until: number | undefined, max: number): void {
    const { world } = this
    const end = until ?? world.loop.now + max
    let lookAt = 0
    let idleSince: number | undefined
    for (;;) {
      this.#check()
      if (
        until === undefined &&
        this.#planned === 0 &&
        world.tally.live.size === 0 &&
        (world.loop.nextAt ?? lookAt) >= lookAt
      ) {
        if (isQuiet(world)) return this.#quiet()
        lookAt = world.loop.now + 100
        // All has ended long ago, and still something is owed or held.
        idleSince ??= world.loop.now
        if (world.loop.now - idleSince > STUCK_MS) break
      } else if (world.tally.live.size > 0) {
        idleSince = undefined
      }
      if (!world.step(end)) break
    }
    if (until !== undefined) return world.loop.skipTo(end)
    if (isQuiet(world)) return this.#quiet()
    world.fail(...stillOpen(world))
    this.#check()
  }

  #quiet(): void {
    this.world.tell("quiet")
    this.#check()
  }

  #check(): void {
    const { violation } = this.world
    if (violation !== undefined) throw new Found(violation.invariant)
  }

  /** The same from the beginning, without some tasks and faults; the world it ended in. */
  #again(left: { readonly tasks: ReadonlySet<number>; readonly faults: readonly FaultClass[] }): World {
    this.#left = left
    this.world = this.#build()
    try {
      for (const what of this.#script) what(this)
    } catch (thrown) {
      if (!(thrown instanceof Found)) return this.#build()
    }
    return this.world
  }

  #violation(found: Found): Violation {
    const whole = { world: this.world, left: this.#left }
    const small = this.#how.shrink === false ? whole : shrink(this.world, found.invariant, (left) => this.#again(left))
    this.world = small.world
    const { invariant, sentence } = small.world.violation ?? { invariant: found.invariant, sentence: "" }
    const tasks = [...small.world.tasks.values()].filter(({ of }) => !small.left.tasks.has(of))
    return new Violation({
      invariant,
      sentence,
      seed: this.seed,
      at: small.world.loop.now,
      tasks: tasks.map(({ id, spec }) => `${id} (${spec.description})`),
      faults: [...small.world.struck],
      timeline: small.world.trace.lines(new Set(tasks.map(({ id }) => id))),
      replay: (this.#how.replay ?? replayLine)(this.seed),
    })
  }
}

/** An oracle has said something; caught where the simulation is run. */
class Found extends Error {
  readonly invariant: number

  constructor(invariant: number) {
    super(`invariant ${invariant}`)
    this.invariant = invariant
  }
}

/** Longer than anything is tried after the last task has ended. */
const STUCK_MS = 2 * 3_600_000

/** A simulation to be filled with tasks and faults. */
export function simulate(options: SimulateOptions = {}): Simulation {
  return new Simulation(options)
}
