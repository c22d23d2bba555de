/** A batch: one task per line, each a JSON object. All of it is read and checked before anything is launched. */

import { nearNames } from "../adapters/near-names.ts"
import type { LaunchInput } from "../lanes.ts"
import { UsageError } from "./output/errors.ts"
import { modelOf, ttlOf } from "./task-options.ts"

const KEYS = ["prompt", "agent", "model", "description", "ttl"] as const

/** A task and the line it stands on. */
export interface BatchTask {
  readonly line: number
  readonly input: LaunchInput
}

/**
 * Reads all lines; empty ones are passed over.
 *
 * @throws UsageError that names the first bad line
 */
export function readBatch(text: string, file: string): BatchTask[] {
  const lines = text.replace(/^\uFEFF/, "").split(/\r?\n/)
  const tasks = lines.flatMap((line, index) =>
    line.trim() === "" ? [] : [{ line: index + 1, input: taskOf(line, `${file} line ${index + 1}`) }],
  )
  if (tasks.length === 0) throw new UsageError(`${file}: there is no task in it. Write one JSON object per line.`)
  return tasks
}

function taskOf(line: string, at: string): LaunchInput {
  const task = objectOf(line, at)
  const strange = Object.keys(task).find((key) => !(KEYS as readonly string[]).includes(key))
  if (strange !== undefined) {
    const [near] = nearNames(strange, [...KEYS], 1)
    const hint = near === undefined ? `A task has ${KEYS.join(", ")}.` : `Did you mean "${near}"?`
    throw new UsageError(`${at}: there is no key "${strange}". ${hint}`)
  }
  const { prompt, agent, model, description, ttl } = task
  return {
    prompt: textOf("prompt", prompt, at),
    ...(agent === undefined ? {} : { agent: textOf("agent", agent, at) }),
    ...(model === undefined ? {} : { model: modelOf(model, `${at}: model`) }),
    ...(description === undefined ? {} : { description: textOf("description", description, at) }),
    ...(ttl === undefined ? {} : { ttlMs: ttlOf(ttl, `${at}: ttl`) }),
  }
}

function objectOf(line: string, at: string): Readonly<Record<string, unknown>> {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch (thrown) {
    throw new UsageError(`${at}: not JSON: ${thrown instanceof Error ? thrown.message : String(thrown)}.`)
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  throw new UsageError(`${at}: expected an object such as {"prompt":"…"}, got ${line.trim().slice(0, 40)}.`)
}

function textOf(key: string, value: unknown, at: string): string {
  if (typeof value === "string" && value.trim() !== "") return value
  throw new UsageError(`${at}: ${key}: expected a non-empty string, got ${JSON.stringify(value) ?? "nothing"}.`)
}
