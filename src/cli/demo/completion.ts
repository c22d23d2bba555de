/** The wire format of one scripted turn: an OpenAI chat completion as server-sent events. */

import type { ScriptedTurn } from "./script.ts"

const encoder = new TextEncoder()

/** The body of a streamed answer; ends early and quietly when `signal` aborts. */
export function completionStream(
  turn: ScriptedTurn,
  model: string,
  callId: string,
  signal: AbortSignal,
): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>({
    async start(controller) {
      try {
        for await (const event of events(turn, model, callId, signal)) {
          if (signal.aborted) break
          controller.enqueue(encoder.encode(`data: ${event}\n\n`))
        }
        if (!signal.aborted) controller.close()
      } catch (error) {
        if (!signal.aborted) controller.error(error)
      }
    },
  })
}

/** The body of an answer to a request that asked for no stream. */
export function completionObject(turn: ScriptedTurn, model: string, callId: string): unknown {
  return {
    id: `chatcmpl-${callId}`,
    object: "chat.completion",
    model,
    choices: [{ index: 0, message: { role: "assistant", content: turn.text ?? "" }, finish_reason: finishOf(turn) }],
    usage: usageOf(turn),
  }
}

/** Resolves after `ms`, or at once when `signal` aborts. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (ms <= 0 || signal.aborted) return Promise.resolve()
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer)
      signal.removeEventListener("abort", done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    signal.addEventListener("abort", done, { once: true })
  })
}

async function* events(turn: ScriptedTurn, model: string, callId: string, signal: AbortSignal): AsyncGenerator<string> {
  const chunk = (delta: object, finish: string | null = null, extra: object = {}): string =>
    JSON.stringify({
      id: `chatcmpl-${callId}`,
      object: "chat.completion.chunk",
      created: 0,
      model,
      choices: [{ index: 0, delta, finish_reason: finish }],
      ...extra,
    })

  yield chunk({ role: "assistant", content: "" })
  if (!turn.empty) {
    if (turn.reasoning !== undefined) yield chunk({ reasoning_content: turn.reasoning })
    for (const [index, piece] of pieces(turn).entries()) {
      if (index > 0) await pause(turn.stream?.everyMs ?? 0, signal)
      if (signal.aborted) return
      yield chunk({ content: piece })
    }
    for (const [index, tool] of (turn.tools ?? []).entries()) {
      const call = { name: tool.name, arguments: JSON.stringify(tool.args) }
      yield chunk({ tool_calls: [{ index, id: `call_${callId}_${index}`, type: "function", function: call }] })
    }
  }
  const finish = finishOf(turn)
  yield chunk({}, finish, { usage: usageOf(turn) })
  // Without a finish reason the stream just stops, as a cut connection would leave it.
  if (finish !== null) yield "[DONE]"
}

function pieces(turn: ScriptedTurn): string[] {
  if (!turn.stream) return turn.text === undefined ? [] : [turn.text]
  const { chunks } = turn.stream
  const { text } = turn
  if (text === undefined) return Array.from({ length: chunks }, (_, index) => `word${index} `)
  const size = Math.ceil(text.length / chunks)
  return Array.from({ length: chunks }, (_, index) => text.slice(index * size, (index + 1) * size))
}

function finishOf(turn: ScriptedTurn): string | null {
  if (turn.finish !== undefined) return turn.finish
  return turn.tools?.length && !turn.empty ? "tool_calls" : "stop"
}

function usageOf(turn: ScriptedTurn): object {
  const { in: input, out } = turn.usage ?? { in: 10, out: 5 }
  return { prompt_tokens: input, completion_tokens: out, total_tokens: input + out }
}
