import type { Transport, WireResponse } from "../coordinator/ports.ts"
import { LanesError } from "../core/errors.ts"
import { splitModel } from "../core/lanes.ts"
import { list, parsed, record, text } from "./loose.ts"
import type { Loose } from "./loose.ts"

/** A message as far as telling a parent needs it. */
export interface ParentMessage {
  readonly id: string
  readonly role: string | undefined
  /** Made at; epoch ms of the server's clock. */
  readonly at: number
  /** Assistant: the message it answers. */
  readonly parentID?: string | undefined
  readonly agent?: string | undefined
  /** `provider/model`. */
  readonly model?: string | undefined
  readonly variant?: string | undefined
}

/** What is written into the session. */
export interface ParentPrompt {
  readonly messageID: string
  readonly partID: string
  readonly text: string
  readonly agent: string | undefined
  readonly model: string | undefined
  readonly variant: string | undefined
}

/** A loaded instance may start slowly; no single request takes longer. */
const LIMIT_MS = 15_000

/** The session of a conversation, read and written with its agent and model. Failures are LanesErrors. */
export class ParentSession {
  readonly id: string
  readonly #transport: Transport
  readonly #directory: string
  readonly #signal: AbortSignal

  constructor(transport: Transport, directory: string, id: string, signal: AbortSignal) {
    this.#transport = transport
    this.#directory = directory
    this.id = id
    this.#signal = signal
  }

  /** Busy or retrying. */
  async busy(): Promise<boolean> {
    const status = record(parsed((await this.#call("GET", "/session/status")).body))
    if (status === undefined) throw garbled()
    return Object.hasOwn(status, this.id)
  }

  /** The newest ones, oldest first. Rejects with NOT_FOUND when the session is gone. */
  async messages(limit: number): Promise<readonly ParentMessage[]> {
    const { body } = await this.#call("GET", `/session/${this.id}/message`, { limit: String(limit) })
    const messages = list(parsed(body))
    if (messages === undefined) throw garbled()
    return messages.flatMap((message) => messageOf(record(record(message)?.["info"])) ?? [])
  }

  /** One message; undefined when there is none of this id. */
  async message(id: string): Promise<ParentMessage | undefined> {
    try {
      const { body } = await this.#call("GET", `/session/${this.id}/message/${id}`)
      return messageOf(record(record(parsed(body))?.["info"]))
    } catch (thrown) {
      if (thrown instanceof LanesError && thrown.code === "NOT_FOUND") return undefined
      throw thrown
    }
  }

  /** Stores a message of ours, which people do not see as theirs; with a turn it answers as soon as it is accepted. */
  async send(prompt: ParentPrompt, turn: boolean): Promise<void> {
    const { messageID, partID, agent, model, variant } = prompt
    const parts = model === undefined ? undefined : splitModel(model)
    const body = {
      messageID,
      ...(agent === undefined ? {} : { agent }),
      ...(parts === undefined ? {} : { model: { providerID: parts.provider, modelID: parts.id } }),
      ...(variant === undefined ? {} : { variant }),
      ...(turn ? {} : { noReply: true }),
      parts: [{ id: partID, type: "text", text: prompt.text, synthetic: true }],
    }
    await this.#call("POST", `/session/${this.id}/${turn ? "prompt_async" : "message"}`, {}, body)
  }

  async #call(method: string, path: string, query: Record<string, string> = {}, body?: unknown): Promise<WireResponse> {
    const search = new URLSearchParams({ ...query, directory: this.#directory })
    const answer = await this.#transport.fetch(
      {
        method,
        path: `${path}?${search.toString()}`,
        headers: body === undefined ? {} : { "content-type": "application/json" },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      },
      AbortSignal.any([this.#signal, AbortSignal.timeout(LIMIT_MS)]),
    )
    if (answer.status === 404) throw new LanesError("NOT_FOUND", `The conversation ${this.id} is gone.`)
    if (answer.status >= 400)
      throw new LanesError("SERVER_BUSY", `OpenCode answered ${method} ${path} with ${answer.status}.`)
    return answer
  }
}

function messageOf(info: Loose | undefined): ParentMessage | undefined {
  const id = text(info?.["id"])
  if (info === undefined || id === undefined) return undefined
  const model = record(info["model"])
  const provider = text(model?.["providerID"])
  const name = text(model?.["modelID"])
  return {
    id,
    role: text(info["role"]),
    at: Number(record(info["time"])?.["created"] ?? 0),
    parentID: text(info["parentID"]),
    agent: text(info["agent"]),
    model: provider === undefined || name === undefined ? undefined : `${provider}/${name}`,
    variant: text(model?.["variant"]),
  }
}

function garbled(): LanesError {
  return new LanesError("GARBLED", "OpenCode's answer about the conversation is not what its API promises.")
}
