/** Whatever comes in, in whatever order: what must hold of the core. */
import { expect, test } from "bun:test"
import fc from "fast-check"
import type { Effect } from "../../src/core/effects.ts"
import { LanesError } from "../../src/core/errors.ts"
import type { Input } from "../../src/core/inputs.ts"
import { DEFAULTS } from "../../src/core/options.ts"
import type { Hint, Snapshot } from "../../src/core/snapshot.ts"
import { Core } from "../../src/core/step.ts"
import type { RunRef, TaskRow } from "../../src/core/task.ts"
import { answer, SPEC } from "../helpers/core-rig.ts"

const IDS = ["bg_a", "bg_b", "bg_c", "bg_d", "bg_e", "bg_f"]
const PARENTS = ["ses_p1", "ses_p2"]
const OPTIONS = {
  ...DEFAULTS,
  defaultConcurrency: 2,
  providerConcurrency: { a: 1 },
  taskTtlMs: 60_000,
  queueTtlMs: 40_000,
  staleTimeoutMs: 20_000,
  toolStaleTimeoutMs: 40_000,
  serverLostMs: 15_000,
  retainMs: 60_000,
  maxPerRoot: 4,
  maxQueued: 3,
  todoNudges: 1,
}

const id = fc.constantFrom(...IDS)
const parentID = fc.constantFrom(...PARENTS)
const hint: fc.Arbitrary<Hint> = fc.constantFrom<Hint>(
  { type: "delta" },
  { type: "idle" },
  { type: "step-end" },
  { type: "deleted" },
  { type: "error", name: "UnknownError", message: "agent not found" },
  { type: "error", name: "MessageAbortedError", message: "" },
  { type: "ask", ask: { id: "per_1", permission: "bash", patterns: [] } },
  { type: "answered", askID: "per_1", rejected: true },
  { type: "todos", todos: { open: 1, digest: "x" } },
  { type: "part", tool: "bash" },
)
const seen = fc.constantFrom<(prompt: string) => Partial<Snapshot>>(
  () => ({ status: { type: "busy" } }),
  () => ({ status: { type: "retry", attempt: 1, message: "429", inMs: 5_000 } }),
  () => ({}),
  () => ({ newest: null }),
  (prompt) => answer(prompt),
  (prompt) => answer(prompt),
  (prompt) => answer(prompt, { finish: "tool-calls" }),
  (prompt) => answer(prompt, { completed: false }),
  (prompt) => answer(prompt, { error: { name: "MessageAbortedError", message: "" } }),
  (prompt) => answer(prompt, { error: { name: "APIError", message: "no" } }),
  (prompt) => ({ ...answer(prompt), todos: { open: 1, digest: "x" } }),
)

/** What happens next, about a task as it then is; `old` refers to an attempt or epoch that is over. */
type Move =
  | { do: "launch"; id: string; parent?: string; model?: string }
  | {
      do: "continue" | "cancel" | "session" | "prompted" | "failed" | "stopped" | "lost" | "read" | "told"
      id: string
      old: boolean
    }
  | { do: "snapshot"; id: string; old: boolean; of: (prompt: string) => Partial<Snapshot> }
  | { do: "poll-failed"; id: string; old: boolean }
  | { do: "hint"; id: string; of: Hint }
  | { do: "input"; of: Input }
  | { do: "pass"; ms: number }

const old = fc.integer({ min: 0, max: 9 }).map((n) => n === 0)
const move: fc.Arbitrary<Move> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("launch" as const),
      id,
      parent: parentID,
      model: fc.constantFrom("a/m", "b/m"),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("launch" as const), id }) },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constantFrom(
        "continue",
        "cancel",
        "session",
        "prompted",
        "prompted",
        "failed",
        "stopped",
        "stopped",
        "lost",
        "read",
        "told",
      ),
      id,
      old,
    }) as fc.Arbitrary<Move>,
  },
  { weight: 8, arbitrary: fc.record({ do: fc.constant("snapshot" as const), id, old, of: seen }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("poll-failed" as const), id, old }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("hint" as const), id, of: hint }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("input" as const),
      of: fc.constantFrom<Input>(
        { type: "events", directory: "/d", alive: true },
        { type: "events", directory: "/d", alive: false },
        { type: "server-restarted" },
        { type: "instance", directory: "/d", state: "disposed" },
        { type: "instance", directory: "/d", state: "loaded" },
        { type: "limits", limits: { defaultConcurrency: 1 } },
        { type: "limits", limits: { defaultConcurrency: 3, providerConcurrency: {} } },
        { type: "limits", limits: { providerConcurrency: { a: 0, b: 1 } } },
        { type: "parent-deleted", sessionID: "ses_p1" },
        { type: "parent-aborted", sessionID: "ses_p2" },
        { type: "delivery-failed", parent: "ses_p1", message: "" },
        { type: "delivery-failed", parent: "ses_p2", message: "", gone: true },
      ),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant("pass" as const), ms: fc.constantFrom(0, 1, 500, 2_000, 7_000, 30_000) }),
  },
)

class World {
  readonly core = new Core(OPTIONS)
  readonly effects: Effect[] = []
  /** Inputs as they were, to be played again. */
  readonly log: { input: Input; mono: number }[] = []
  mono = 0
  #n = 0

  play(next: Move): void {
    if (next.do === "pass") return this.pass(next.ms)
    const input = this.#input(next)
    if (input === undefined) return
    const command = next.do === "launch" || next.do === "continue" || next.do === "cancel"
    const before = command ? this.#rows() : ""
    try {
      this.feed(input)
    } catch (thrown) {
      // Only commands are refused, and a refused one changes nothing.
      expect({ thrown, refused: command && thrown instanceof LanesError }).toMatchObject({ refused: true })
      expect(this.#rows()).toBe(before)
    }
  }

  pass(ms: number): void {
    const until = this.mono + ms
    for (let due = this.core.nextDue(); due !== undefined && due <= until; due = this.core.nextDue()) {
      this.mono = Math.max(this.mono, due)
      this.feed({ type: "tick" })
    }
    this.mono = until
  }

  feed(input: Input): void {
    this.log.push({ input, mono: this.mono })
    const dead = this.#isDead(input)
    const { ignored } = this.core
    const effects = this.core.step(input, { mono: this.mono, wall: 1e12 + this.mono })
    this.effects.push(...effects)
    // Late, duplicate or old: counted, and nothing but deadlines that happened to come.
    if (dead && (this.core.nextDue() ?? Infinity) > this.mono) expect(this.core.ignored).toBe(ignored + 1)
    this.check()
  }

  /** All rows, but for the time that goes by. */
  #rows(): string {
    return JSON.stringify([...this.core.list()].map((row) => ({ ...row, ranMs: 0 })))
  }

  /** A report of a run that is not the task's live one. */
  #isDead(input: Input): boolean {
    if (!("run" in input) || input.type === "stopped") return false
    const row = this.core.get(input.run.task)
    return row?.state !== "running" || row.epoch !== input.run.epoch || row.attempt !== input.run.attempt
  }

  check(): void {
    const sizes = this.core.sizes()
    const rows = [...this.core.list()]
    expect(sizes.runs).toBe(rows.filter((row) => row.state === "running").length)
    expect(sizes.waiting).toBe(rows.filter((row) => row.state === "pending").length)
    // Each running task owns one slot; the rest is owned by those that are leaving.
    expect(sizes.slots).toBeGreaterThanOrEqual(sizes.runs as number)
    expect(sizes.slots).toBeLessThanOrEqual((sizes.runs as number) + (sizes.draining as number))
    for (const { used, limit, queued } of this.core.lanes()) {
      if (queued > 0) expect(limit !== null && used >= limit).toBe(true)
    }
    for (const parent of PARENTS) {
      const live = rows.filter((row) => row.spec.parent?.sessionID === parent && row.settledAt === undefined)
      expect(live.length).toBeLessThanOrEqual(OPTIONS.maxPerRoot)
    }
  }

  #input(next: Exclude<Move, { do: "pass" }>): Input | undefined {
    if (next.do === "input") return next.of
    if (next.do === "launch") {
      const parent = next.parent === undefined ? {} : { parent: { sessionID: next.parent, batch: "turn" } }
      return {
        type: "launch",
        id: next.id,
        spec: { ...SPEC, ...parent, ...(next.model === undefined ? {} : { model: next.model }) },
      }
    }
    if (next.do === "hint") return { type: "hint", sessionID: `ses_${next.id}`, hint: next.of }
    const row = this.core.get(next.id)
    if (next.do === "continue") return { type: "continue", id: next.id, prompt: "More." }
    if (next.do === "cancel") return { type: "cancel", id: next.id, reason: "USER" }
    if (row === undefined) return undefined
    const run: RunRef = { task: row.id, epoch: row.epoch, attempt: next.old ? row.attempt - 1 : row.attempt }
    const at = `msg_${String(++this.#n).padStart(6, "0")}`
    const accepted = row.prompts.filter((prompt) => prompt.messageID !== undefined)
    switch (next.do) {
      case "session":
        return { type: "session", run, sessionID: `ses_${row.id}` }
      case "prompted":
        return { type: "prompted", run, n: accepted.length, messageID: at }
      case "failed":
        return { type: "failed", run, reason: "SESSION_ERROR", message: "No." }
      case "stopped":
        return { type: "stopped", run, idle: true }
      case "lost":
        return { type: "worker-lost", worker: "w", cause: "crash", runs: [run] }
      case "read":
        return { type: "read", id: row.id }
      case "told":
        return { type: "told", id: row.id, epoch: next.old ? row.epoch - 1 : row.epoch, proof: at }
      case "poll-failed":
        return { type: "poll-failed", run, seq: this.#n, failure: "unreachable", message: "" }
      case "snapshot": {
        const prompt = accepted.at(-1)?.messageID ?? at
        return {
          type: "snapshot",
          run,
          seq: this.#n,
          snapshot: { status: { type: "absent" }, prompts: accepted.length, ...next.of(prompt) },
        }
      }
    }
  }

  /** Settled words by task and epoch, in order. */
  settled(): string[] {
    return this.effects.flatMap((effect) =>
      effect.type === "emit" && effect.event.type === "task:settled"
        ? [`${effect.event.id}:${effect.event.epoch}`]
        : [],
    )
  }

  /** Launched and continued epochs, by task; ids come back after retention. */
  queued(): string[] {
    return this.effects.flatMap((effect) =>
      effect.type === "emit" && effect.event.type === "task:queued" ? [`${effect.event.id}:${effect.event.epoch}`] : [],
    )
  }
}

test("every epoch is settled exactly once, in bounds, and then everything is empty again", () => {
  fc.assert(
    fc.property(fc.array(move, { maxLength: 150, size: "max" }), (moves) => {
      const world = new World()
      for (const next of moves) world.play(next)
      const unsettled = (): TaskRow[] => [...world.core.list()].filter((row) => row.settledAt === undefined)
      world.pass(OPTIONS.queueTtlMs + OPTIONS.taskTtlMs)
      expect(unsettled()).toEqual([])
      expect(world.settled().toSorted()).toEqual(world.queued().toSorted())
      for (const parent of PARENTS) world.feed({ type: "delivery-failed", parent, message: "", gone: true })
      world.pass(OPTIONS.retainMs + 60_000)
      expect(Object.entries(world.core.sizes()).filter(([, size]) => size !== 0)).toEqual([])
    }),
    { numRuns: 300 },
  )
})

test("each token is given back once: granted and released are equal in number at the end", () => {
  fc.assert(
    fc.property(fc.array(move, { maxLength: 100, size: "max" }), (moves) => {
      const world = new World()
      for (const next of moves) world.play(next)
      world.pass(OPTIONS.queueTtlMs + OPTIONS.taskTtlMs + 20_000)
      const count = (type: string): number =>
        world.effects.filter((effect) => effect.type === "emit" && effect.event.type === type).length
      expect(count("lane:released")).toBe(count("lane:granted"))
    }),
    { numRuns: 100 },
  )
})

test("the journal's last rows are the truth", () => {
  fc.assert(
    fc.property(fc.array(move, { maxLength: 100, size: "max" }), (moves) => {
      const world = new World()
      for (const next of moves) world.play(next)
      const rows = new Map<string, TaskRow>()
      for (const effect of world.effects) {
        if (effect.type === "journal") rows.set(effect.row.id, effect.row)
        if (effect.type === "forget") rows.delete(effect.id)
      }
      const durable = ({
        id: of,
        epoch,
        state,
        prompts,
        sessionID,
        notice,
        outcome,
        attempt,
        crashes,
        resumes,
        nudges,
      }: TaskRow): unknown => ({
        of,
        epoch,
        state,
        prompts,
        sessionID,
        notice,
        outcome,
        attempt,
        crashes,
        resumes,
        nudges,
      })
      expect([...world.core.list()].map(durable)).toEqual(
        [...world.core.list()].map((row) => durable(rows.get(row.id) as TaskRow)),
      )
    }),
    { numRuns: 100 },
  )
})

test("a recorded log of inputs plays to the same effects", () => {
  fc.assert(
    fc.property(fc.array(move, { maxLength: 100, size: "max" }), (moves) => {
      const world = new World()
      for (const next of moves) world.play(next)
      const core = new Core(OPTIONS)
      const again: Effect[] = []
      for (const { input, mono } of world.log) {
        try {
          again.push(...core.step(input, { mono, wall: 1e12 + mono }))
        } catch {
          // Refused then, refused now.
        }
      }
      expect(JSON.stringify(again)).toBe(JSON.stringify(world.effects))
    }),
    { numRuns: 50 },
  )
})
