import type { SessionStatus } from "../core/snapshot.ts"
import { todosOf } from "../core/todos.ts"
import type { Act } from "./agent.ts"
import type { Dice } from "./dice.ts"
import type { Range } from "./duration.ts"
import { newMessage, Pen } from "./pen.ts"
import type { Desk } from "./pen.ts"
import type { SimMessage, SimSession } from "./session.ts"

/** What a playing agent needs of its server. */
export interface Stage extends Desk {
  readonly dice: Dice
  /** What a prompt of this text asks the agent to do. */
  scriptOf(session: SimSession, text: string): readonly Act[] | undefined
  /** Its status changed. */
  changed(session: SimSession, status: SessionStatus | undefined): void
}

/** Deltas are told at most once a second. */
const DELTA_MS = 1_000
/** A talking tool says something this often. */
const TOOL_DELTA_MS = 5_000
/** What it answers to a prompt that no script speaks of. */
const EPILOGUE: readonly Act[] = [
  { do: "think", for: { min: 1_000, max: 4_000 } },
  { do: "done", text: "Went on and finished.", finish: "stop" },
]

/**
 * Plays the script of one session the way OpenCode runs a model: step by step, each an assistant message.
 *
 *   prompt ─45–65 ms─▶ busy ─▶ step ─▶ step ─▶ … ─▶ answer ─▶ absent
 *                               └ tool-calls │ unknown: another step; new prompts are taken in between steps
 */
export class Player {
  /** A turn was asked for and has not ended: the truth, whatever the server says. */
  working = false
  /** Somebody pressed escape in it. */
  escaped = false
  /** Prompts it has begun to answer. */
  readonly taken: Set<string> = new Set()
  readonly #session: SimSession
  readonly #stage: Stage
  readonly #pen: Pen
  #acts: readonly Act[] = []
  #at = 0
  #undo: () => void = () => {}
  #started = false
  #hidden = false
  #throws = 0
  #left: { keep: number; afterNudges: number } = { keep: 0, afterNudges: 0 }
  #nudges = 0
  #tries = 0

  constructor(session: SimSession, stage: Stage) {
    this.#session = session
    this.#stage = stage
    this.#pen = new Pen(session, stage)
  }

  /** When the agent last did anything. */
  get movedAt(): number {
    return this.#pen.movedAt
  }

  /** When REST last showed that it did. */
  get visibleAt(): number {
    return this.#pen.visibleAt
  }

  /** The script was played to its end. */
  get finished(): boolean {
    return this.#at >= this.#acts.length
  }

  /** Nothing is under way and nothing that was asked waits. */
  get done(): boolean {
    return !this.working && this.finished && this.#untaken().length === 0
  }

  /** Its agent runs a tool now. */
  get tool(): boolean {
    return this.#pen.tool
  }

  /** A prompt was stored: a turn begins, or the next step takes it in. */
  prompted(cold: boolean): void {
    if (this.working) return
    this.working = true
    this.#started = false
    this.#later(cold ? { min: 45, max: 65 } : { min: 3, max: 25 }, () => {
      this.#started = true
      this.#tell({ type: "busy" })
      this.#turn()
    })
  }

  /** Aborts the turn; before it has begun nothing is there to abort. */
  abort(): void {
    if (!this.working || !this.#started) return
    this.#later({ min: 100, max: this.tool ? 400 : 150 }, () =>
      this.cut({ name: "MessageAbortedError", message: "Aborted" }),
    )
  }

  /** The turn ends here, with an error on its message. OpenCode says idle first, and again once the message is closed. */
  cut(error: { readonly name: string; readonly message: string }): void {
    if (!this.working) return
    const waiting = this.#retrying
    this.#undo()
    // What was queued is stored, and answered no more.
    for (const { id } of this.#untaken()) this.taken.add(id)
    this.#stage.hint(this.#session, { type: "idle" })
    const message = this.#pen.message
    this.#later({ min: 2, max: 8 }, () => {
      if (message !== undefined) {
        this.#pen.breakTools()
        // An abort in the pause before a retry leaves no error.
        if (!waiting || error.name !== "MessageAbortedError") message.error = error
        message.completed = true
        this.#pen.show(message)
      }
      if (!waiting) this.#stage.hint(this.#session, { type: "error", ...error })
      this.#rest()
    })
  }

  /** The process is gone: nothing is told, the message stays open. */
  kill(): void {
    this.#undo()
    this.working = false
    this.#started = false
    this.#pen.drop()
    this.#hidden = false
    this.#session.asks.clear()
    this.#stage.changed(this.#session, undefined)
  }

  /** An ask was answered; without a word to the model its turn ends. */
  answered(askID: string, message: string | undefined): void {
    if (!this.#session.asks.delete(askID)) return
    this.#stage.hint(this.#session, { type: "answered", askID, rejected: true })
    this.#pen.breakTools()
    this.#at++
    this.#pen.close("tool-calls")
    if (message === undefined) {
      this.#at = this.#acts.length
      this.#rest()
    } else {
      this.#next()
    }
  }

  // ── One act after the other ──

  #turn(): void {
    const untaken = this.#untaken()
    if (this.finished && untaken.length === 0) return this.#rest()
    for (const user of untaken) this.#take(user)
    if (this.finished) {
      this.#at = 0
      this.#acts = EPILOGUE
      this.#nudges++
      if (this.#nudges >= this.#left.afterNudges) this.#left = { keep: 0, afterNudges: 0 }
    }
    this.#act()
  }

  #take(user: SimMessage): void {
    this.taken.add(user.id)
    const [part] = user.parts
    const script = part?.type === "text" ? this.#stage.scriptOf(this.#session, part.text) : undefined
    if (script === undefined) return
    this.#acts = script
    this.#at = 0
    this.#nudges = 0
    this.#left = { keep: 0, afterNudges: 0 }
  }

  #act(): void {
    const act = this.#acts[this.#at]
    if (act === undefined) return this.#turn()
    switch (act.do) {
      case "think":
        this.#pen.open()
        return this.#later(act.for, () => this.#on())
      case "stream":
        this.#pen.open()
        return this.#talk(this.#ms(act.for), DELTA_MS, () => this.#on())
      case "tool":
        return this.#runTool(act.name, this.#ms(act.for), !act.silent, () => this.#step())
      case "todos":
        this.#left = { keep: act.left, afterNudges: act.afterNudges }
        return this.#write(
          Array.from({ length: act.count }, (_, i) => ({ content: `part ${i + 1}`, status: "pending" })),
        )
      case "list":
        this.#left = { keep: act.todos.length, afterNudges: Number.POSITIVE_INFINITY }
        return this.#write(act.todos)
      case "idle":
        if (act.where === "within") this.#pen.open()
        else if (this.#pen.message !== undefined) {
          this.#pen.message.parts.push({ type: "tool", name: "read", state: "completed", size: 9 })
          this.#pen.close("tool-calls")
        }
        return this.#flap(act.times, act.for)
      case "hang":
        this.#pen.open()
        return
      case "chatter":
        this.#pen.open()
        return this.#talk(Number.POSITIVE_INFINITY, DELTA_MS, () => {})
      case "retry":
        return this.#retry(act)
      case "truncate":
        this.#pen.open()
        return this.#later({ min: 500, max: 2_000 }, () => {
          this.#pen.close("unknown")
          if (++this.#tries < act.times) return this.#next()
          this.#tries = 0
          this.#step()
        })
      case "compact":
        return this.#compact()
      case "ask":
        return this.#ask(act.permission, act.patterns)
      case "escape":
        this.#pen.open()
        this.#at++
        this.escaped = true
        return this.cut({ name: "MessageAbortedError", message: "Aborted" })
      case "fail":
        this.#pen.open()
        this.#at++
        return this.cut({ name: act.name, message: act.message })
      case "done":
        return this.#answer(act.text, act.finish)
    }
  }

  /** The next act, in the same model step. */
  #on(): void {
    this.#at++
    this.#act()
  }

  /** The next act, in a step of its own. */
  #step(): void {
    this.#at++
    this.#next()
  }

  /** Between two steps new prompts are taken in. */
  #next(): void {
    this.#later({ min: 2, max: 20 }, () => {
      if (!this.finished) for (const user of this.#untaken()) this.#take(user)
      this.#act()
    })
  }

  #runTool(name: string, ms: number, talks: boolean, then: () => void): void {
    const part = this.#pen.startTool(name)
    this.#stage.hint(this.#session, { type: "part", tool: name })
    this.#talk(ms, talks ? TOOL_DELTA_MS : Number.POSITIVE_INFINITY, () => {
      part.state = "completed"
      part.size = 10
      this.#stage.hint(this.#session, { type: "part", tool: null })
      this.#pen.close("tool-calls")
      then()
    })
  }

  #write(todos: SimSession["todos"]): void {
    this.#runTool("todowrite", 20, false, () => {
      this.#session.todos = todos
      this.#pen.moved()
      this.#stage.hint(this.#session, { type: "todos", todos: todosOf(todos) })
      this.#step()
    })
  }

  /** Works for so long and says so every so often. */
  #talk(ms: number, everyMs: number, then: () => void): void {
    if (ms <= everyMs) return this.#later({ min: ms, max: ms }, then)
    this.#later({ min: everyMs, max: everyMs }, () => {
      this.#pen.moved()
      this.#stage.hint(this.#session, { type: "delta" })
      this.#talk(ms - everyMs, everyMs, then)
    })
  }

  #flap(times: number, span: Range): void {
    this.#hidden = true
    this.#stage.changed(this.#session, undefined)
    this.#stage.hint(this.#session, { type: "idle" })
    this.#later(span, () => {
      this.#hidden = false
      this.#tell({ type: "busy" })
      if (times <= 1) return this.#step()
      this.#later({ min: 20, max: 150 }, () => this.#flap(times - 1, span))
    })
  }

  #retry(act: Extract<Act, { do: "retry" }>): void {
    this.#pen.open()
    const attempt = ++this.#tries
    const message = act.status === 429 ? "Too Many Requests" : "Internal Server Error"
    if (attempt > act.times) {
      this.#tries = 0
      this.#at++
      return act.fatal ? this.cut({ name: "APIError", message }) : this.#act()
    }
    const ms = act.after === undefined ? Math.min(30_000, 2_000 * 2 ** (attempt - 1)) : this.#ms(act.after)
    this.#tell({ type: "retry", attempt, message, inMs: ms })
    this.#later({ min: ms, max: ms }, () => {
      this.#tell({ type: "busy" })
      this.#later({ min: 50, max: 500 }, () => this.#retry(act))
    })
  }

  #compact(): void {
    this.#pen.close("tool-calls")
    this.#later({ min: 5, max: 20 }, () => {
      this.#synthetic("What did we do so far?")
      const summary = this.#pen.open()
      summary.summary = true
      this.#later({ min: 1_000, max: 3_000 }, () => {
        this.#pen.close("stop")
        // For a moment it may look as if that had been the answer.
        this.#hidden = true
        this.#stage.changed(this.#session, undefined)
        this.#stage.hint(this.#session, { type: "idle" })
        this.#later({ min: 5, max: 200 }, () => {
          this.#hidden = false
          this.#tell({ type: "busy" })
          this.#synthetic("Continue if you have next steps")
          this.#step()
        })
      })
    })
  }

  /** A user message of OpenCode's own. */
  #synthetic(text: string): void {
    const id = this.#stage.nextID("msg")
    this.taken.add(id)
    this.#session.messages.push(
      newMessage(id, "user", this.#stage.loop.wall, undefined, [{ type: "text", text, synthetic: true }]),
    )
  }

  #ask(permission: string, patterns: readonly string[]): void {
    const denied = this.#session.permission.findLast(
      (rule) => rule.permission === permission || rule.permission === "*",
    )
    const part = this.#pen.startTool(permission)
    if (denied?.action === "deny") {
      part.state = "error"
      this.#pen.close("tool-calls")
      return this.#step()
    }
    this.#stage.hint(this.#session, { type: "part", tool: permission })
    this.#later({ min: 5, max: 50 }, () => {
      const ask = { id: this.#stage.nextID(permission === "question" ? "que" : "per"), permission, patterns }
      this.#session.asks.set(ask.id, ask)
      this.#stage.hint(this.#session, { type: "ask", ask })
    })
  }

  #answer(text: string, finish: "stop" | "length"): void {
    const { todos } = this.#session
    const open = todos.filter(({ status }) => status !== "completed" && status !== "cancelled").length
    if (open > this.#left.keep) {
      const keepFrom = todos.length - this.#left.keep
      const closed = todos.map((todo, i) => (i < keepFrom ? { ...todo, status: "completed" } : todo))
      return this.#runTool("todowrite", 20, false, () => {
        this.#session.todos = closed
        this.#pen.moved()
        this.#stage.hint(this.#session, { type: "todos", todos: todosOf(closed) })
        this.#next()
      })
    }
    const message = this.#pen.open()
    message.parts.push({ type: "text", text, synthetic: false })
    this.#at++
    this.#pen.close(finish)
    // Whoever asked meanwhile is answered before the session goes idle.
    this.#later({ min: 1, max: 15 }, () => this.#turn())
  }

  // ── Status ──

  #rest(): void {
    this.#undo()
    this.working = false
    this.#started = false
    this.#pen.drop()
    this.#hidden = false
    this.#tries = 0
    this.#session.asks.clear()
    this.#retrying = false
    this.#stage.changed(this.#session, undefined)
    this.#stage.hint(this.#session, { type: "idle" })
    if (this.#untaken().length > 0) this.prompted(false)
  }

  #retrying = false

  #tell(status: SessionStatus): void {
    this.#retrying = status.type === "retry"
    if (!this.#hidden) this.#stage.changed(this.#session, status)
  }

  #untaken(): SimMessage[] {
    return this.#session.messages.filter(({ id, role, quiet }) => role === "user" && !quiet && !this.taken.has(id))
  }

  // ── Time ──

  #ms(range: Range): number {
    if (range.min === range.max) return range.min
    return range.min + (range.max - range.min) * this.#stage.dice.unit("agent", this.#session.of, ++this.#throws)
  }

  #later(range: Range, then: () => void): void {
    this.#undo()
    this.#undo = this.#stage.loop.after(this.#ms(range), then)
  }
}
