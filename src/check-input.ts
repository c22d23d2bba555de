import { LanesError } from "./core/errors.ts"
import { BOUNDS } from "./core/options.ts"

/*
 * What callers without types may hand us. Types are what `createLanes` and `launch` say; here each wrong value is named
 * with what was expected and what came.
 */

/** The options of `createLanes`. */
export function checkCreate(options: unknown): void {
  const given = objectOf("createLanes", "an object with a server", options)
  const { threads, recover, journal, workerUrl } = given
  checkServerOption(given["server"])
  for (const key of ["directory", "password"]) checkText(key, given[key])
  if (given["config"] !== undefined) objectOf("config", "an object", given["config"])
  checkType("configFiles", "boolean", "true or false", given["configFiles"])
  checkPort("events", "follow", "boolean", "true, false or a source of events", given["events"])
  checkPort("parent", "deliver", "function", "a parent, or a function that makes one", given["parent"])
  for (const key of ["log", "record"]) checkType(key, "function", "a function", given[key])
  checkPage(given["page"])
  if (threads !== undefined && threads !== "workers" && threads !== "inline")
    throw invalid("threads", '"workers" or "inline"', threads)
  if (recover !== undefined && recover !== "resume" && recover !== "ask")
    throw invalid("recover", '"resume" or "ask"', recover)
  if (!(workerUrl instanceof URL)) checkText("workerUrl", workerUrl)
  if (journal === undefined || journal === false || journal === "memory") return
  const ours = isObject(journal) && ("folder" in journal ? isText(journal["folder"]) : can(journal, "write"))
  if (!ours) throw invalid("journal", 'false, "memory", { folder } or a journal of your own', journal)
}

const SERVER = "an address like http://127.0.0.1:4096, { spawn: true } or an SDK client"

function checkServerOption(server: unknown): void {
  if (typeof server === "string" || server instanceof URL) return
  if (!isObject(server) || !["spawn", "transport", "client", "_client"].some((key) => key in server))
    throw invalid("server", SERVER, server)
  if (!("spawn" in server)) return
  if (server["spawn"] !== true) throw invalid("server", SERVER, server)
  checkText("server.binary", server["binary"])
  if (server["env"] !== undefined) objectOf("server.env", "an object of variables", server["env"])
  checkMs("server.startTimeoutMs", 1, server["startTimeoutMs"])
}

function checkPage(page: unknown): void {
  if (page === undefined || typeof page === "boolean") return
  const expected = "true, false or { port, optional }"
  const { port, optional, ...rest } = objectOf("page", expected, page)
  if (Object.keys(rest).length > 0) throw invalid("page", expected, page)
  if (port !== undefined && !(isWhole(port, 0) && (port as number) <= 65_535))
    throw invalid("page.port", "an integer from 0 to 65535", port)
  checkType("page.optional", "boolean", "true or false", optional)
}

/** The input of `launch`. */
export function checkLaunch(input: unknown): void {
  const given = objectOf("launch", "an object with a prompt", input)
  checkPrompt(given["prompt"])
  for (const key of ["description", "agent", "model", "directory", "sessionID"]) checkText(key, given[key])
  checkModel(given["model"])
  checkTtl(given["ttlMs"])
  checkType("background", "boolean", "true or false", given["background"])
  const { parent } = given
  if (parent !== undefined && !(isObject(parent) && isText(parent["sessionID"])))
    throw invalid("parent", "an object with a sessionID", parent)
}

/** The options of `close`. */
export function checkClose(options: unknown): void {
  checkMs("drainMs", 0, objectOf("close", "an object", options)["drainMs"])
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
  if (value !== undefined && !isText(value)) throw invalid(what, "a non-empty string", value)
}

function checkMs(what: string, least: number, value: unknown): void {
  const fits = typeof value === "number" && Number.isFinite(value) && value >= least
  if (value !== undefined && !fits) throw invalid(what, `milliseconds ≥ ${least}`, value)
}

/** Something the caller has built himself, by what it must be able to do, or a short form of it. */
function checkPort(what: string, method: string, short: string, expected: string, value: unknown): void {
  if (value === undefined || typeof value === short) return
  if (!isObject(value) || !can(value, method)) throw invalid(what, expected, value)
}

function checkType(what: string, type: "boolean" | "function", expected: string, value: unknown): void {
  if (value !== undefined && typeof value !== type) throw invalid(what, expected, value)
}

function objectOf(what: string, expected: string, value: unknown): Readonly<Record<string, unknown>> {
  if (!isObject(value)) throw invalid(what, expected, value)
  return value
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== ""
}

function can(value: Readonly<Record<string, unknown>>, method: string): boolean {
  return typeof value[method] === "function"
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null
}

function isWhole(value: unknown, least: number): boolean {
  return Number.isInteger(value) && (value as number) >= least
}

function invalid(what: string, expected: string, got: unknown): LanesError {
  return new LanesError("INVALID_INPUT", `${what}: expected ${expected}, got ${shown(got)}.`)
}

/** A short word for what came; it may be anything, a client with all it holds, too. */
function shown(value: unknown): string {
  if (typeof value === "object" && value !== null && !Array.isArray(value))
    return `{ ${Object.keys(value).slice(0, 5).join(", ")} }`.replace("{  }", "{}")
  const text = JSON.stringify(value) ?? String(value)
  return text.length > 80 ? `${text.slice(0, 79)}…` : text
}
