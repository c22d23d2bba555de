/** OpenCode's sessions in memory: what a run may ask, and what can go wrong with each call. */

import type { MessagesPage, SessionApi, SessionInfo, StatusSample } from "../../src/coordinator/ports.ts"
import type { ErrorCode } from "../../src/core/errors.ts"
import { LanesError } from "../../src/core/errors.ts"
import type { NewestMessage, SessionStatus } from "../../src/core/snapshot.ts"
import { NO_TOKENS } from "../../src/core/snapshot.ts"
import type { ManualClock } from "./manual-clock.ts"

/** `lost`: it is done, but the answer is not heard. A code: it is not done. `hold`: it is done when let go. */
export type Fault = "lost" | ErrorCode | Held

interface Held {
  readonly hold: Promise<void>
}

/** A call that is answered when told to. */
export function held(): Held & { let(): void } {
  const { promise, resolve } = Promise.withResolvers<void>()
  return { hold: promise, let: resolve }
}

interface FakeSession {
  readonly info: SessionInfo
  status: SessionStatus
  /** Newest first. */
  readonly messages: { readonly id: string; readonly message: NewestMessage }[]
  /** Prompts as they arrived, each id once. */
  readonly prompts: { readonly messageID: string; readonly partID: string; readonly text: string }[]
}

type Call = keyof SessionApi

export class ScriptedSessionApi implements SessionApi {
  readonly sessions: Map<string, FakeSession> = new Map()
  readonly calls: { readonly call: Call; readonly session?: string }[] = []
  readonly rejected: { readonly askID: string; readonly message: string }[] = []
  /** How long an aborted session stays busy; ms. */
  abortMs = 100
  todosOpen = 0
  openAsks: Awaited<ReturnType<SessionApi["asks"]>> = {}
  readonly #clock: ManualClock
  readonly #faults = new Map<Call, Fault[]>()
  #n = 0

  constructor(clock: ManualClock) {
    this.#clock = clock
  }

  /** The next calls of this kind go wrong so, one after another. */
  fault(call: Call, ...faults: Fault[]): void {
    this.#faults.set(call, [...(this.#faults.get(call) ?? []), ...faults])
  }

  count(call: Call): number {
    return this.calls.filter((made) => made.call === call).length
  }

  /** Puts a session there as if somebody had made it. */
  seed(input: { title?: string; metadata?: Record<string, unknown>; directory?: string } = {}): string {
    const id = `ses_${String(++this.#n).padStart(4, "0")}`
    const now = this.#clock.wall()
    const { title = "seeded", metadata = {}, directory = "/project" } = input
    const info = { id, directory, title, created: now, updated: now, tokens: NO_TOKENS, cost: 0, metadata }
    this.sessions.set(id, { info, status: { type: "absent" }, messages: [], prompts: [] })
    return id
  }

  session(id: string): FakeSession {
    const session = this.sessions.get(id)
    if (session === undefined) throw new LanesError("NOT_FOUND", `There is no session ${id}.`)
    return session
  }

  /** The model answers the newest prompt, and the session goes idle. */
  answer(id: string, of: Partial<NewestMessage> = {}): void {
    const session = this.session(id)
    const prompt = session.prompts.at(-1)
    const messageID = `${prompt?.messageID}_${session.messages.length}`
    const newest: NewestMessage = {
      id: messageID,
      role: "assistant",
      ...(prompt === undefined ? {} : { parentID: prompt.messageID }),
      completed: true,
      finish: "stop",
      summary: false,
      output: true,
      text: "Done.",
      ...of,
    }
    session.messages.unshift({ id: messageID, message: newest })
    session.status = { type: "absent" }
  }

  create(input: Parameters<SessionApi["create"]>[0]): Promise<SessionInfo> {
    return this.#make("create", undefined, () => {
      const id = this.seed({ title: input.title, metadata: { ...input.metadata }, directory: input.directory })
      return this.session(id).info
    })
  }

  get(_directory: string, sessionID: string): Promise<SessionInfo> {
    return this.#make("get", sessionID, () => this.session(sessionID).info)
  }

  list(
    directory: string,
    { since = 0, limit = 100 }: Parameters<SessionApi["list"]>[1],
  ): Promise<readonly SessionInfo[]> {
    return this.#make("list", undefined, () =>
      [...this.sessions.values()]
        .map(({ info }) => info)
        .filter((info) => info.directory === directory && info.updated >= since)
        .toReversed()
        .slice(0, limit),
    )
  }

  stamp(_directory: string, sessionID: string, { metadata }: Parameters<SessionApi["stamp"]>[2]): Promise<void> {
    return this.#make("stamp", sessionID, () => {
      const session = this.session(sessionID)
      this.sessions.set(sessionID, { ...session, info: { ...session.info, metadata } })
    })
  }

  prompt(_directory: string, sessionID: string, input: Parameters<SessionApi["prompt"]>[2]): Promise<void> {
    return this.#make("prompt", sessionID, () => {
      const session = this.session(sessionID)
      const { messageID, partID, text } = input
      if (session.prompts.some((prompt) => prompt.messageID === messageID)) return
      session.prompts.push({ messageID, partID, text })
      const message: NewestMessage = { id: messageID, role: "user", completed: false, summary: false, output: true }
      session.messages.unshift({ id: messageID, message })
      session.status = { type: "busy" }
    })
  }

  status(directory: string): Promise<StatusSample> {
    const askedAt = this.#clock.now()
    return this.#make("status", undefined, () => {
      const of: Record<string, SessionStatus> = {}
      for (const { info, status } of this.sessions.values()) {
        if (info.directory === directory && status.type !== "absent") of[info.id] = status
      }
      return { askedAt, of }
    })
  }

  newest(_directory: string, sessionID: string, { limit }: { readonly limit: number }): Promise<MessagesPage> {
    return this.#make("newest", sessionID, () => {
      const page = this.session(sessionID).messages.slice(0, limit)
      const users = page.filter(({ message }) => message.role === "user").map(({ id }) => id)
      const assistant = page.find(({ message }) => message.role === "assistant")
      return {
        newest: page[0]?.message ?? null,
        ...(users[0] === undefined ? {} : { newestUser: users[0] }),
        fingerprint: assistant === undefined ? "" : JSON.stringify(assistant.message),
        users,
      }
    })
  }

  messages(): Promise<readonly never[]> {
    return this.#make("messages", undefined, () => [])
  }

  todos(_directory: string, sessionID: string): Promise<{ open: number; digest: string }> {
    return this.#make("todos", sessionID, () => ({ open: this.todosOpen, digest: `${this.todosOpen} open` }))
  }

  todoList(_directory: string, sessionID: string): Promise<{ content: string; status: string }[]> {
    return this.#make("todos", sessionID, () =>
      Array.from({ length: this.todosOpen }, (_, n) => ({ content: `todo ${n}`, status: "pending" })),
    )
  }

  asks(): ReturnType<SessionApi["asks"]> {
    return this.#make("asks", undefined, () => this.openAsks)
  }

  reject(_directory: string, askID: string, message: string): Promise<void> {
    return this.#make("reject", undefined, () => void this.rejected.push({ askID, message }))
  }

  abort(_directory: string, sessionID: string): Promise<void> {
    return this.#make("abort", sessionID, () => {
      const session = this.sessions.get(sessionID)
      if (session === undefined) return
      this.#clock.setTimer(this.abortMs, () => void (session.status = { type: "absent" }))
    })
  }

  delete(_directory: string, sessionID: string): Promise<void> {
    return this.#make("delete", sessionID, () => void this.sessions.delete(sessionID))
  }

  async #make<T>(call: Call, session: string | undefined, act: () => T): Promise<T> {
    this.calls.push({ call, ...(session === undefined ? {} : { session }) })
    const fault = this.#faults.get(call)?.shift()
    await Promise.resolve()
    if (fault === undefined) return act()
    if (fault === "lost") {
      act()
      throw new LanesError("SERVER_TIMEOUT", `The answer to ${call} was lost.`)
    }
    if (typeof fault === "string") throw new LanesError(fault, `Scripted: ${call} failed.`)
    await fault.hold
    return act()
  }
}
