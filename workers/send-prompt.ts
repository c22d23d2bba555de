import type { SessionApi } from "../src/coordinator/ports.ts"
import type { Assignment } from "../src/core/effects.ts"
import { LanesError } from "../src/core/errors.ts"
import { after, messageID, partID, timeOf } from "../src/core/message-id.ts"
import type { Prompt } from "../src/core/task.ts"
import type { OpenSession } from "./open-session.ts"
import type { Patience } from "./patience.ts"
import { RunFailure } from "./patience.ts"

/**
 * Sends prompts so that each arrives once: looked for by the tail of its id when an earlier attempt may have sent it, and
 * sent again under the same ids when an answer is lost.
 */
export class PromptSender {
  readonly #assignment: Assignment
  readonly #session: OpenSession
  readonly #api: SessionApi
  readonly #patience: Patience

  constructor(assignment: Assignment, session: OpenSession, api: SessionApi, patience: Patience) {
    this.#assignment = assignment
    this.#session = session
    this.#api = api
    this.#patience = patience
  }

  /** The message id it was accepted under; undefined when stopped before. `look`: how many messages to search for it. */
  async send(prompt: Prompt, look: number): Promise<string | undefined> {
    const { directory, agent, model } = this.#assignment
    const { id } = this.#session
    const place = await this.#place(prompt, look)
    if (place.sent || this.#patience.stopped()) return place.sent ? place.messageID : undefined
    const input = {
      messageID: place.messageID,
      partID: partID(timeOf(place.messageID), prompt.tail),
      text: prompt.text,
      ...(agent === undefined ? {} : { agent }),
      ...(model === undefined ? {} : { model }),
    }
    try {
      await this.#patience.persist(() => this.#api.prompt(directory, id, input))
    } catch (thrown) {
      throw rejection(thrown)
    }
    return place.messageID
  }

  /**
   * The id of a prompt: right after the newest message's. Then it is newer than what the session holds and older than what
   * comes, whatever our clock says; whose ids come later tells what answers it. In a session of our own making the first
   * one's is the same whoever sends it.
   */
  async #place(prompt: Prompt, look: number): Promise<{ messageID: string; sent: boolean }> {
    const { directory } = this.#assignment
    const { id, created, createdAt } = this.#session
    if (created && prompt.kind === "first") return { messageID: messageID(createdAt, prompt.tail), sent: false }
    const page = await this.#patience.persist(() =>
      this.#api.newest(directory, id, { limit: Math.max(1, look), maxChars: 0 }),
    )
    const sent = page.users.find((user) => user.endsWith(prompt.tail))
    if (sent !== undefined) return { messageID: sent, sent: true }
    const { newest } = page
    const { tail } = prompt
    return { messageID: newest === null ? messageID(createdAt, tail) : after(newest.id, tail), sent: false }
  }
}

function rejection(thrown: unknown): unknown {
  if (!(thrown instanceof LanesError)) return thrown
  if (thrown.code === "SERVER_REJECTED" || thrown.code === "SERVER_BUSY")
    return new RunFailure("PROMPT_REJECTED", thrown.message)
  return thrown
}
