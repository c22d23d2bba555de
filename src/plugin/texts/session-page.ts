import type { TaskRow } from "../../core/task.ts"
import type { ToolNames } from "../names.ts"
import { endIn, fits, less, within } from "./room.ts"
import type { Room } from "./room.ts"

interface SessionMessage {
  readonly id: string
  readonly role: "user" | "assistant"
  readonly text: string
  readonly tools: readonly { readonly name: string; readonly state: string }[]
  readonly error?: string
}

interface Place {
  readonly index: number
  readonly at: number
}

/** Room for the longest cursor. */
const CURSOR = " ".repeat(80)

/**
 * The messages of a task's session as text, in pages. A cursor is the last message shown that will not change any more,
 * or a place in one that was split, `msg_…@40000`; the next page goes on there. An answer that is not
 * complete changes, and not only at its end: it is shown as it is, and again by the next page.
 */
export function page(
  row: TaskRow,
  messages: readonly SessionMessage[],
  since: string | undefined,
  names: ToolNames,
  room: Room,
): string {
  const head = [
    "Session Messages",
    "",
    `Task ID: ${row.id}`,
    `Status: ${row.state}`,
    `Session ID: ${row.sessionID ?? "(not started)"}`,
  ].join("\n")
  const from = placeOf(messages, since)
  if (from === undefined) {
    return `${head}\n\nThere is no message "${since?.slice(0, 80)}" in this session; leave since out to begin at the first one.`
  }
  const more = (cursor: string): string =>
    `\n\n---\nThere is more: ${names.output}(task_id="${row.id}", full_session=true, since="${cursor}")`
  const closed = closedOf(row, messages, from)
  let left = less(room, head + more(CURSOR))
  let shown = ""
  for (const [index, message] of messages.slice(0, closed).entries()) {
    if (index < from.index) continue
    const text = written(message)
    const at = index === from.index ? from.at : 0
    const title = titleOf(message, at > 0 ? " (continued)" : "")
    const end = endIn(text, at, less(left, title))
    const block = end > at ? title + text.slice(at, end) : ""
    shown += block
    left = less(left, block)
    if (end < text.length) return head + shown + more(`${message.id}@${end}`)
  }
  const cursor = messages[closed - 1]?.id ?? "none yet"
  const rest = messages
    .slice(closed)
    .map((message) => titleOf(message, message.role === "assistant" ? " (so far)" : "") + written(message))
    .join("")
  if (shown !== "" && !fits(rest, left)) return head + shown + more(cursor)
  shown += within(rest, left)
  return `${head}${shown || "\n\n(no new messages)"}\n\n---\nThat is all so far. Cursor: ${cursor}`
}

function titleOf({ role }: SessionMessage, note: string): string {
  return `\n\n### ${role}${note}\n\n`
}

/** How many messages will not change any more. Of what was stopped the last text comes late, and then an error. */
function closedOf({ state }: TaskRow, messages: readonly SessionMessage[], { index, at }: Place): number {
  const newest = messages.findLastIndex(({ role }) => role === "assistant")
  const ended = newest < 0 || state === "completed" || messages[newest]?.error !== undefined
  // What was split is over, too.
  return Math.max(ended ? messages.length : newest, at > 0 ? index + 1 : index)
}

function placeOf(messages: readonly SessionMessage[], since: string | undefined): Place | undefined {
  if (since === undefined) return { index: 0, at: 0 }
  const [id = "", at] = since.split("@", 2)
  const index = messages.findIndex((message) => message.id === id)
  if (index < 0) return undefined
  const offset = Number(at)
  return at === undefined || !Number.isInteger(offset) || offset < 0
    ? { index: index + 1, at: 0 }
    : { index, at: offset }
}

function written({ text, tools, error }: SessionMessage): string {
  const used = tools.map(({ name, state }) => `${name} (${state})`)
  const pieces = [
    text,
    used.length === 0 ? "" : `[tools: ${used.join(", ")}]`,
    error === undefined ? "" : `[error: ${error}]`,
  ]
  return pieces.filter((piece) => piece !== "").join("\n\n") || "(nothing)"
}
