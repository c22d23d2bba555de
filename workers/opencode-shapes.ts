import * as v from "valibot"

/** What is read of OpenCode's answers; everything else in them is ignored. Measured on 1.18.33. */

const count = v.pipe(v.number(), v.finite())

export const SessionShape = v.object({
  id: v.string(),
  directory: v.string(),
  title: v.string(),
  parentID: v.optional(v.string()),
  time: v.object({ created: count, updated: count }),
  metadata: v.optional(v.record(v.string(), v.unknown())),
  cost: v.optional(count),
  tokens: v.optional(
    v.object({ input: count, output: count, reasoning: count, cache: v.object({ read: count, write: count }) }),
  ),
})
export type SessionAnswer = v.InferOutput<typeof SessionShape>

export const SessionsShape = v.array(SessionShape)

/** Entries of other types are read as busy: a session in the map is not idle. */
export const StatusShape = v.record(
  v.string(),
  v.union([
    v.object({ type: v.literal("retry"), attempt: count, message: v.string(), next: count }),
    v.object({ type: v.string() }),
  ]),
)
export type StatusAnswer = v.InferOutput<typeof StatusShape>

const PartShape = v.object({
  id: v.string(),
  type: v.string(),
  text: v.optional(v.string()),
  /** Text of OpenCode's own making, and text the model does not get. */
  synthetic: v.optional(v.boolean()),
  ignored: v.optional(v.boolean()),
  tool: v.optional(v.string()),
  state: v.optional(
    v.object({
      status: v.string(),
      output: v.optional(v.string()),
      error: v.optional(v.string()),
      metadata: v.optional(v.object({ output: v.optional(v.unknown()) })),
    }),
  ),
})
export type PartAnswer = v.InferOutput<typeof PartShape>

const UserShape = v.object({ id: v.string(), role: v.literal("user"), time: v.object({ created: count }) })

const AssistantShape = v.object({
  id: v.string(),
  role: v.literal("assistant"),
  parentID: v.string(),
  time: v.object({ created: count, completed: v.optional(count) }),
  finish: v.optional(v.string()),
  summary: v.optional(v.boolean()),
  error: v.optional(v.object({ name: v.string(), data: v.optional(v.object({ message: v.optional(v.string()) })) })),
  tokens: v.object({ input: count, output: count, reasoning: count }),
})
export type AssistantAnswer = v.InferOutput<typeof AssistantShape>

const MessageShape = v.object({
  info: v.variant("role", [UserShape, AssistantShape]),
  parts: v.array(PartShape),
})
export type MessageAnswer = v.InferOutput<typeof MessageShape>

export const MessagesShape = v.array(MessageShape)

export const TodosShape = v.array(v.object({ content: v.string(), status: v.string() }))

export const PermissionsShape = v.array(
  v.object({ id: v.string(), sessionID: v.string(), permission: v.string(), patterns: v.array(v.string()) }),
)
export type PermissionsAnswer = v.InferOutput<typeof PermissionsShape>

export const QuestionsShape = v.array(
  v.object({ id: v.string(), sessionID: v.string(), questions: v.array(v.object({ question: v.string() })) }),
)
export type QuestionsAnswer = v.InferOutput<typeof QuestionsShape>

/** Acceptance without a body, or with one nobody needs. */
export const AcceptedShape = v.unknown()

/** The two bodies OpenCode refuses with: `{ name, data: { message } }` and `{ _tag, message }`. */
export const RefusalShape = v.object({
  message: v.optional(v.string()),
  data: v.optional(v.object({ message: v.optional(v.string()) })),
})
