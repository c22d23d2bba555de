import { randomUUID } from "node:crypto"
import { lstatSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"

import { LanesError } from "../core/errors.ts"
import type { ErrorCode } from "../core/errors.ts"
import type { LaneLimits } from "../core/lanes.ts"
import { BOUNDS } from "../core/options.ts"
import { ensurePrivate } from "./state-folder.ts"

/*
 * What other processes ask of a coordinator:
 *
 *   asker: writes NAME.part, renames it to NAME.ask ─┐
 *                                                   ▼
 *   owner: reads and removes NAME.ask, acts, writes NAME.part, renames it to NAME.answer
 *                                                   │
 *   asker: reads and removes NAME.answer ◀──────────┘
 *
 * Removed before it is acted on: at most once, whatever crashes.
 */

/** What can be asked. */
export type OwnerRequest =
  | { readonly type: "cancel"; readonly id: string }
  | { readonly type: "continue"; readonly id: string; readonly prompt: string }
  | { readonly type: "messages"; readonly id: string }
  | { readonly type: "todos"; readonly id: string }
  /** Tells all lanes, after changing limits if some are named; the owner checks them as its own callers'. */
  | { readonly type: "limits"; readonly limits?: Partial<LaneLimits> }

type Answer =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly code: ErrorCode; readonly message: string }

/** Where the owner of a journal file looks for requests. */
export function requestFolder(journal: string): string {
  return `${journal}.requests`
}

const LOOK_MS = 150
const ASK_EVERY_MS = 40
/** Answers nobody came for. */
const FORGET_MS = 60_000

/** Serves the requests in a folder until undone. `answer` may throw a LanesError: the asker gets it. */
export function serveRequests(folder: string, answer: (request: OwnerRequest) => unknown): () => void {
  ensurePrivate(folder)
  // What was asked of an earlier owner was answered by its end.
  for (const name of readdirSync(folder)) rmSync(join(folder, name), { recursive: true, force: true })
  const timer = setInterval(() => look(), LOOK_MS)
  timer.unref()
  let sinceSweep = 0

  function look(): void {
    for (const name of list(folder, ".ask")) void serve(join(folder, name))
    if (++sinceSweep * LOOK_MS < FORGET_MS) return
    sinceSweep = 0
    for (const name of list(folder, "")) forget(join(folder, name))
  }

  async function serve(path: string): Promise<void> {
    const base = path.slice(0, -".ask".length)
    let reply: Answer
    try {
      const request = take(path)
      reply = { ok: true, value: (await answer(request)) ?? null }
    } catch (thrown) {
      const { code, message } = LanesError.from(thrown, "INVALID_INPUT")
      reply = { ok: false, code, message }
    }
    try {
      put(base, ".answer", reply)
    } catch {
      // The asker is told by the time that goes by.
    }
  }

  return () => clearInterval(timer)
}

/**
 * Asks the owner of a journal file. Rejects with its error, or with SERVER_TIMEOUT when it has not answered in time.
 */
export async function askOwner(journal: string, request: OwnerRequest, timeoutMs = 5_000): Promise<unknown> {
  const base = join(requestFolder(journal), randomUUID())
  put(base, ".ask", request)
  for (let waited = 0; waited < timeoutMs; waited += ASK_EVERY_MS) {
    const answer = read(`${base}.answer`)
    if (answer !== undefined) {
      rmSync(`${base}.answer`, { force: true })
      return valueOf(answer as Answer)
    }
    await new Promise((resolve) => setTimeout(resolve, ASK_EVERY_MS))
  }
  const taken = statSync(`${base}.ask`, { throwIfNoEntry: false }) === undefined
  rmSync(`${base}.ask`, { force: true })
  throw new LanesError(
    "SERVER_TIMEOUT",
    taken ? "The coordinator took the request but has not answered." : "The coordinator did not take the request.",
    taken ? "See `lanes list` for what became of it." : "Nothing was changed; its process may be stopped or busy.",
  )
}

function valueOf(answer: Answer): unknown {
  if (answer.ok) return answer.value
  throw new LanesError(answer.code, answer.message)
}

function put(base: string, ending: string, content: unknown): void {
  writeFileSync(`${base}.part`, JSON.stringify(content), { mode: 0o600, flag: "wx" })
  renameSync(`${base}.part`, `${base}${ending}`)
}

function take(path: string): OwnerRequest {
  const found = lstatSync(path)
  const fits = found.isFile() && found.size <= 4 * BOUNDS.promptChars
  const text = fits ? readFileSync(path, "utf8") : ""
  rmSync(path, { recursive: true, force: true })
  return requestOf(text)
}

function requestOf(text: string): OwnerRequest {
  const value = parsed(text)
  if (typeof value === "object" && value !== null) {
    const { type, id, prompt, limits } = value as Record<string, unknown>
    if (type === "limits") return limits === undefined ? { type } : { type, limits: limits as Partial<LaneLimits> }
    if (typeof id === "string") {
      if (type === "cancel" || type === "messages" || type === "todos") return { type, id }
      if (type === "continue" && typeof prompt === "string") return { type, id, prompt }
    }
  }
  throw new LanesError(
    "INVALID_INPUT",
    "This request cannot be understood; it may be of another version of opencode-lanes.",
  )
}

function read(path: string): unknown {
  try {
    return parsed(readFileSync(path, "utf8"))
  } catch {
    return undefined
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function list(folder: string, ending: string): string[] {
  try {
    return readdirSync(folder).filter((name) => name.endsWith(ending))
  } catch {
    return []
  }
}

function forget(path: string): void {
  const found = statSync(path, { throwIfNoEntry: false })
  if (found !== undefined && Date.now() - found.mtimeMs > FORGET_MS) rmSync(path, { force: true })
}
