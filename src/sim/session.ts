import type { MessagesPage, PermissionRule, PlainMessage, SessionInfo } from "../coordinator/ports.ts"
import type { Ask, NewestMessage, Tokens } from "../core/snapshot.ts"
import { cutMiddle } from "../core/text.ts"
import type { Todo } from "../core/todos.ts"

/** One part of a message. */
export type SimPart =
  | { readonly type: "text"; text: string; readonly synthetic: boolean }
  | { readonly type: "tool"; readonly name: string; state: "running" | "completed" | "error"; size: number }

export interface SimMessage {
  readonly id: string
  readonly role: "user" | "assistant"
  readonly parentID?: string
  readonly created: number
  readonly parts: SimPart[]
  completed: boolean
  finish?: string
  error?: { readonly name: string; readonly message: string }
  summary: boolean
  /** Goes up with everything REST shows of it. */
  version: number
  /** A user's: stored without a turn. */
  quiet: boolean
}

/** A session as the simulated server stores it. */
export class SimSession {
  readonly id: string
  readonly directory: string
  readonly title: string
  readonly parentID: string | undefined
  readonly created: number
  /** Chance is thrown for this number. */
  readonly of: number
  metadata: Readonly<Record<string, unknown>>
  permission: readonly PermissionRule[]
  updated: number
  deleted = false
  tokens = 0
  steps = 0
  todos: readonly Todo[] = []
  /** In order of creation on the server's clock; ids may come from other clocks. */
  readonly messages: SimMessage[] = []
  readonly asks: Map<string, Ask> = new Map()

  constructor(input: {
    readonly id: string
    readonly directory: string
    readonly title: string
    readonly parentID: string | undefined
    readonly created: number
    readonly of: number
    readonly metadata: Readonly<Record<string, unknown>>
    readonly permission: readonly PermissionRule[]
  }) {
    this.id = input.id
    this.directory = input.directory
    this.title = input.title
    this.parentID = input.parentID
    this.created = input.created
    this.updated = input.created
    this.of = input.of
    this.metadata = input.metadata
    this.permission = input.permission
  }

  /** The task it was made for, by its metadata. */
  get task(): string | undefined {
    const entry = this.metadata["opencode-lanes"]
    const task = typeof entry === "object" && entry !== null ? (entry as { task?: unknown }).task : undefined
    return typeof task === "string" ? task : undefined
  }

  find(id: string): SimMessage | undefined {
    return this.messages.find((message) => message.id === id)
  }

  get newestUser(): SimMessage | undefined {
    return this.messages.findLast(({ role, quiet }) => role === "user" && !quiet)
  }

  info(): SessionInfo {
    return {
      id: this.id,
      directory: this.directory,
      title: this.title,
      ...(this.parentID === undefined ? {} : { parentID: this.parentID }),
      created: this.created,
      updated: this.updated,
      tokens: tokensOf(this),
      cost: this.tokens / 100_000,
      metadata: this.metadata,
    }
  }

  page(limit: number, maxChars: number): MessagesPage {
    const newestFirst = this.messages.slice(-limit).toReversed()
    const users = newestFirst.filter(({ role }) => role === "user").map(({ id }) => id)
    const [newest] = newestFirst
    const [newestUser] = users
    const said = newestFirst.find(({ role }) => role === "assistant")
    return {
      newest: newest === undefined ? null : digest(newest, said, maxChars),
      ...(newestUser === undefined ? {} : { newestUser }),
      fingerprint: said === undefined ? "" : `${said.id}:${said.version}`,
      users,
    }
  }

  plain(limit: number | undefined): PlainMessage[] {
    return this.messages.slice(limit === undefined ? 0 : -limit).map((message) => ({
      id: message.id,
      role: message.role,
      text: textOf(message),
      tools: message.parts.flatMap((part) => (part.type === "tool" ? [{ name: part.name, state: part.state }] : [])),
      ...(message.error === undefined ? {} : { error: `${message.error.name}: ${message.error.message}` }),
      created: message.created,
    }))
  }
}

function tokensOf(session: SimSession): Tokens {
  return { input: session.tokens * 4, output: session.tokens, reasoning: 0, cacheRead: 0, cacheWrite: 0 }
}

function textOf(message: SimMessage): string {
  return message.parts
    .flatMap((part) => (part.type === "text" && !part.synthetic && part.text !== "" ? [part.text] : []))
    .join("\n\n")
}

function digest(message: SimMessage, said: SimMessage | undefined, maxChars: number): NewestMessage {
  const { id, role, completed, finish, error, summary } = message
  const text = textOf(message)
  const output = text.trim() !== "" || message.parts.some((part) => part.type === "tool" && part.state !== "running")
  const tool = said?.parts.find((part) => part.type === "tool" && part.state === "running")
  const running = tool?.type === "tool" ? { tool: tool.name } : {}
  if (role === "user") return { id, role, completed: false, summary: false, output, ...running }
  const short = completed ? cutMiddle(text, maxChars) : undefined
  return {
    id,
    role,
    ...(message.parentID === undefined ? {} : { parentID: message.parentID }),
    completed,
    ...(finish === undefined ? {} : { finish }),
    ...(error === undefined ? {} : { error }),
    summary,
    output,
    ...(short === undefined ? {} : { text: short.text, ...(short.cut ? { cut: true } : {}) }),
    ...running,
  }
}
