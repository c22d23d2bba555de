import * as v from "valibot"

import type { RunReport } from "../src/core/inputs.ts"
import { TAG, WIRE } from "./link.ts"
import type { FromWorker, Pong } from "./link.ts"

/*
 * The host's door: nothing of a worker's is used before it has passed here. What passes is a copy with exactly the
 * fields of the contract; a message that does not pass is a fault of its worker.
 */

const name = v.pipe(v.string(), v.maxLength(WIRE.nameChars))
const text = v.pipe(v.string(), v.maxLength(WIRE.textChars))
const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0))
const amount = v.pipe(v.number(), v.finite(), v.minValue(0))
const names = v.pipe(v.array(name), v.maxLength(WIRE.entries))

const run = v.object({ task: name, epoch: count, attempt: count })
const todos = v.object({ open: count, digest: name })
const tokens = v.object({ input: amount, output: amount, reasoning: amount, cacheRead: amount, cacheWrite: amount })

const status = v.variant("type", [
  v.object({ type: v.literal("absent") }),
  v.object({ type: v.literal("busy") }),
  v.object({ type: v.literal("retry"), attempt: count, message: text, inMs: v.pipe(v.number(), v.finite()) }),
])

const newest = v.object({
  id: name,
  role: v.picklist(["user", "assistant"]),
  parentID: v.exactOptional(name),
  completed: v.boolean(),
  finish: v.exactOptional(name),
  error: v.exactOptional(v.object({ name, message: text })),
  summary: v.boolean(),
  output: v.boolean(),
  text: v.exactOptional(text),
  cut: v.exactOptional(v.boolean()),
  tool: v.exactOptional(name),
})

const snapshot = v.object({
  status,
  ageMs: v.exactOptional(amount),
  prompts: count,
  fingerprint: v.exactOptional(name),
  newest: v.exactOptional(v.nullable(newest)),
  newestUser: v.exactOptional(name),
  todos: v.exactOptional(todos),
  asks: v.exactOptional(
    v.pipe(v.array(v.object({ id: name, permission: name, patterns: names })), v.maxLength(WIRE.entries)),
  ),
  tokens: v.exactOptional(tokens),
  cost: v.exactOptional(amount),
})

const reason = v.picklist([
  "TTL",
  "QUEUE_TTL",
  "STALE",
  "TODOS_OPEN",
  "STEP_LIMIT",
  "SESSION_ERROR",
  "SESSION_GONE",
  "PROMPT_REJECTED",
  "AGENT_UNKNOWN",
  "MODEL_UNKNOWN",
  "PERMISSION",
  "WORKER_LOST",
  "SERVER_LOST",
  "INTERRUPTED",
])

/** Tried in this order: the most frequent first. */
const report = v.variant("type", [
  v.object({ type: v.literal("snapshot"), run, seq: count, snapshot }),
  v.object({ type: v.literal("session"), run, sessionID: name, todos: v.exactOptional(todos) }),
  v.object({ type: v.literal("prompted"), run, n: count, messageID: name }),
  v.object({
    type: v.literal("poll-failed"),
    run,
    seq: count,
    failure: v.picklist(["unreachable", "reloading", "timeout", "garbled", "refused"]),
    message: text,
  }),
  v.object({ type: v.literal("failed"), run, reason, message: text }),
  v.object({ type: v.literal("stopped"), run, idle: v.boolean() }),
]) satisfies v.GenericSchema<unknown, RunReport>

/** Names every field of the contract that the schemas above would drop: none, or this file does not compile. */
type Dropped<Said, Read> = Said extends readonly unknown[]
  ? never
  : Said extends object
    ? Exclude<keyof Said, Keys<Read>> | { [K in keyof Said]-?: Dropped<Said[K], Field<Read, K>> }[keyof Said]
    : never
type Keys<Read> = Read extends object ? keyof Read : never
type Field<Read, K> = Read extends object ? (K extends keyof Read ? Read[K] : never) : never
type Complete = [Dropped<RunReport, v.InferOutput<typeof report>>] extends [never] ? typeof report : never

/** A path on the one server: `//host` and `/\host` would name another. */
const path = v.pipe(v.string(), v.maxLength(WIRE.nameChars), v.regex(/^\/(?![/\\])[^\s\\]*$/))

const request = v.object({
  method: v.picklist(["GET", "POST", "PUT", "PATCH", "DELETE"]),
  path,
  headers: v.pipe(v.record(name, name), v.maxEntries(WIRE.entries)),
  body: v.exactOptional(v.pipe(v.string(), v.maxLength(WIRE.bodyChars))),
})

const fromWorker = v.variant(TAG, [
  v.object({ [TAG]: v.literal("report"), report: report satisfies Complete }),
  v.object({ [TAG]: v.literal("fetch"), call: count, run: v.exactOptional(run), request }),
  v.object({ [TAG]: v.literal("ended"), run }),
  v.object({ [TAG]: v.literal("ready") }),
  v.object({ [TAG]: v.literal("forgo"), call: count }),
  v.object({ [TAG]: v.literal("fatal"), message: text }),
]) satisfies v.GenericSchema<unknown, FromWorker>

const pong = v.object({ heap: amount, runs: count }) satisfies v.GenericSchema<unknown, Pong>

/** The message, or undefined when it is not one of ours. */
export function readMessage(message: unknown): FromWorker | undefined {
  const read = v.safeParse(fromWorker, message, { abortEarly: true })
  return read.success ? read.output : undefined
}

/** The heart-beat's answer, or undefined when it is garbled. */
export function readPong(answer: unknown): Pong | undefined {
  const read = v.safeParse(pong, answer, { abortEarly: true })
  return read.success ? read.output : undefined
}

/**
 * Characters in a message, or undefined when it is deeper, wider or longer than any of ours. Walked before the schemas
 * read it: a clone keeps cycles, and lists shared many times over unfold without end.
 */
export function weigh(message: unknown): number | undefined {
  let chars = 0
  let values = 0
  const walk = (value: unknown, depth: number): boolean => {
    values += 1
    if (values > WIRE.values || depth > WIRE.depth) return false
    if (typeof value === "string") chars += value.length
    if (typeof value !== "object" || value === null) return true
    for (const key in value) {
      chars += key.length
      if (!walk((value as Readonly<Record<string, unknown>>)[key], depth + 1)) return false
    }
    return true
  }
  return walk(message, 0) && chars <= WIRE.textChars + WIRE.bodyChars ? chars : undefined
}
