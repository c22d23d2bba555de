import * as v from "valibot"

import { WIRE } from "./link.ts"

/**
 * What is read of OpenCode's answers; everything else in them is ignored. Measured on 1.18.33. What passes here passes the
 * host's door, too: an odd answer of the server's is not a fault of the worker that read it.
 */

type Shape<T> = v.GenericSchema<unknown, T>

const count = v.pipe(v.number(), v.finite())
/** Something used, never less than nothing. */
const amount = v.pipe(
  count,
  v.transform((n) => Math.max(0, n)),
)
/** Part of paths and of other ids: never cut, for it would be another's. OpenCode's have 30 characters. */
const id = v.pipe(v.string(), v.maxLength(256))
const attempt = v.pipe(v.number(), v.safeInteger(), v.minValue(0))
/** Only shown. */
const label = v.pipe(
  v.string(),
  v.transform((text) => text.slice(0, WIRE.nameChars)),
)

export interface SessionAnswer {
  id: string
  directory: string
  title: string
  parentID?: string | undefined
  time: { created: number; updated: number }
  metadata?: Record<string, unknown> | undefined
  cost?: number | undefined
  tokens?: { input: number; output: number; reasoning: number; cache: { read: number; write: number } } | undefined
}

export const SessionShape: Shape<SessionAnswer> = v.object({
  id,
  directory: v.string(),
  title: v.string(),
  parentID: v.optional(id),
  time: v.object({ created: count, updated: count }),
  metadata: v.optional(v.record(v.string(), v.unknown())),
  cost: v.optional(amount),
  tokens: v.optional(
    v.object({ input: amount, output: amount, reasoning: amount, cache: v.object({ read: amount, write: amount }) }),
  ),
})

export const SessionsShape: Shape<SessionAnswer[]> = v.array(SessionShape)

export type StatusAnswer = Record<
  string,
  { type: "retry"; attempt: number; message: string; next: number } | { type: string }
>

/** Entries of other types, and garbled ones, are read as busy: a session in the map is not idle. */
export const StatusShape: Shape<StatusAnswer> = v.record(
  v.string(),
  v.union([
    v.object({ type: v.literal("retry"), attempt, message: label, next: count }),
    v.object({ type: v.string() }),
  ]),
)

export interface PartAnswer {
  id: string
  type: string
  text?: string | undefined
  synthetic?: boolean | undefined
  ignored?: boolean | undefined
  tool?: string | undefined
  state?:
    | {
        status: string
        output?: string | undefined
        error?: string | undefined
        metadata?: { output?: unknown } | undefined
      }
    | undefined
}

const PartShape: Shape<PartAnswer> = v.object({
  id: v.string(),
  type: v.string(),
  text: v.optional(v.string()),
  /** Text of OpenCode's own making, and text the model does not get. */
  synthetic: v.optional(v.boolean()),
  ignored: v.optional(v.boolean()),
  tool: v.optional(label),
  state: v.optional(
    v.object({
      status: v.string(),
      output: v.optional(v.string()),
      error: v.optional(v.string()),
      metadata: v.optional(v.object({ output: v.optional(v.unknown()) })),
    }),
  ),
})

interface UserAnswer {
  id: string
  role: "user"
  time: { created: number }
}

export interface AssistantAnswer {
  id: string
  role: "assistant"
  parentID: string
  time: { created: number; completed?: number | undefined }
  finish?: string | undefined
  summary?: boolean | undefined
  error?: { name: string; data?: { message?: string | undefined } | undefined } | undefined
  tokens: { input: number; output: number; reasoning: number }
}

export interface MessageAnswer {
  info: UserAnswer | AssistantAnswer
  parts: PartAnswer[]
}

const UserShape = v.object({ id, role: v.literal("user"), time: v.object({ created: count }) })

const AssistantShape = v.object({
  id,
  role: v.literal("assistant"),
  parentID: id,
  time: v.object({ created: count, completed: v.optional(count) }),
  finish: v.optional(label),
  summary: v.optional(v.boolean()),
  error: v.optional(v.object({ name: label, data: v.optional(v.object({ message: v.optional(label) })) })),
  tokens: v.object({ input: count, output: count, reasoning: count }),
})

const MessageShape: Shape<MessageAnswer> = v.object({
  info: v.variant("role", [UserShape, AssistantShape]),
  parts: v.array(PartShape),
})

export const MessagesShape: Shape<MessageAnswer[]> = v.array(MessageShape)

export const TodosShape: Shape<{ content: string; status: string }[]> = v.array(
  v.object({ content: v.string(), status: v.string() }),
)

export type PermissionsAnswer = { id: string; sessionID: string; permission: string; patterns: string[] }[]

export const PermissionsShape: Shape<PermissionsAnswer> = v.array(
  v.object({ id, sessionID: id, permission: label, patterns: v.array(label) }),
)

export type QuestionsAnswer = { id: string; sessionID: string; questions: { question: string }[] }[]

export const QuestionsShape: Shape<QuestionsAnswer> = v.array(
  v.object({ id, sessionID: id, questions: v.array(v.object({ question: label })) }),
)

/** Acceptance without a body, or with one nobody needs. */
export const AcceptedShape: Shape<unknown> = v.unknown()

/** The two bodies OpenCode refuses with: `{ name, data: { message } }` and `{ _tag, message }`. */
export const RefusalShape: Shape<{
  message?: string | undefined
  data?: { message?: string | undefined } | undefined
}> = v.object({
  message: v.optional(v.string()),
  data: v.optional(v.object({ message: v.optional(v.string()) })),
})
