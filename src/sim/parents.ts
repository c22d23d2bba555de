import type { Parent } from "../coordinator/ports.ts"
import type { Delivery } from "../core/effects.ts"
import { LanesError } from "../core/errors.ts"
import type { TaskRow } from "../core/task.ts"
import type { Loop, SimProcess } from "./clock.ts"

/** One notice as the conversation holds it. */
export interface Told {
  readonly task: string
  readonly epoch: number
  readonly tail: string
  readonly at: number
  /** It started a turn. */
  readonly woke: boolean
}

/** A conversation that launches tasks and is told how they end. */
export class SimConversation {
  readonly id: string
  /** By the tail of its message id. */
  readonly told: Map<string, Told> = new Map()
  busyUntil = 0
  deleted = false
  /** Sessions that were deleted with it. */
  readonly took: Set<string> = new Set()
  turns = 0

  constructor(id: string) {
    this.id = id
  }
}

/** What goes wrong with a delivery. */
export interface DeliveryFate {
  readonly ms: number
  readonly fails: boolean
  readonly ackLost: boolean
}

/** What parents need of their simulation. */
export interface ParentWorld {
  readonly loop: Loop
  readonly process: SimProcess
  conversation(id: string): SimConversation
  fate(delivery: Delivery): DeliveryFate
  effect(): void
  delivering?(delivery: Delivery, rows: readonly TaskRow[]): void
  /** The conversation is idle and takes it now. */
  telling?(delivery: Delivery): void
}

const LOOK_MS = 250

/** The port Parent over simulated conversations: waits for idle, looks before it sends, proves by the message. */
export function simParent(world: ParentWorld): Parent {
  const { loop, process } = world
  return {
    deliver: (delivery, rows, signal) =>
      new Promise((resolve, reject) => {
        world.effect()
        if (process.dead) return
        world.delivering?.(delivery, rows)
        const conversation = world.conversation(delivery.parent.sessionID)
        const fate = world.fate(delivery)
        const look = (): void => {
          if (signal.aborted) return reject(new LanesError("CLOSED", "The delivery was given up."))
          if (conversation.deleted) return reject(new LanesError("NOT_FOUND", "The conversation was deleted."))
          if (fate.fails) return reject(new LanesError("SERVER_BUSY", "The conversation could not be reached."))
          if (loop.now < conversation.busyUntil) return wait()
          world.telling?.(delivery)
          const proofs = tell(conversation, delivery, loop)
          world.effect()
          if (process.dead) return
          if (fate.ackLost) return reject(new LanesError("SERVER_TIMEOUT", "The answer was lost."))
          resolve(proofs)
        }
        const wait = (): void => void loop.after(Math.max(LOOK_MS, fate.ms), () => process.enter(look))
        loop.after(fate.ms, () => process.enter(look))
      }),
  }
}

/**
 * Puts into the conversation what it does not hold yet, under the id it will always have. A turn starts with the last
 * one, unless it has started one before.
 */
function tell(conversation: SimConversation, delivery: Delivery, loop: Loop): string[] {
  delivery.items.forEach(({ task, epoch, tail }, i) => {
    const woke = delivery.wake && i === delivery.items.length - 1
    const there = conversation.told.get(tail)
    if (there !== undefined && (there.woke || !woke)) return
    conversation.told.set(tail, { task, epoch, tail, at: there?.at ?? loop.now, woke })
    if (!woke) return
    conversation.turns++
    conversation.busyUntil = loop.now + 1_500
  })
  return delivery.items.map(({ tail }) => `msg_${tail}`)
}
