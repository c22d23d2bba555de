import type { CreateOptions } from "./compose.ts"
import { LanesError } from "./core/errors.ts"
import type { LaneLimits } from "./core/lanes.ts"
import { BOUNDS } from "./core/options.ts"
import type { LaunchInput } from "./lanes.ts"

/** What `createLanes` was given: each option of a wrong type is named with what was expected. */
export function checkCreate(options: CreateOptions): void {
  if (typeof options !== "object" || options === null) throw invalid("createLanes", "an object with a server", options)
  const { server } = options
  if (typeof server !== "string" && (typeof server !== "object" || server === null)) {
    throw invalid("server", "an address like http://127.0.0.1:4096, { spawn: true } or an SDK client", server)
  }
  for (const key of ["directory", "password"] as const) {
    const value: unknown = options[key]
    if (value !== undefined && (typeof value !== "string" || value === "")) throw invalid(key, "a non-empty string", value)
  }
  for (const key of ["events", "configFiles"] as const) {
    const value: unknown = options[key]
    if (value !== undefined && typeof value !== "boolean") throw invalid(key, "true or false", value)
  }
  for (const key of ["log", "record"] as const) {
    const value: unknown = options[key]
    if (value !== undefined && typeof value !== "function") throw invalid(key, "a function", value)
  }
  const { threads, journal } = options
  if (threads !== undefined && threads !== "workers" && threads !== "inline") throw invalid("threads", '"workers" or "inline"', threads)
  const stored = journal === undefined || journal === false || journal === "memory" || (typeof journal === "object" && journal !== null)
  if (!stored) throw invalid("journal", 'false, "memory" or a journal of your own', journal)
}

/** What `launch` was given, by whoever does not use types. */
export function checkLaunch(input: LaunchInput): void {
  if (typeof input !== "object" || input === null) throw invalid("launch", "an object with a prompt", input)
  checkPrompt(input.prompt)
  for (const key of ["description", "agent", "model", "directory", "sessionID"] as const) {
    const value: unknown = input[key]
    if (value !== undefined && (typeof value !== "string" || value === "")) throw invalid(key, "a non-empty string", value)
  }
  if (input.model !== undefined && !/^[^/]+\/.+$/.test(input.model)) throw invalid("model", '"provider/model"', input.model)
  checkTtl(input.ttlMs)
}

export function checkPrompt(prompt: unknown): void {
  if (typeof prompt !== "string" || prompt.trim() === "") throw invalid("prompt", "a non-empty string", prompt)
  if (prompt.length > BOUNDS.promptChars) throw invalid("prompt", `at most ${BOUNDS.promptChars} characters`, `${prompt.length} characters`)
}

export function checkTtl(ttlMs: number | null | undefined): void {
  if (ttlMs !== undefined && ttlMs !== null && !(Number.isFinite(ttlMs) && ttlMs >= 1_000)) throw invalid("ttlMs", "null or milliseconds ≥ 1000", ttlMs)
}

export function checkLimits(limits: Partial<LaneLimits>): void {
  const whole = (value: unknown, least: number): boolean => Number.isInteger(value) && (value as number) >= least
  const { defaultConcurrency } = limits
  if (defaultConcurrency !== undefined && !whole(defaultConcurrency, 1)) throw invalid("defaultConcurrency", "an integer ≥ 1", defaultConcurrency)
  for (const key of ["providerConcurrency", "modelConcurrency"] as const) {
    for (const [name, limit] of Object.entries(limits[key] ?? {})) {
      if (!whole(limit, 0)) throw invalid(`${key}.${name}`, "an integer ≥ 0", limit)
    }
  }
}

function invalid(what: string, expected: string, got: unknown): LanesError {
  return new LanesError("INVALID_INPUT", `${what}: expected ${expected}, got ${JSON.stringify(got) ?? String(got)}.`)
}
