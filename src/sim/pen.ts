import type { Hint } from "../core/snapshot.ts"
import type { Loop } from "./clock.ts"
import type { SimMessage, SimSession } from "./session.ts"

/** What writing a transcript needs of its server. */
export interface Desk {
  readonly loop: Loop
  /** A new id, on the server's clock. */
  nextID(prefix: "msg" | "per" | "que"): string
  hint(session: SimSession, hint: Hint): void
}

type ToolPart = Extract<SimMessage["parts"][number], { readonly type: "tool" }>

/** Writes an agent's messages into its session, one open at a time, and knows when it last moved. */
export class Pen {
  /** When the agent last did anything, and when REST last showed it. */
  movedAt = 0
  visibleAt = 0
  readonly #session: SimSession
  readonly #desk: Desk
  #message: SimMessage | undefined

  constructor(session: SimSession, desk: Desk) {
    this.#session = session
    this.#desk = desk
  }

  /** The open message of this step, if it has begun. */
  get message(): SimMessage | undefined {
    return this.#message
  }

  /** A tool runs in it. */
  get tool(): boolean {
    return this.#message?.parts.some((part) => part.type === "tool" && part.state === "running") ?? false
  }

  /** The open message of this step; a new one, if none is. */
  open(): SimMessage {
    if (this.#message !== undefined) return this.#message
    const { loop } = this.#desk
    const id = this.#desk.nextID("msg")
    this.#message = newMessage(id, "assistant", loop.wall, this.#session.newestUser?.id, [])
    this.#session.messages.push(this.#message)
    this.#session.steps++
    this.moved()
    this.visibleAt = loop.now
    this.#desk.hint(this.#session, { type: "step", messageID: id })
    return this.#message
  }

  /** A tool begins to run in the open message. */
  startTool(name: string): ToolPart {
    const message = this.open()
    const part: ToolPart = { type: "tool", name, state: "running", size: 0 }
    message.parts.push(part)
    this.show(message)
    return part
  }

  close(finish: string): void {
    const message = this.#message
    if (message === undefined) return
    this.#message = undefined
    message.completed = true
    message.finish = finish
    this.#session.tokens += 100
    this.#session.updated = this.#desk.loop.wall
    this.show(message)
    this.#desk.hint(this.#session, { type: "step-end" })
  }

  /** Tools that run in the open message have failed. */
  breakTools(): void {
    for (const part of this.#message?.parts ?? [])
      if (part.type === "tool" && part.state === "running") part.state = "error"
  }

  /** The open message stays as it is: whoever wrote it writes no more. */
  drop(): void {
    this.#message = undefined
  }

  show(message: SimMessage): void {
    message.version++
    this.visibleAt = this.#desk.loop.now
    this.moved()
  }

  moved(): void {
    this.movedAt = this.#desk.loop.now
  }
}

/** A message that has just begun. */
export function newMessage(
  id: string,
  role: SimMessage["role"],
  created: number,
  parentID: string | undefined,
  parts: SimMessage["parts"],
): SimMessage {
  return {
    id,
    role,
    ...(parentID === undefined ? {} : { parentID }),
    created,
    parts,
    completed: false,
    summary: false,
    version: 1,
    quiet: false,
  }
}
