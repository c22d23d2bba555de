import type { Hint } from "../core/snapshot.ts"
import { todosOf } from "../core/todos.ts"
import { list, record, text } from "./loose.ts"
import type { Loose } from "./loose.ts"

/** What a server event says of one session. */
export interface Heard {
  readonly sessionID: string
  readonly hint: Hint
  /** The part it is about: several tools run in parallel, and one that ends leaves the others running. */
  readonly partID?: string
}

/**
 * An event of OpenCode 1.18 as a hint, or undefined: not of a session, or nothing the agent did. Takes anything, so that
 * a malformed event is just no hint.
 */
export function hintOf(event: unknown): Heard | undefined {
  const type = text(record(event)?.["type"])
  const properties = record(record(event)?.["properties"])
  const sessionID = text(properties?.["sessionID"])
  if (type === undefined || properties === undefined || sessionID === undefined) return undefined
  const read = Object.hasOwn(READERS, type) ? READERS[type] : undefined
  // New kinds of events come with new versions: whatever a session says proves that it lives.
  const hint = read === undefined ? ({ type: "delta" } as const) : read(properties)
  const partID = text(record(properties["part"])?.["id"])
  return hint === undefined ? undefined : { sessionID, hint, ...(partID === undefined ? {} : { partID }) }
}

/** The instance of this directory, or all of them, came to an end; what ran in it was aborted. */
export function isDisposal(event: unknown, directory: string): boolean {
  const type = text(record(event)?.["type"])
  const of = record(record(event)?.["properties"])?.["directory"]
  return type === "global.disposed" || (type === "server.instance.disposed" && (of === undefined || of === directory))
}

/** Nothing the agent did: our own prompts and marks, and what the server notes about a session. */
const nothing = (): undefined => undefined

const READERS: Readonly<Record<string, (properties: Loose) => Hint | undefined>> = {
  "message.part.delta": () => ({ type: "delta" }),
  "message.part.updated": ({ part }) => partHint(record(part)),
  "message.updated": ({ info }) => messageHint(record(info)),
  "session.status": ({ status }) => (record(status)?.["type"] === "idle" ? { type: "idle" } : undefined),
  "session.idle": () => ({ type: "idle" }),
  "session.compacted": () => ({ type: "step-end" }),
  "session.error": ({ error }) => errorHint(record(error)),
  "session.deleted": () => ({ type: "deleted" }),
  "todo.updated": ({ todos }) => todosHint(list(todos)),
  "permission.asked": (asked) => askHint(asked, text(asked["permission"]), list(asked["patterns"])),
  "question.asked": (asked) => askHint(asked, "question", list(asked["questions"])?.map(questionOf)),
  "permission.replied": ({ requestID, reply }) => answered(requestID, reply === "reject"),
  "question.replied": ({ requestID }) => answered(requestID, false),
  "question.rejected": ({ requestID }) => answered(requestID, true),
  "session.created": nothing,
  "session.updated": nothing,
  "session.diff": nothing,
  "message.removed": nothing,
  "message.part.removed": nothing,
}

function messageHint(info: Loose | undefined): Hint | undefined {
  const messageID = text(info?.["id"])
  if (info?.["role"] !== "assistant" || messageID === undefined) return undefined
  const completed = record(info["time"])?.["completed"] !== undefined
  return completed ? { type: "step-end", ...useOf(info) } : { type: "step", messageID }
}

/** What the step used, if the message says so. */
function useOf(info: Loose): Pick<Extract<Hint, { type: "step-end" }>, "used"> {
  const tokens = record(info["tokens"])
  if (tokens === undefined) return {}
  const cache = record(tokens["cache"])
  return {
    used: {
      tokens: {
        input: count(tokens["input"]),
        output: count(tokens["output"]),
        reasoning: count(tokens["reasoning"]),
        cacheRead: count(cache?.["read"]),
        cacheWrite: count(cache?.["write"]),
      },
      cost: count(info["cost"]),
    },
  }
}

function count(value: unknown): number {
  return typeof value === "number" && Number.isFinite(value) && value >= 0 ? value : 0
}

function partHint(part: Loose | undefined): Hint | undefined {
  const type = text(part?.["type"])
  if (part === undefined || type === undefined) return undefined
  if (type === "tool") return toolHint(text(part["tool"]), text(record(part["state"])?.["status"]))
  // The model's text carries the time it was written; a prompt's does not, and the other kinds are parts of prompts.
  if (type === "text") return part["time"] === undefined ? undefined : { type: "part" }
  return PROMPT_PARTS.has(type) ? undefined : { type: "part" }
}

const PROMPT_PARTS: ReadonlySet<string> = new Set(["file", "agent", "subtask", "compaction"])

function toolHint(tool: string | undefined, status: string | undefined): Hint {
  if (status === "running") return { type: "part", ...(tool === undefined ? {} : { tool }) }
  return status === "completed" || status === "error" ? { type: "part", tool: null } : { type: "part" }
}

function errorHint(error: Loose | undefined): Hint {
  const name = text(error?.["name"]) ?? "UnknownError"
  // Some messages are followed by a stack of OpenCode's own.
  const message = (text(record(error?.["data"])?.["message"]) ?? "").split("\n    at ", 1)[0] ?? ""
  return { type: "error", name, message: message || name }
}

function todosHint(todos: readonly unknown[] | undefined): Hint | undefined {
  const read = todos?.map((todo) => ({
    content: text(record(todo)?.["content"]),
    status: text(record(todo)?.["status"]),
  }))
  const whole = read?.flatMap(({ content, status }) =>
    content === undefined || status === undefined ? [] : [{ content, status }],
  )
  return whole === undefined || whole.length !== read?.length ? undefined : { type: "todos", todos: todosOf(whole) }
}

function askHint(
  asked: Loose,
  permission: string | undefined,
  patterns: readonly unknown[] | undefined,
): Hint | undefined {
  const id = text(asked["id"])
  if (id === undefined || permission === undefined) return undefined
  const known = (patterns ?? []).filter((pattern) => typeof pattern === "string")
  return { type: "ask", ask: { id, permission, patterns: known } }
}

function questionOf(question: unknown): unknown {
  return record(question)?.["question"]
}

function answered(requestID: unknown, rejected: boolean): Hint | undefined {
  const askID = text(requestID)
  return askID === undefined ? undefined : { type: "answered", askID, rejected }
}
