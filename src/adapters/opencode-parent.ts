import type { Clock, Parent, Transport, Undo } from "../coordinator/ports.ts"
import type { Delivery, NoticeItem } from "../core/effects.ts"
import { LanesError } from "../core/errors.ts"
import { after, messageID, partID, timeOf } from "../core/message-id.ts"
import type { TaskRow } from "../core/task.ts"
import { ParentSession } from "./parent-session.ts"
import type { ParentMessage } from "./parent-session.ts"

export interface OpencodeParentOptions {
  readonly transport: Transport
  readonly clock: Clock
  /** What one item says; `wakes`: it starts the turn. */
  readonly text: (
    item: NoticeItem,
    about: { readonly delivery: Delivery; readonly rows: readonly TaskRow[]; readonly wakes: boolean },
  ) => string
  /** Calls back when a session goes idle; the status is asked all the same. */
  readonly onIdle: (sessionID: string, callback: () => void) => Undo
  /** A session held open for its tasks: it is busy and takes notices as its next step. */
  readonly held?: (sessionID: string) => boolean
  /** Before a delivery that starts no turn, which nobody waits for: resolves when more urgent requests are through. */
  readonly letPass?: (signal: AbortSignal) => Promise<void>
  /** How long one attempt waits for an idle parent; ms, default 600 000. */
  readonly idleWaitMs?: number
  /** How long a sent notice may take to be seen; ms, default 10 000. */
  readonly seenMs?: number
}

/** Without a word from the host the status is asked this often. */
const LOOK_MS = 1_000
/** After a word that it is idle: some come before it is (measured, on failures and aborts). */
const SOON_MS = 50
/** Messages before its own that a delivery looks at. */
const LOOK_BACK = 40
/** Notices are looked for back to the first end they tell of, the clocks being so far apart; but not for ever. */
const APART_MS = 60_000
const FARTHEST = 1_280
const REMEMBERED = 1_000

/**
 * Tells a conversation what became of its tasks, by messages into its idle session: each item one, under an id that ends
 * in the item's tail, so that it is found again; the last with a turn when the delivery wakes. It counts as told when
 * the session is seen to hold it.
 */
export class OpencodeParent implements Parent {
  readonly #options: OpencodeParentOptions
  /** Ids by tail, once chosen: sent again after a lost answer, a notice is the same message. */
  readonly #ids = new Map<string, string>()

  constructor(options: OpencodeParentOptions) {
    this.#options = options
  }

  async deliver(delivery: Delivery, rows: readonly TaskRow[], signal: AbortSignal): Promise<readonly string[]> {
    if (!delivery.wake) await this.#options.letPass?.(signal)
    const session = new ParentSession(this.#options.transport, delivery.directory, delivery.parent.sessionID, signal)
    const since = Math.min(...rows.map(({ settledAt }) => settledAt ?? Infinity)) - APART_MS
    const look = { least: LOOK_BACK + delivery.items.length, since }
    let before = await this.#quiet(session, look, signal)
    let turn = await this.#turn(session, before)
    let newest = before.at(-1)?.id
    for (const [index, item] of delivery.items.entries()) {
      // Somebody may have written since: then the rest waits for that turn.
      if (index > 0 && !this.#held(delivery) && (await session.busy())) {
        before = await this.#quiet(session, look, signal)
        turn = await this.#turn(session, before)
        newest = before.at(-1)?.id
      }
      const wakes = delivery.wake && index === delivery.items.length - 1
      const there = before.find(({ id }) => id.endsWith(item.tail))
      // A message with a turn that nobody answered is sent again: the same message, but the turn starts.
      if (there !== undefined && !(wakes && unanswered(before, there.id))) continue
      const id = there?.id ?? this.#idOf(item.tail, newest)
      if (newest === undefined || id > newest) newest = id
      await session.send(
        {
          messageID: id,
          partID: partID(timeOf(id), item.tail),
          text: this.#options.text(item, { delivery, rows, wakes }),
          agent: turn?.agent ?? delivery.parent.agent,
          model: turn?.model ?? delivery.parent.model,
          variant: turn?.variant,
        },
        wakes && !this.#held(delivery),
      )
    }
    const proofs = await this.#seen(session, delivery.items, look, signal)
    for (const { tail } of delivery.items) this.#ids.delete(tail)
    return proofs
  }

  #held({ parent }: Delivery): boolean {
    return this.#options.held?.(parent.sessionID) ?? false
  }

  /** What the parent holds, at a moment when it is idle: somebody may write while it is read. */
  async #quiet(session: ParentSession, look: Look, signal: AbortSignal): Promise<readonly ParentMessage[]> {
    for (;;) {
      await this.#idle(session, signal)
      const messages = await this.#read(session, look)
      if (this.#options.held?.(session.id) === true || !(await session.busy())) return messages
    }
  }

  /** The newest messages, so far back that what was sent before a restart is among them. */
  async #read(session: ParentSession, { least, since }: Look): Promise<readonly ParentMessage[]> {
    for (let limit = least; ; limit *= 2) {
      const messages = await session.messages(limit)
      if (messages.length < limit || limit >= FARTHEST || (messages[0]?.at ?? 0) < since) return messages
    }
  }

  /**
   * How the conversation goes on: agent and model of its newest user message. Without them a message would flip it. A long
   * turn has its question far back: there the newest answer names it.
   */
  async #turn(session: ParentSession, messages: readonly ParentMessage[]): Promise<ParentMessage | undefined> {
    const near = messages.findLast(({ role, agent }) => role === "user" && agent !== undefined)
    if (near !== undefined) return near
    const question = messages.findLast(({ parentID }) => parentID !== undefined)?.parentID
    return question === undefined ? undefined : session.message(question)
  }

  /** Until the parent neither works nor is held; into a busy one a notice would cost a model call of its own. */
  async #idle(session: ParentSession, signal: AbortSignal): Promise<void> {
    const { clock, onIdle, held, idleWaitMs = 600_000 } = this.#options
    const until = clock.now() + idleWaitMs
    let soonUntil = clock.now()
    let ring = (): void => {}
    const undo = onIdle(session.id, () => {
      soonUntil = clock.now() + LOOK_MS
      ring()
    })
    try {
      for (;;) {
        signal.throwIfAborted()
        if (held?.(session.id) === true) return
        if (!(await session.busy())) return
        const left = until - clock.now()
        if (left <= 0) throw new LanesError("SERVER_BUSY", "The conversation is still at work.")
        await new Promise<void>((resolve) => {
          const wait = clock.setTimer(Math.min(left, clock.now() < soonUntil ? SOON_MS : LOOK_MS), () => ring())
          ring = () => {
            wait()
            signal.removeEventListener("abort", ring)
            resolve()
          }
          signal.addEventListener("abort", ring, { once: true })
        })
      }
    } finally {
      undo()
    }
  }

  #idOf(tail: string, newest: string | undefined): string {
    const known = this.#ids.get(tail)
    if (known !== undefined) return known
    const now = messageID(this.#options.clock.wall(), tail)
    const id = newest === undefined || now > newest ? now : after(newest, tail)
    this.#ids.set(tail, id)
    if (this.#ids.size > REMEMBERED) this.#ids.delete(this.#ids.keys().next().value ?? "")
    return id
  }

  async #seen(
    session: ParentSession,
    items: readonly NoticeItem[],
    look: Look,
    signal: AbortSignal,
  ): Promise<string[]> {
    const { clock, seenMs = 10_000 } = this.#options
    const until = clock.now() + seenMs
    for (let wait = 30; ; wait = Math.min(2 * wait, 500)) {
      const now = await this.#read(session, look)
      const proofs = items.flatMap(({ tail }) => now.find(({ id }) => id.endsWith(tail))?.id ?? [])
      if (proofs.length === items.length) return proofs
      if (clock.now() > until) throw new LanesError("SERVER_TIMEOUT", "The notice was sent and is not to be seen.")
      await new Promise<void>((resolve) => void clock.setTimer(wait, resolve))
      signal.throwIfAborted()
    }
  }
}

/** How many messages are read: so many, and all since a moment; epoch ms. */
interface Look {
  readonly least: number
  readonly since: number
}

function unanswered(messages: readonly ParentMessage[], id: string): boolean {
  return !messages.some(({ role, parentID }) => role === "assistant" && parentID === id)
}
