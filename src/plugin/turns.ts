import type { ParentRef } from "../core/task.ts"
import type { UserMessage } from "./host-shapes.ts"

const REMEMBERED = 1_000

interface Turn {
  readonly batch: string
  readonly agent?: string
  readonly model?: string
}

/** The turn each conversation is in: what it launches is one batch, and what it is told keeps its agent and model. */
export class Turns {
  readonly #of = new Map<string, Turn>()

  /** A user message begins a turn. */
  begin({ id, sessionID, agent, model }: UserMessage): void {
    this.#of.delete(sessionID)
    this.#of.set(sessionID, {
      batch: id,
      ...(agent === undefined ? {} : { agent }),
      ...(model === undefined ? {} : { model: `${model.providerID}/${model.modelID}` }),
    })
    if (this.#of.size > REMEMBERED) this.#of.delete(this.#of.keys().next().value ?? "")
  }

  /** The conversation as a task's parent; one whose turn was not seen to begin counts each of its steps as one. */
  parent(call: { readonly sessionID: string; readonly messageID: string; readonly agent: string }): ParentRef {
    const { sessionID, messageID, agent } = call
    return { sessionID, batch: messageID, agent, ...this.#of.get(sessionID) }
  }

  forget(sessionID: string): void {
    this.#of.delete(sessionID)
  }
}
