/**
 * An OpenAI-compatible chat model that plays the script found in the user's prompt.
 *
 * It lets OpenCode run with no provider, no network and no cost, the same way every time. Each
 * provider has a base URL of its own, so that the log can tell whose lane a call belongs to.
 */

import { CallLog } from "./call-log.ts"
import type { CallFilter, ModelCall, Truthy } from "./call-log.ts"
import { completionObject, completionStream, pause } from "./completion.ts"
import { plan } from "./plan.ts"
import { fill, following, newestUserText } from "./script.ts"
import type { ChosenTurn, ModelMessage, Position, ScriptedTurn } from "./script.ts"

export { scripted } from "./script.ts"
export type { Script, ScriptedTurn } from "./script.ts"

/** A running scripted model. */
export interface ScriptedModel extends AsyncDisposable {
  /** `http://127.0.0.1:PORT` */
  readonly url: string
  /** The base URL to configure for a provider. */
  baseURL(provider: string): string
  readonly log: readonly ModelCall[]
  /** The turns played for one script id. */
  calls(scriptId: string): ModelCall[]
  /** Calls being answered right now; titles and summaries excepted. */
  inFlight(filter?: CallFilter): number
  /** The most calls ever answered at one time; titles and summaries excepted. */
  peak(filter?: CallFilter): number
  /** Resolves when `predicate` holds, looked at whenever a call starts or ends. */
  waitFor<T>(predicate: (calls: readonly ModelCall[]) => T, options?: { timeoutMs?: number }): Promise<Truthy<T>>
  close(): Promise<void>
}

interface CompletionRequest {
  model: string
  stream?: boolean
  messages: { role: string; content?: string | { type: string; text?: string }[] | null }[]
  tools?: { function: { name: string } }[]
}

/** Starts a scripted model on a free port of 127.0.0.1. */
export function startScriptedModel(): ScriptedModel {
  const log = new CallLog()
  const faults = new Map<string, number>()
  const positions = new Map<string | undefined, Position | undefined>()
  const closing = new AbortController()
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 0,
    fetch: async (request) => {
      const { pathname } = new URL(request.url)
      if (!pathname.endsWith("/chat/completions")) return new Response("not found", { status: 404 })
      const body = (await request.json()) as CompletionRequest
      const signal = AbortSignal.any([request.signal, closing.signal])
      return answer(body, pathname.split("/")[1] ?? "", request.headers, signal)
    },
  })

  async function answer(
    body: CompletionRequest,
    provider: string,
    headers: Headers,
    signal: AbortSignal,
  ): Promise<Response> {
    const messages = body.messages.map(flatten)
    const sessionId = headers.get("x-session-affinity") ?? undefined
    const { kind, position, chosen } = plan(messages, (body.tools?.length ?? 0) > 0, positions.get(sessionId))
    const faulty = strikes(chosen, faults)
    if (kind === "turn" && !faulty) positions.set(sessionId, position && played(position))
    const turn = faulty ? chosen.turn : ordinary(chosen.turn)
    const call = log.open({
      scriptId: position?.script.id,
      kind,
      provider,
      model: body.model,
      sessionId,
      key: chosen.key,
      status: turn.status ?? 200,
      messages: messages.length,
      lastUser: newestUserText(messages).slice(0, 2000),
      tools: (body.tools ?? []).map((tool) => tool.function.name),
    })
    signal.addEventListener("abort", () => log.end(call, true), { once: true })

    await pause(turn.wait ?? 0, signal)
    if (turn.hang) await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }))
    if (signal.aborted) return gone(log, call)
    if (turn.status !== undefined) return refuse(turn, log, call)

    const filled = fill(turn, messages)
    const callId = `${call.n}`
    if (body.stream !== true) {
      log.end(call, false)
      return Response.json(completionObject(filled, body.model, callId))
    }
    const stream = completionStream(filled, body.model, callId, signal).pipeThrough(
      new TransformStream({ flush: () => log.end(call, false) }),
    )
    return new Response(stream, { headers: { "content-type": "text/event-stream", "cache-control": "no-cache" } })
  }

  const close = async (): Promise<void> => {
    closing.abort()
    await server.stop(true)
  }
  const url = `http://127.0.0.1:${server.port}`
  return {
    url,
    baseURL: (provider) => `${url}/${provider}/v1`,
    log: log.entries,
    calls: (scriptId) => log.calls(scriptId),
    inFlight: (filter) => log.inFlight(filter),
    peak: (filter) => log.peak(filter),
    waitFor: (predicate, options) => log.waitFor(predicate, options),
    close,
    [Symbol.asyncDispose]: close,
  }
}

function strikes({ turn, key }: ChosenTurn, faults: Map<string, number>): boolean {
  if (turn.status === undefined && !turn.hang && !turn.empty) return false
  const struck = faults.get(key) ?? 0
  if (struck >= (turn.times ?? Number.POSITIVE_INFINITY)) return false
  faults.set(key, struck + 1)
  return true
}

function played({ script, progress }: Position): Position {
  return { script, progress: following(script, progress) }
}

function ordinary({ status: _status, hang: _hang, empty: _empty, ...turn }: ScriptedTurn): ScriptedTurn {
  return turn
}

function refuse(turn: ScriptedTurn, log: CallLog, call: ModelCall): Response {
  log.end(call, false)
  const headers: Record<string, string> =
    turn.retryAfter === undefined ? {} : { "retry-after": String(turn.retryAfter) }
  const error = { message: turn.message ?? `scripted status ${turn.status}`, type: "scripted_error" }
  return Response.json({ error }, { status: turn.status ?? 500, headers })
}

function gone(log: CallLog, call: ModelCall): Response {
  log.end(call, true)
  return new Response(null, { status: 499 })
}

function flatten(message: CompletionRequest["messages"][number]): ModelMessage {
  const { role, content } = message
  if (typeof content === "string") return { role, text: content }
  return { role, text: (content ?? []).map((part) => part.text ?? "").join("\n") }
}
