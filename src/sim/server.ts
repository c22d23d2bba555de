import type { PermissionRule, SessionInfo } from "../coordinator/ports.ts"
import { LanesError } from "../core/errors.ts"
import type { Hint, SessionStatus } from "../core/snapshot.ts"
import type { Act } from "./agent.ts"
import type { Loop } from "./clock.ts"
import type { Dice } from "./dice.ts"
import type { Stage } from "./player.ts"
import { newMessage } from "./pen.ts"
import { Player } from "./player.ts"
import { SimSession } from "./session.ts"

/** What the simulated server needs to know and whom it tells. */
export interface ServerWorld {
  readonly loop: Loop
  readonly dice: Dice
  /** The script a prompt stands for; undefined: it is nothing new. */
  scriptOf(session: SimSession, text: string): readonly Act[] | undefined
  /** A number for a session's dice: the task's, so that other tasks' chance stays as it is. */
  numberOf(metadata: Readonly<Record<string, unknown>>): number
  /** The stream of server events. */
  hint(session: SimSession, hint: Hint): void
  /** Something was asked or changed that oracles may want to see. */
  observe?(what: ServerFact): void
}

/** What really happened on the server. */
export type ServerFact =
  | { readonly type: "created"; readonly session: SimSession }
  | { readonly type: "prompt"; readonly session: SimSession; readonly messageID: string; readonly fresh: boolean }
  | { readonly type: "busy"; readonly session: SimSession; readonly busy: boolean }
  | { readonly type: "disposed"; readonly directory: string }

const BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
const COUNTERS = 4_096
const WRAP = 2 ** 48

/** One OpenCode server: sessions that outlive it, and players that do not. What FACTS say of the real one holds here. */
export class SimServer {
  readonly sessions: Map<string, SimSession> = new Map()
  readonly players: Map<string, Player> = new Map()
  /** Its process runs. */
  up = true
  /** Counts its processes: a connection to an older one is broken. */
  life = 1
  /** An instance is being loaded again. */
  readonly reloading: Set<string> = new Set()
  readonly #world: ServerWorld
  readonly #stage: Stage
  readonly #busy = new Map<string, Map<string, { status: SessionStatus; nextAt: number }>>()
  /** Directories whose first prompt takes longer. */
  readonly #warm = new Set<string>()
  #stamp = 0
  #made = 0

  constructor(world: ServerWorld) {
    this.#world = world
    this.#stage = {
      loop: world.loop,
      dice: world.dice,
      nextID: (prefix) => this.#nextID(prefix),
      hint: (session, hint) => world.hint(session, hint),
      scriptOf: (session, text) => world.scriptOf(session, text),
      changed: (session, status) => this.#changed(session, status),
    }
  }

  // ── Its API: what is asked happens now, or throws as the real one answers ──

  create(input: {
    readonly directory: string
    readonly title: string
    readonly parentID?: string
    readonly permission: readonly PermissionRule[]
    readonly metadata: Readonly<Record<string, unknown>>
  }): SessionInfo {
    const { directory, title, parentID, permission, metadata } = input
    const id = this.#nextID("ses")
    const of = this.#world.numberOf(metadata)
    const session = new SimSession({
      id,
      directory,
      title,
      parentID,
      created: this.#world.loop.wall,
      of,
      metadata,
      permission,
    })
    this.sessions.set(id, session)
    this.players.set(id, new Player(session, this.#stage))
    this.#world.observe?.({ type: "created", session })
    return session.info()
  }

  /** A session that is there; else NOT_FOUND. */
  session(id: string): SimSession {
    const session = this.sessions.get(id)
    if (session === undefined || session.deleted) throw new LanesError("NOT_FOUND", `Session not found: ${id}`)
    return session
  }

  player(id: string): Player | undefined {
    return this.players.get(id)
  }

  list(directory: string, since: number, limit: number): SessionInfo[] {
    const found: SimSession[] = []
    for (const session of this.sessions.values()) {
      if (session.directory === directory && !session.deleted && session.updated >= since) found.push(session)
    }
    return found
      .toSorted((a, b) => b.updated - a.updated || (a.id < b.id ? 1 : -1))
      .slice(0, limit)
      .map((session) => session.info())
  }

  stamp(id: string, metadata: Readonly<Record<string, unknown>>, permission: readonly PermissionRule[]): void {
    const session = this.session(id)
    session.metadata = metadata
    session.permission = [...session.permission, ...permission]
  }

  /** The same message and part id twice is one message and one turn. */
  prompt(
    id: string,
    input: {
      readonly messageID: string
      readonly text: string
      readonly agent?: string
      readonly model?: string
      readonly noReply?: boolean
    },
  ): void {
    const session = this.session(id)
    const player = this.players.get(id)
    if (input.agent?.startsWith("unknown") === true) {
      this.#world.hint(session, { type: "error", name: "UnknownError", message: `Agent not found: "${input.agent}"` })
      return
    }
    const fresh = session.find(input.messageID) === undefined
    this.#world.observe?.({ type: "prompt", session, messageID: input.messageID, fresh })
    if (!fresh) return
    const message = newMessage(input.messageID, "user", this.#world.loop.wall, undefined, [
      { type: "text", text: input.text, synthetic: false },
    ])
    message.quiet = input.noReply === true
    session.messages.push(message)
    session.updated = this.#world.loop.wall
    if (message.quiet || player === undefined) return
    if (input.model?.startsWith("unknown") === true) {
      player.taken.add(message.id)
      this.#world.hint(session, {
        type: "error",
        name: "ProviderModelNotFoundError",
        message: `Model not found: ${input.model}`,
      })
      return
    }
    player.prompted(!this.#warm.has(session.directory))
    this.#warm.add(session.directory)
  }

  /** Busy and retrying sessions of a directory, as they are now. */
  status(directory: string): Record<string, SessionStatus> {
    const of: Record<string, SessionStatus> = {}
    for (const [id, { status, nextAt }] of this.#busy.get(directory) ?? []) {
      of[id] = status.type === "retry" ? { ...status, inMs: Math.max(0, nextAt - this.#world.loop.now) } : status
    }
    return of
  }

  asks(directory: string): Record<string, { id: string; permission: string; patterns: readonly string[] }[]> {
    const of: Record<string, { id: string; permission: string; patterns: readonly string[] }[]> = {}
    for (const id of this.#busy.get(directory)?.keys() ?? []) {
      const asks = this.sessions.get(id)?.asks
      if (asks !== undefined && asks.size > 0) of[id] = [...asks.values()]
    }
    return of
  }

  /** A question's rejection has no room for a message. */
  reject(askID: string, message: string): void {
    for (const busy of this.#busy.values()) {
      for (const id of busy.keys()) {
        if (this.sessions.get(id)?.asks.has(askID) !== true) continue
        return this.players.get(id)?.answered(askID, askID.startsWith("que") ? undefined : message)
      }
    }
    throw new LanesError("NOT_FOUND", `No ask ${askID}.`)
  }

  /** Unknown sessions are taken as well. */
  abort(id: string): void {
    this.players.get(id)?.abort()
  }

  /** A running one goes on streaming. */
  delete(id: string): void {
    const session = this.session(id)
    session.deleted = true
    this.#world.hint(session, { type: "deleted" })
  }

  // ── Its process ──

  /** `kill -9`: nothing runs any more; what was stored stays. */
  kill(): void {
    this.up = false
    this.life++
    for (const player of this.players.values()) if (player.working) player.kill()
    this.#busy.clear()
    this.#warm.clear()
  }

  start(): void {
    this.up = true
  }

  /** An instance goes away and cuts off what runs in it. */
  dispose(directory: string): void {
    for (const [id, player] of this.players) {
      const session = this.sessions.get(id)
      if (session?.directory !== directory || !player.working) continue
      player.cut({ name: "MessageAbortedError", message: "Aborted" })
      // The next one begins with no status at all.
      this.#changed(session, undefined)
    }
    this.#warm.delete(directory)
    this.#world.observe?.({ type: "disposed", directory })
  }

  #changed(session: SimSession, status: SessionStatus | undefined): void {
    const { directory, id } = session
    let busy = this.#busy.get(directory)
    if (busy === undefined) this.#busy.set(directory, (busy = new Map()))
    if (status === undefined) busy.delete(id)
    else busy.set(id, { status, nextAt: this.#world.loop.now + (status.type === "retry" ? status.inMs : 0) })
    this.#world.observe?.({ type: "busy", session, busy: status !== undefined })
  }

  /** Ascending with the wall clock: when that is set back, so are they. */
  #nextID(prefix: string): string {
    const now = ((this.#world.loop.wall % 2 ** 36) * COUNTERS + 1) % WRAP
    this.#stamp = this.#stamp >= now && this.#stamp < now + COUNTERS ? this.#stamp + 1 : now
    let tail = ""
    for (let rest = ++this.#made; tail.length < 14; rest = Math.floor(rest / 62)) tail = BASE62.charAt(rest % 62) + tail
    // Ids of sessions are compared by nobody, but runs spread their reads by them: those may not depend on the wall clock.
    return prefix === "ses"
      ? `ses_${tail.padStart(26, "0")}`
      : `${prefix}_${this.#stamp.toString(16).padStart(12, "0")}${tail}`
  }
}
