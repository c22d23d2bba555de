/** A conversation on a real OpenCode whose scripted model calls our tools. */

import type { OpencodeClient } from "@opencode-ai/sdk/v2/client"
import type { ScriptedTurn } from "../../src/cli/demo/script.ts"
import type { TestOpenCode } from "./opencode.ts"
import { scripted } from "./opencode.ts"

export interface Said {
  readonly id: string
  readonly role: "user" | "assistant"
  readonly agent: string | undefined
  readonly model: string | undefined
  readonly parentID: string | undefined
  readonly synthetic: boolean
  readonly text: string
  readonly tools: readonly {
    readonly name: string
    readonly input: unknown
    readonly output: string
    readonly start: number
    readonly end: number
  }[]
  readonly created: number
}

let named = 0

export class Conversation {
  readonly id: string
  readonly #oc: TestOpenCode
  readonly #client: OpencodeClient

  constructor(oc: TestOpenCode, client: OpencodeClient, id: string) {
    this.#oc = oc
    this.#client = client
    this.id = id
  }

  /** Sends a prompt whose answer is these turns; later prompts of others are answered by `onPrompt`. */
  async say(
    turns: ScriptedTurn[],
    how: { onPrompt?: ScriptedTurn[]; agent?: string; id?: string } = {},
  ): Promise<string> {
    const id = how.id ?? `talk-${(named += 1)}`
    const script = { id, turns, ...(how.onPrompt === undefined ? {} : { onPrompt: how.onPrompt }) }
    await this.#client.session.promptAsync({
      sessionID: this.id,
      parts: [{ type: "text", text: scripted("Please.", script) }],
      ...(how.agent === undefined ? {} : { agent: how.agent }),
    })
    return id
  }

  /** The same, until the conversation is idle again; answers what the tools of these turns said, in order. */
  async turn(turns: ScriptedTurn[], how: { onPrompt?: ScriptedTurn[]; agent?: string } = {}): Promise<string[]> {
    const before = (await this.messages()).length
    const id = await this.say(turns, how)
    await this.#oc.model.waitFor(() => this.#oc.model.calls(id).length >= turns.length, { timeoutMs: 60_000 })
    await this.idle()
    return (await this.messages()).slice(before).flatMap(({ tools }) => tools.map(({ output }) => output))
  }

  /** One tool call and its answer. */
  async call(name: string, args: Record<string, unknown>): Promise<string> {
    const [answer] = await this.turn([{ tools: [{ name, args }] }, { text: "so it is" }])
    return answer ?? ""
  }

  async idle(): Promise<void> {
    await until(async () => !Object.hasOwn((await this.#client.session.status()).data ?? {}, this.id))
  }

  async abort(): Promise<void> {
    await this.#client.session.abort({ sessionID: this.id })
  }

  async messages(): Promise<Said[]> {
    const { data = [] } = await this.#client.session.messages({ sessionID: this.id })
    return data.map(({ info, parts }) => ({
      id: info.id,
      role: info.role,
      agent: info.role === "user" ? info.agent : info.mode,
      model:
        info.role === "user" ? `${info.model.providerID}/${info.model.modelID}` : `${info.providerID}/${info.modelID}`,
      parentID: info.role === "assistant" ? info.parentID : undefined,
      synthetic: parts.length > 0 && parts.every((part) => part.type === "text" && part.synthetic === true),
      text: parts.flatMap((part) => (part.type === "text" ? [part.text] : [])).join("\n"),
      tools: parts.flatMap((part) => {
        if (part.type !== "tool") return []
        const { state } = part
        const time: { start: number; end?: number } = state.status === "pending" ? { start: Number.NaN } : state.time
        const output =
          state.status === "completed"
            ? state.output
            : state.status === "error"
              ? `ERROR ${state.error}`
              : `(${state.status})`
        return [
          {
            name: part.tool,
            input: state.input,
            output,
            start: time.start,
            end: time.end ?? Number.NaN,
          },
        ]
      }),
      created: info.time.created,
    }))
  }

  /** Messages of ours about tasks. */
  async notices(): Promise<Said[]> {
    return (await this.messages()).filter(({ role, synthetic }) => role === "user" && synthetic)
  }

  /** Waits until so many notices are there. */
  async told(count: number): Promise<Said[]> {
    await until(async () => (await this.notices()).length >= count)
    return this.notices()
  }
}

export async function converse(oc: TestOpenCode, client: OpencodeClient = oc.client): Promise<Conversation> {
  const { data } = await client.session.create({ title: "a conversation" })
  if (data === undefined) throw new Error("no session was made")
  return new Conversation(oc, client, data.id)
}

/** Asks until it is so: what other processes do has no signal here. */
export async function until(so: () => Promise<boolean>, timeoutMs = 30_000): Promise<void> {
  const end = performance.now() + timeoutMs
  while (!(await so())) {
    if (performance.now() > end) throw new Error(`it did not come to be within ${timeoutMs} ms: ${so.toString()}`)
    await Bun.sleep(40)
  }
}

/** A prompt for a task whose agent plays a script. */
export function work(id: string, turns: ScriptedTurn[], onPrompt: ScriptedTurn[] = []): string {
  return scripted(`Look into ${id}.`, { id, turns, onPrompt })
}

/** The call that launches it. */
export function launch(
  id: string,
  turns: ScriptedTurn[],
  more: Record<string, unknown> = {},
): { name: string; args: Record<string, unknown> } {
  return {
    name: "delegate_task",
    args: { prompt: work(id, turns), description: `Task ${id}`, agent: "general", ...more },
  }
}

export function taskIn(answer: string | undefined): string {
  return /Task ID: `?(bg_[0-9a-z]{8})/.exec(answer ?? "")?.[1] ?? `no task in: ${answer}`
}

export function sessionIn(answer: string | undefined): string {
  return /Session ID: `?(ses_[0-9A-Za-z]+)/.exec(answer ?? "")?.[1] ?? `no session in: ${answer}`
}
