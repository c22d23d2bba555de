import type { MessagesPage, PlainMessage } from "../src/coordinator/ports.ts"
import { digestOf } from "../src/core/digest.ts"
import type { NewestMessage } from "../src/core/snapshot.ts"
import { cutMiddle } from "../src/core/text.ts"
import type { AssistantAnswer, MessageAnswer, PartAnswer } from "./opencode-shapes.ts"

/** The newest messages as a run needs them: what the last one is, and whether anything moved. */
export function pageOf(messages: readonly MessageAnswer[], maxChars: number): MessagesPage {
  // The list is in order of creation on the server's clock. Ids are not: ours come from another clock (measured: a prompt
  // with an id of the future is answered under an id before it).
  const newestFirst = messages.toReversed()
  const users = newestFirst.filter(({ info }) => info.role === "user").map(({ info }) => info.id)
  const [newest] = newestFirst
  const [newestUser] = users
  const answer = newestFirst.find(({ info }) => info.role === "assistant")
  return {
    newest: newest === undefined ? null : newestOf(newest, answer, maxChars),
    ...(newestUser === undefined ? {} : { newestUser }),
    fingerprint: fingerprintOf(answer),
    users,
  }
}

/** A message as text, with the states of its tools. */
export function plainOf({ info, parts }: MessageAnswer): PlainMessage {
  const error = info.role === "assistant" ? errorOf(info) : undefined
  return {
    id: info.id,
    role: info.role,
    text: textOf(parts),
    tools: parts.flatMap(({ tool, state }) =>
      tool === undefined || state === undefined ? [] : [{ name: tool, state: state.status }],
    ),
    ...(error === undefined
      ? {}
      : { error: error.message === error.name ? error.name : `${error.name}: ${error.message}` }),
    created: info.time.created,
  }
}

function newestOf({ info, parts }: MessageAnswer, answer: MessageAnswer | undefined, maxChars: number): NewestMessage {
  const text = textOf(parts)
  const finished = parts.some(({ state }) => state?.status === "completed" || state?.status === "error")
  const output = text.trim() !== "" || finished
  const tool = answer?.parts.find(({ state }) => state?.status === "running")?.tool
  const running = tool === undefined ? {} : { tool }
  if (info.role === "user") return { id: info.id, role: "user", completed: false, summary: false, output, ...running }
  const completed = info.time.completed !== undefined
  const error = errorOf(info)
  return {
    id: info.id,
    role: "assistant",
    parentID: info.parentID,
    completed,
    ...(info.finish === undefined ? {} : { finish: info.finish }),
    ...(error === undefined ? {} : { error }),
    summary: info.summary === true,
    output,
    ...(completed ? shortened(text, maxChars) : {}),
    ...running,
  }
}

function shortened(text: string, maxChars: number): Pick<NewestMessage, "text" | "cut"> {
  const { text: short, cut } = cutMiddle(text, maxChars)
  return cut ? { text: short, cut } : { text: short }
}

function textOf(parts: readonly PartAnswer[]): string {
  return parts
    .filter(({ type, synthetic, ignored }) => type === "text" && synthetic !== true && ignored !== true)
    .map(({ text }) => text ?? "")
    .filter((text) => text !== "")
    .join("\n\n")
}

/** Some errors have nothing to say but their name. */
function errorOf({ error }: AssistantAnswer): { name: string; message: string } | undefined {
  return error === undefined ? undefined : { name: error.name, message: error.data?.message || error.name }
}

function fingerprintOf(message: MessageAnswer | undefined): string {
  if (message?.info.role !== "assistant") return ""
  const { id, tokens, time, error, finish } = message.info
  const parts = message.parts.map(({ id: part, text, state }) => [part, text?.length, state?.status, sizeOf(state)])
  return digestOf(JSON.stringify([id, tokens, time.completed, error?.name, finish, parts]))
}

/** How much a tool has said so far; a running one says it in its metadata. */
function sizeOf(state: PartAnswer["state"]): number {
  const running = state?.metadata?.output
  const said = state?.output ?? state?.error ?? (typeof running === "string" ? running : "")
  return said.length
}
