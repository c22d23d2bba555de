import type { MessagesPage } from "../src/coordinator/ports.ts"
import type { Assignment, RunCommand } from "../src/core/effects.ts"
import { LanesError } from "../src/core/errors.ts"
import { BOUNDS } from "../src/core/options.ts"
import type { PollFailure, Snapshot } from "../src/core/snapshot.ts"
import type { ErrorReason, Prompt } from "../src/core/task.ts"
import type { RunPorts } from "./run-ports.ts"
import { deleteDoubles, leaveSession } from "./leave-session.ts"
import type { OpenSession } from "./open-session.ts"
import { openSession } from "./open-session.ts"
import { pause, RunFailure } from "./patience.ts"
import { PromptSender } from "./send-prompt.ts"

/** A run under way. */
export interface DrivenRun {
  command(command: RunCommand): void
  /** Resolves when the run has left its session, after `stopped` or `failed` was reported. Rejects only on a bug. */
  readonly done: Promise<void>
}

/** The newest message is read at every poll that may be the last, else only every so many ticks. */
const DEEP_EVERY = 5
/** The second read of a finished answer comes at once. */
const CONFIRM_MS = 5
const CHECK_MESSAGES = 200
const DEEPEST = 21

/** The loop of one run: opens its session, prompts it, and polls until told to stop. Decides nothing about completion. */
export function driveSession(assignment: Assignment, ports: RunPorts): DrivenRun {
  const driver = new SessionDriver(assignment, ports)
  return { command: (command) => driver.command(command), done: driver.drive() }
}

class SessionDriver {
  readonly #assignment: Assignment
  readonly #ports: RunPorts
  readonly #orders: Prompt[]
  /** When each prompt of this attempt was accepted, on our clock. */
  readonly #acceptedAt: number[] = []
  /** When a prompt of this attempt last went out, or was accepted. */
  #promptedAt: number | undefined
  readonly #stopping = new AbortController()
  #abort = false
  /** Our session is known to the coordinator. */
  #told = false
  #seq = 0
  #tick = 0
  #poked = false
  #wake: () => void = () => {}
  /** Fingerprint of the last answer seen while idle: it is read once more, with the TODOs, before it can count. */
  #confirmed: string | undefined
  /** Newest assistant message and whether it was complete, when last read. */
  #seen: string | undefined
  #infoDue = false
  /** How many messages a look at a busy session must read to see the answer behind the prompts that wait in line. */
  #depth = 1
  readonly #replies = new Set<Promise<void>>()

  constructor(assignment: Assignment, ports: RunPorts) {
    this.#assignment = assignment
    this.#ports = ports
    this.#orders = [...assignment.prompts]
  }

  command(command: RunCommand): void {
    switch (command.type) {
      case "poke":
        this.#poked = true
        break
      case "prompt":
        this.#orders.push(command.prompt)
        break
      case "reply":
        this.#reply(command.askID, command.message)
        return
      case "stop":
        this.#abort = command.abort
        this.#stopping.abort()
    }
    this.#wake()
  }

  async drive(): Promise<void> {
    const { run, accepted } = this.#assignment
    const { api, report } = this.#ports
    let opened: OpenSession | undefined
    try {
      opened = await openSession(this.#assignment, api, this.#patience())
      if (opened !== undefined && !this.#stopped) {
        this.#told = true
        report({
          type: "session",
          run,
          sessionID: opened.id,
          ...(opened.todos === undefined ? {} : { todos: opened.todos }),
        })
        await this.#loop(opened, accepted > 0)
      }
    } catch (thrown) {
      const failure = failureOf(thrown)
      // A run that was told to stop is refused all but its farewell.
      if (failure === "moved on" && !this.#stopped) return
      if (failure !== "moved on" && !this.#stopped) {
        // It may be working on an earlier prompt, or on one whose answers were lost; deleted sessions go on streaming, too.
        if (opened !== undefined) await leaveSession(this.#left(opened, true), this.#ports)
        else if (this.#assignment.sessionID === undefined) await deleteDoubles(this.#assignment, undefined, api)
        // It may have been deleted with its conversation, of which word comes later.
        const orphaned = failure.reason === "SESSION_GONE" && this.#assignment.parentSessionID !== undefined
        if (orphaned) await this.#patience().sleep(BOUNDS.orphanMs)
        // Told to stop meanwhile: that is what is waited for.
        if (this.#stopped) report({ type: "stopped", run, idle: true })
        else report({ type: "failed", run, reason: failure.reason, message: failure.message })
        return
      }
    }
    if (opened === undefined && this.#abort && this.#assignment.sessionID === undefined) {
      await deleteDoubles(this.#assignment, undefined, api)
    }
    const left = opened ?? this.#taken()
    const idle = left === undefined || (await leaveSession(this.#left(left, this.#abort), this.#ports))
    await Promise.allSettled(this.#replies)
    report({ type: "stopped", run, idle })
  }

  async #loop(session: OpenSession, look: boolean): Promise<void> {
    const sender = new PromptSender(this.#assignment, session, this.#ports.api, this.#patience())
    let check = this.#assignment.check
    let pollNow = look
    while (!this.#stopped) {
      for (let order = this.#orders[0]; order !== undefined && !this.#stopped; order = this.#orders[0]) {
        const messageID = await this.#send(sender, order, check)
        if (messageID === undefined) return
        this.#orders.shift()
        this.#acceptedAt.push(this.#ports.clock.now())
        this.#ports.report({ type: "prompted", run: this.#assignment.run, n: order.n, messageID })
      }
      check = false
      if (pollNow || this.#poked) this.#poked = false
      else if ((await this.#untilTick()) === "order") continue
      if (this.#stopped) return
      pollNow = await this.#poll(session)
      if (pollNow) await this.#sleep(CONFIRM_MS)
    }
  }

  /** However it ends, until then the server may have begun with it. */
  async #send(sender: PromptSender, order: Prompt, check: boolean): Promise<string | undefined> {
    const { clock } = this.#ports
    this.#promptedAt = clock.now()
    try {
      return await sender.send(order, check ? CHECK_MESSAGES : 0)
    } finally {
      this.#promptedAt = clock.now()
    }
  }

  /** One look at the session; true when another one should follow at once. */
  async #poll(session: OpenSession): Promise<boolean> {
    const { run } = this.#assignment
    const seq = ++this.#seq
    try {
      const { snapshot, again } = await this.#look(session)
      if (this.#stopped) return false
      this.#ports.report({ type: "snapshot", run, seq, snapshot })
      return again
    } catch (thrown) {
      if (this.#stopped) return false
      const error = LanesError.from(thrown, "GARBLED")
      if (error.code === "NOT_FOUND" || error.code === "RUN_MOVED_ON") throw error
      this.#ports.report({ type: "poll-failed", run, seq, failure: failureKind(error), message: error.message })
      return false
    }
  }

  async #look(session: OpenSession): Promise<{ snapshot: Snapshot; again: boolean }> {
    const { directory, accepted, maxResultChars } = this.#assignment
    const { api } = this.#ports
    const { signal } = this.#stopping
    const { askedAt, of } = await api.status(directory, signal)
    const prompts = accepted + this.#acceptedAt.filter((at) => at <= askedAt).length
    const status = of[session.id] ?? { type: "absent" as const }
    const idle = status.type === "absent"
    // Spread over the ticks, so that many runs do not read at once; asks are shared, so those come together.
    const deep = idle || (this.#tick + session.spread) % DEEP_EVERY === 0
    const [page, todos, asks, info] = await Promise.all([
      deep
        ? api.newest(
            directory,
            session.id,
            { limit: idle ? Math.max(3, this.#depth) : this.#depth, maxChars: maxResultChars },
            signal,
          )
        : undefined,
      idle && this.#confirmed !== undefined ? api.todos(directory, session.id, signal).catch(skip) : undefined,
      !idle && this.#tick % DEEP_EVERY === 0 ? api.asks(directory, signal).catch(skip) : undefined,
      deep && this.#infoDue ? api.get(directory, session.id, signal) : undefined,
    ])
    const answer = idle && page?.newest?.role === "assistant" && page.newest.completed
    if (info !== undefined) this.#infoDue = false
    if (page !== undefined) this.#seeMessage(page)
    const snapshot: Snapshot = {
      status,
      ageMs: Math.max(0, this.#ports.clock.now() - askedAt),
      prompts,
      ...(page === undefined ? {} : { newest: page.newest, fingerprint: page.fingerprint }),
      ...(page?.newestUser === undefined ? {} : { newestUser: page.newestUser }),
      ...(todos === undefined ? {} : { todos }),
      ...(asks === undefined ? {} : { asks: asks[session.id] ?? [] }),
      ...(info === undefined ? {} : { tokens: info.tokens, cost: info.cost }),
    }
    return { snapshot, again: answer && this.#unconfirmed(page) }
  }

  /** Tokens and cost move with whole messages: they are read again, with the next look, after each. */
  #seeMessage({ newest, fingerprint }: MessagesPage): void {
    if (newest?.role !== "user") this.#depth = 1
    else if (fingerprint === "") this.#depth = Math.min(this.#depth + 2, DEEPEST)
    const seen = newest?.role === "assistant" ? `${newest.id}:${newest.completed}` : undefined
    // A deleted session has no messages either, and its status may stay busy: asking for it tells.
    if (newest === null) this.#infoDue = true
    if (seen === undefined || seen === this.#seen) return
    this.#seen = seen
    this.#infoDue = true
  }

  #unconfirmed(page: MessagesPage | undefined): boolean {
    if (page === undefined || page.fingerprint === this.#confirmed) return false
    this.#confirmed = page.fingerprint
    return true
  }

  /** Sleeps to the next tick of a grid all runs share, so that their status calls are one. */
  async #untilTick(): Promise<"tick" | "poke" | "order"> {
    const { clock } = this.#ports
    const { pollIntervalMs } = this.#assignment
    await this.#sleep(pollIntervalMs - (clock.now() % pollIntervalMs))
    if (this.#orders.length > 0) return "order"
    this.#tick = Math.floor(clock.now() / pollIntervalMs)
    const poked = this.#poked
    this.#poked = false
    return poked ? "poke" : "tick"
  }

  #sleep(ms: number): Promise<void> {
    if (this.#stopped || this.#poked || this.#orders.length > 0) return Promise.resolve()
    return new Promise((resolve) => {
      const undo = this.#ports.clock.setTimer(ms, () => this.#wake())
      this.#wake = () => {
        this.#wake = () => {}
        undo()
        resolve()
      }
    })
  }

  #reply(askID: string, message: string): void {
    const { directory } = this.#assignment
    const { api } = this.#ports
    const reply = this.#patience()
      .persist(() => api.reject(directory, askID, message, this.#stopping.signal))
      .then(undefined, skip)
      .finally(() => this.#replies.delete(reply))
    this.#replies.add(reply)
  }

  #patience(): ReturnType<typeof pause> {
    const { run } = this.#assignment
    const { clock, report } = this.#ports
    return pause(clock, this.#stopping.signal, (error) => {
      report({ type: "poll-failed", run, seq: ++this.#seq, failure: failureKind(error), message: error.message })
    })
  }

  /** A session an earlier attempt may have prompted: it is left like one that was opened. */
  #taken(): OpenSession | undefined {
    const { sessionID, accepted, check } = this.#assignment
    if (sessionID === undefined || (accepted === 0 && !check)) return undefined
    return { id: sessionID, created: false, doubtful: false, createdAt: 0, spread: 0 }
  }

  #left(session: OpenSession, abort: boolean): Parameters<typeof leaveSession>[0] {
    return {
      assignment: this.#assignment,
      session,
      abort,
      unused: session.created && !this.#told,
      ...(this.#promptedAt === undefined ? {} : { promptedAt: this.#promptedAt }),
    }
  }

  get #stopped(): boolean {
    return this.#stopping.signal.aborted
  }
}

/** What could not be read this time is left out of the snapshot. */
function skip(): undefined {
  return undefined
}

function failureKind(error: LanesError): PollFailure {
  if (error.code === "SERVER_UNREACHABLE") return "unreachable"
  if (error.code === "RELOADING") return "reloading"
  if (error.code === "SERVER_TIMEOUT") return "timeout"
  return error.code === "GARBLED" ? "garbled" : "refused"
}

function failureOf(thrown: unknown): { reason: ErrorReason; message: string } | "moved on" {
  if (thrown instanceof RunFailure) return { reason: thrown.reason, message: thrown.message }
  if (!(thrown instanceof LanesError)) throw thrown
  if (thrown.code === "RUN_MOVED_ON") return "moved on"
  if (thrown.code === "NOT_FOUND")
    return { reason: "SESSION_GONE", message: "The session no longer exists on the server." }
  return { reason: "SESSION_ERROR", message: thrown.message }
}
