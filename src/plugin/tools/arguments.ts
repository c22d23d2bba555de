import * as v from "valibot"

/** Text that says something. */
const words = (what: string): v.GenericSchema<string> =>
  v.pipe(
    v.string("a text"),
    v.check((value) => value.trim() !== "", "a text that is not empty"),
    v.description(what),
  )

const flag = (what: string): v.GenericSchema<boolean> => v.pipe(v.boolean("true or false"), v.description(what))
const number = (what: string, least: number, most: number): v.GenericSchema<number> =>
  v.pipe(
    v.number("a number"),
    v.minValue(least, `a number from ${least}`),
    v.maxValue(most, `a number up to ${most}`),
    v.description(what),
  )

export interface DelegateInput {
  readonly prompt: string
  readonly description?: string | undefined
  readonly agent?: string | undefined
  readonly run_in_background?: boolean | undefined
  readonly session_id?: string | undefined
  readonly model?: string | undefined
  readonly ttl_minutes?: number | undefined
}

export interface OutputInput {
  readonly task_id: string
  readonly block?: boolean | undefined
  readonly timeout?: number | undefined
  readonly full_session?: boolean | undefined
  readonly since?: string | undefined
}

export interface CancelInput {
  readonly task_id?: string | undefined
  readonly all?: boolean | undefined
}

/** A schema of named arguments. */
export type ArgumentSchema<T = unknown> = v.GenericSchema<unknown, T> & {
  readonly entries: Readonly<Record<string, { readonly type: string; readonly wrapped?: { readonly type: string } }>>
}

/** Arguments as a model is shown them. */
export const DELEGATE: ArgumentSchema<DelegateInput> = v.object({
  prompt: words("The whole task, for an agent that knows nothing of this conversation: goal, context, what to return."),
  description: v.optional(words("3–5 words for lists.")),
  agent: v.optional(words("Name of a subagent, such as explore, librarian, oracle or general. Default: general.")),
  run_in_background: v.optional(
    flag("Default true: answers at once, you are notified at the end. false: waits for the result."),
  ),
  session_id: v.optional(
    words("Go on in this session or task (ses_… or bg_…) with its context, instead of a new one."),
  ),
  model: v.optional(words("provider/model, only if the user asked for one.")),
  ttl_minutes: v.optional(number("Longest run time in minutes.", 0.1, 10_080)),
})

export const OUTPUT: ArgumentSchema<OutputInput> = v.object({
  task_id: words("The task (bg_…) or its session (ses_…)."),
  block: v.optional(flag("Wait for its end, up to `timeout`. Rarely needed: you are notified.")),
  timeout: v.optional(number("Longest wait in ms, with block. Default 60000, at most 600000.", 0, 600_000)),
  full_session: v.optional(flag("All messages of its session, in pages, instead of the final answer.")),
  since: v.optional(words("With full_session: the cursor the page before ended with.")),
})

export const CANCEL: ArgumentSchema<CancelInput> = v.object({
  task_id: v.optional(words("The task to cancel (bg_… or ses_…).")),
  all: v.optional(flag("Cancel all unfinished tasks of this conversation.")),
})

/** Other words models know the arguments by. */
const ALIASES: Readonly<Record<string, string>> = {
  subagent_type: "agent",
  subagent: "agent",
  background: "run_in_background",
  taskId: "task_id",
  sessionId: "session_id",
}

/** What a model has sent, or one sentence on what is wrong with it. */
export function read<T>(schema: ArgumentSchema<T>, sent: unknown): { readonly value: T } | { readonly wrong: string } {
  const parsed = v.safeParse(schema, named(sent, schema))
  if (parsed.success) return { value: parsed.output }
  const [issue] = parsed.issues
  const path = v.getDotPath(issue)
  if (path === null) return { wrong: "expected an object of arguments" }
  const received = issue.received === "undefined" ? "nothing" : issue.received.slice(0, 60)
  return {
    wrong: `${path}: expected ${issue.message.startsWith("Invalid key") ? "it to be there" : issue.message}, got ${received}`,
  }
}

/** By their proper names; without what is null; `"true"` and `"5"` as what they mean. */
function named(sent: unknown, schema: ArgumentSchema): unknown {
  if (typeof sent !== "object" || sent === null || Array.isArray(sent)) return sent
  const entries = Object.entries(sent).flatMap(([key, value]: [string, unknown]) => {
    const name = ALIASES[key] ?? key
    if (value === null || value === undefined || (name !== key && Object.hasOwn(sent, name))) return []
    return [[name, meant(schema, name, value)] as const]
  })
  return Object.fromEntries(entries)
}

function meant(schema: ArgumentSchema, name: string, value: unknown): unknown {
  if (typeof value !== "string") return value
  // Optional arguments left blank are left out.
  if (value.trim() === "" && name !== "prompt") return undefined
  const expected = typeOf(schema, name)
  if (expected === "boolean" && /^(true|false)$/i.test(value)) return value.toLowerCase() === "true"
  if (expected === "number" && Number.isFinite(Number(value))) return Number(value)
  return value
}

function typeOf({ entries }: ArgumentSchema, name: string): string | undefined {
  const entry = Object.hasOwn(entries, name) ? entries[name] : undefined
  return entry?.wrapped?.type ?? entry?.type
}

/** Accepted because other plugins have them; nothing here does what they ask. */
const IGNORED = ["skills", "load_skills", "category", "command"]

/** What was sent and is not heeded, as a note. */
export function ignoredNotes(sent: unknown): string[] {
  if (typeof sent !== "object" || sent === null) return []
  const names = IGNORED.filter((name) => {
    const value = (sent as Record<string, unknown>)[name]
    return value !== undefined && value !== null && value !== "" && !(Array.isArray(value) && value.length === 0)
  })
  return names.length === 0 ? [] : [`${names.join(", ")} ignored: put what the agent needs into the prompt.`]
}
