import type { TaskRow } from "../../core/task.ts"
import type { ToolNames } from "../names.ts"
import { whole } from "./plain.ts"

/** The host cuts a tool's answer at about 50 kB; a page stays below with its frame. */
const PAGE_CHARS = 40_000

interface SessionMessage {
  readonly id: string
  readonly role: "user" | "assistant"
  readonly text: string
  readonly tools: readonly { readonly name: string; readonly state: string }[]
  readonly error?: string
}

/**
 * The messages of a task's session as text, in pages. A cursor is the message a page ended in, and where in it:
 * `msg_…@40000`; the next page goes on there, also when messages have been added meanwhile.
 */
export function page(
  row: TaskRow,
  messages: readonly SessionMessage[],
  since: string | undefined,
  names: ToolNames,
): string {
  const head = [
    "Session Messages",
    "",
    `Task ID: ${row.id}`,
    `Status: ${row.state}`,
    `Session ID: ${row.sessionID ?? "(not started)"}`,
  ]
  const from = place(messages, since)
  if (from === undefined) {
    return [
      ...head,
      "",
      `There is no message "${since?.slice(0, 80)}" in this session; leave since out to begin at the first one.`,
    ].join("\n")
  }
  let room = PAGE_CHARS
  const shown: string[] = []
  for (let index = from.index; index < messages.length; index++) {
    const message = messages[index]
    if (message === undefined) break
    const text = written(message)
    const start = index === from.index ? from.at : 0
    if (start >= text.length && start > 0) continue
    const end = whole(text, Math.min(text.length, start + room))
    shown.push("", `### ${message.role}${start > 0 ? " (continued)" : ""}`, "", text.slice(start, end))
    room -= end - start
    if (end < text.length || room <= 200)
      return [...head, ...shown, "", "---", next(row, `${message.id}@${end}`, names)].join("\n")
  }
  const last = messages.at(-1)
  if (shown.length === 0) shown.push("", "(no new messages)")
  const cursor = last === undefined ? "none yet" : `${last.id}@${written(last).length}`
  return [...head, ...shown, "", "---", `That is all so far. Cursor: ${cursor}`].join("\n")
}

function next(row: TaskRow, cursor: string, names: ToolNames): string {
  return `There is more: ${names.output}(task_id="${row.id}", full_session=true, since="${cursor}")`
}

function place(
  messages: readonly SessionMessage[],
  since: string | undefined,
): { index: number; at: number } | undefined {
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
