/** A core, its time, and short words for what can happen to it. */

import { expect } from "bun:test"
import type { Assignment, Delivery, Effect, RunCommand } from "../../src/core/effects.ts"
import type { BareEvent, EventType } from "../../src/core/events.ts"
import type { Input } from "../../src/core/inputs.ts"
import { DEFAULTS } from "../../src/core/options.ts"
import type { Options } from "../../src/core/options.ts"
import type { NewestMessage, PollFailure, Snapshot } from "../../src/core/snapshot.ts"
import { Core } from "../../src/core/step.ts"
import type { RunRef, TaskRow, TaskSpec } from "../../src/core/task.ts"

type Of<T extends EventType> = Extract<BareEvent, { type: T }>

export const SPEC: TaskSpec = { prompt: "Do it.", description: "do it", directory: "/d", server: "s", background: true }
export const BUSY: Partial<Snapshot> = { status: { type: "busy" } }

/** An id of OpenCode's that sorts by `n`. */
export function msg(n: number): string {
  return `msg_${String(n).padStart(12, "0")}xxxxxxxxxxxxxx`
}

/** An assistant's complete answer to the prompt `parent`. */
export function answer(parent: string, of: Partial<NewestMessage> = {}): Partial<Snapshot> {
  const id = `${parent}_answer`
  const newest: NewestMessage = {
    id,
    role: "assistant",
    parentID: parent,
    completed: true,
    finish: "stop",
    summary: false,
    output: true,
    text: "The answer.",
    ...of,
  }
  return { newest, newestUser: parent, fingerprint: JSON.stringify(newest), todos: { open: 0, digest: "none" } }
}

export class CoreRig {
  readonly core: Core
  readonly options: Options
  mono = 0
  wallAtStart = 1_700_000_000_000
  /** Effects of the last step, and of all. */
  last: Effect[] = []
  readonly all: Effect[] = []
  #n = 0
  #seq = 0
  #message = 0

  constructor(options: Partial<Options> = {}) {
    this.options = { ...DEFAULTS, ...options }
    this.core = new Core(this.options)
  }

  step(input: Input): Effect[] {
    this.last = this.core.step(input, { mono: this.mono, wall: this.wallAtStart + this.mono })
    this.all.push(...this.last)
    this.#check()
    return this.last
  }

  /** Lets time go by, stopping at every deadline on the way. */
  pass(ms: number): Effect[] {
    const until = this.mono + ms
    const effects: Effect[] = []
    for (let due = this.core.nextDue(); due !== undefined && due <= until; due = this.core.nextDue()) {
      this.mono = Math.max(this.mono, due)
      effects.push(...this.step({ type: "tick" }))
    }
    this.mono = until
    this.last = effects
    return effects
  }

  launch(spec: Partial<TaskSpec> = {}, id = `bg_${String(++this.#n).padStart(8, "0")}`): string {
    this.step({ type: "launch", id, spec: { ...SPEC, ...spec } })
    return id
  }

  /** The run as its newest assignment names it. */
  ref(id: string): RunRef {
    const row = this.row(id)
    return { task: id, epoch: row.epoch, attempt: row.attempt }
  }

  row(id: string): TaskRow {
    const row = this.core.get(id, this.mono)
    if (row === undefined) throw new Error(`There is no task ${id}.`)
    return row
  }

  session(id: string, sessionID = `ses_${id}`): Effect[] {
    return this.step({ type: "session", run: this.ref(id), sessionID })
  }

  /** The server accepts the next prompt not accepted yet; returns its message id. */
  prompted(id: string): string {
    const next = this.row(id).prompts.find((prompt) => prompt.messageID === undefined)
    if (next === undefined) throw new Error(`Every prompt of ${id} is accepted.`)
    const messageID = msg(++this.#message)
    this.step({ type: "prompted", run: this.ref(id), n: next.n, messageID })
    return messageID
  }

  /** Launched, in its session, prompted. Returns its id; `prompt` is the message id. */
  running(spec: Partial<TaskSpec> = {}): { id: string; prompt: string } {
    const id = this.launch(spec)
    this.session(id)
    return { id, prompt: this.prompted(id) }
  }

  snapshot(id: string, of: Partial<Snapshot> = {}, run: RunRef = this.ref(id)): Effect[] {
    const prompts = this.row(id).prompts.filter((prompt) => prompt.messageID !== undefined).length
    const snapshot: Snapshot = { status: { type: "absent" }, prompts, ...of }
    return this.step({ type: "snapshot", run, seq: ++this.#seq, snapshot })
  }

  failedPoll(id: string, failure: PollFailure = "unreachable"): Effect[] {
    return this.step({ type: "poll-failed", run: this.ref(id), seq: ++this.#seq, failure, message: "No answer." })
  }

  /** Polls every `everyMs` for `ms`, seeing the same. */
  poll(id: string, ms: number, of: Partial<Snapshot>, everyMs: number = this.options.pollIntervalMs): void {
    for (const until = this.mono + ms; this.mono + everyMs <= until;) {
      this.pass(everyMs)
      if (this.row(id).settledAt !== undefined) return
      this.snapshot(id, of)
    }
  }

  /** Its answer is read twice: completed. */
  finish(id: string, prompt: string): void {
    this.snapshot(id, answer(prompt))
    this.snapshot(id, answer(prompt))
  }

  stopped(id: string, run: RunRef = this.ref(id)): Effect[] {
    return this.step({ type: "stopped", run, idle: true })
  }

  /** Reason, once settled. */
  reason(id: string): string | undefined {
    return this.row(id).outcome?.reason
  }

  events<T extends EventType>(type: T, effects: readonly Effect[] = this.all): Of<T>[] {
    return effects.flatMap((effect) =>
      effect.type === "emit" && effect.event.type === type ? [effect.event as Of<T>] : [],
    )
  }

  starts(effects: readonly Effect[] = this.last): Assignment[] {
    return effects.flatMap((effect) => (effect.type === "start-run" ? [effect.assignment] : []))
  }

  commands(effects: readonly Effect[] = this.last): RunCommand[] {
    return effects.flatMap((effect) => (effect.type === "command" ? [effect.command] : []))
  }

  deliveries(effects: readonly Effect[] = this.last): Delivery[] {
    return effects.flatMap((effect) => (effect.type === "deliver" ? [effect.delivery] : []))
  }

  journaled(effects: readonly Effect[] = this.last): TaskRow[] {
    return effects.flatMap((effect) => (effect.type === "journal" ? [effect.row] : []))
  }

  aborts(effects: readonly Effect[] = this.last): string[] {
    return effects.flatMap((effect) => (effect.type === "abort" ? [effect.sessionID] : []))
  }

  /** What must hold after every step whatever happened. */
  #check(): void {
    const { slots = 0, runs = 0, draining = 0, waiting = 0 } = this.core.sizes()
    expect(slots).toBeGreaterThanOrEqual(runs)
    expect(slots).toBeLessThanOrEqual(runs + draining)
    const lanes = this.core.lanes()
    expect(lanes.reduce((sum, lane) => sum + lane.queued, 0)).toBe(waiting)
    if (this.#closing()) return
    for (const { lane, used, limit, queued } of lanes) {
      if (queued > 0) expect({ lane, free: limit === null || used < limit }).toEqual({ lane, free: false })
    }
  }

  #closing(): boolean {
    return this.closing
  }

  /** Told by tests that close: nothing is granted then. */
  closing = false
}
