import { LanesError } from "./core/errors.ts"
import { BOUNDS } from "./core/options.ts"

/*
 * What callers without types may hand us. Types are what `createLanes` and `launch` say; here each wrong value is named
 * with what was expected and what came.
 */

/** The options of `createLanes`. */
export function checkCreate(options: unknown): void {
  const given = objectOf("createLanes", "an object with a server", options)
  const { server, threads, journal, page } = given
  if (typeof server !== "string" && !isObject(server)) {
    throw invalid("server", "an address like http://127.0.0.1:4096, { spawn: true } or an SDK client", server)
  }
  for (const key of ["directory", "password"]) checkText(key, given[key])
  checkType("configFiles", "boolean", "true or false", given["configFiles"])
  if (!isObject(given["events"])) checkType("events", "boolean", "true, false or a source of events", given["events"])
  for (const key of ["log", "record"]) checkType(key, "function", "a function", given[key])
  if (page !== undefined && typeof page !== "boolean" && !isObject(page))
    throw invalid("page", "true, false or { port }", page)
  if (threads !== undefined && threads !== "workers" && threads !== "inline") {
    throw invalid("threads", '"workers" or "inline"', threads)
  }
  if (journal !== undefined && journal !== false && journal !== "memory" && !isObject(journal)) {
    throw invalid("journal", 'false, "memory", { folder } or a journal of your own', journal)
  }
}

/** The input of `launch`. */
export function checkLaunch(input: unknown): void {
  const given = objectOf("launch", "an object with a prompt", input)
  checkPrompt(given["prompt"])
  for (const key of ["description", "agent", "model", "directory", "sessionID"]) checkText(key, given[key])
  checkModel(given["model"])
  checkTtl(given["ttlMs"])
  checkType("background", "boolean", "true or false", given["background"])
}

export function checkPrompt(prompt: unknown): void {
  if (typeof prompt !== "string" || prompt.trim() === "") throw invalid("prompt", "a non-empty string", prompt)
  if (prompt.length > BOUNDS.promptChars) {
    throw invalid("prompt", `at most ${BOUNDS.promptChars} characters`, `${prompt.length} characters`)
  }
}

function checkModel(model: unknown): void {
  const named = typeof model === "string" && /^[^/]+\/.+$/.test(model)
  if (model !== undefined && !named) throw invalid("model", '"provider/model"', model)
}

export function checkTtl(ttlMs: unknown): void {
  if (ttlMs === undefined || ttlMs === null) return
  if (typeof ttlMs !== "number" || !Number.isFinite(ttlMs) || ttlMs < 1_000) {
    throw invalid("ttlMs", "null or milliseconds ≥ 1000", ttlMs)
  }
}

const LIMITS: readonly string[] = ["defaultConcurrency", "providerConcurrency", "modelConcurrency"]

export function checkLimits(limits: unknown): void {
  const given = objectOf("setLimits", "an object with limits", limits)
  for (const key of Object.keys(given)) {
    if (!LIMITS.includes(key)) throw invalid("setLimits", LIMITS.join(", "), key)
  }
  const { defaultConcurrency } = given
  if (defaultConcurrency !== undefined && !isWhole(defaultConcurrency, 1)) {
    throw invalid("defaultConcurrency", "an integer ≥ 1", defaultConcurrency)
  }
  for (const key of ["providerConcurrency", "modelConcurrency"]) {
    if (given[key] === undefined) continue
    for (const [name, limit] of Object.entries(objectOf(key, "an object of limits", given[key]))) {
      // What stands before the slash is the provider: this one's lane would never be used.
      if (key === "providerConcurrency" && !/^[^\s/]([^/]*[^\s/])?$/.test(name))
        throw invalid(key, 'a provider id without "/"', name)
      if (!isWhole(limit, 0)) throw invalid(`${key}.${name}`, "an integer ≥ 0", limit)
    }
  }
}

function checkText(what: string, value: unknown): void {
  if (value !== undefined && (typeof value !== "string" || value === ""))
    throw invalid(what, "a non-empty string", value)
}

function checkType(what: string, type: "boolean" | "function", expected: string, value: unknown): void {
  if (value !== undefined && typeof value !== type) throw invalid(what, expected, value)
}

function objectOf(what: string, expected: string, value: unknown): Readonly<Record<string, unknown>> {
  if (!isObject(value)) throw invalid(what, expected, value)
  return value
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null
}

function isWhole(value: unknown, least: number): boolean {
  return Number.isInteger(value) && (value as number) >= least
}

function invalid(what: string, expected: string, got: unknown): LanesError {
  return new LanesError("INVALID_INPUT", `${what}: expected ${expected}, got ${JSON.stringify(got) ?? String(got)}.`)
}
