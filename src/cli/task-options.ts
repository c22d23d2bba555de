/** What a person may say about a task or about where it works: read strictly, with the place named where it was said. */

import { statSync } from "node:fs"
import { resolve } from "node:path"
import parseDuration from "parse-duration"
import type { Config } from "../config.ts"
import { UsageError } from "./output/errors.ts"

/** `90s`, `5m`, `1h 30m` in ms. A bare number could be anything, so it is refused. */
export function ttlOf(text: unknown, at: string): number {
  const ms = typeof text === "string" && /[a-z]/i.test(text) ? parseDuration(text) : null
  if (ms !== null && Number.isFinite(ms) && ms >= 1_000) return Math.round(ms)
  throw new UsageError(`${at}: expected a time of at least 1s such as 90s, 5m or 1h 30m, got ${JSON.stringify(text)}.`)
}

/** `provider/model`, checked as far as one can without asking a server. */
export function modelOf(text: unknown, at: string): string {
  if (typeof text === "string" && /^[^/\s]+\/\S+$/.test(text)) return text
  throw new UsageError(`${at}: expected provider/model, got ${JSON.stringify(text)}.`)
}

/** An existing folder, as a whole path. */
export function directoryOf(text: string | undefined, at = "--dir"): string {
  const path = resolve(text ?? ".")
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return path
  throw new UsageError(`${at}: there is no folder ${path}.`)
}

/**
 * `4,anthropic=3,anthropic/claude-opus-4-5=1` as limits: a bare number is the default lane's, a name with a slash a
 * model's, any other a provider's.
 */
export function limitsOf(text: string, at = "--limits"): Config {
  const limits = { providerConcurrency: {} as Record<string, number>, modelConcurrency: {} as Record<string, number> }
  let defaultConcurrency: number | undefined
  for (const part of text.split(",").map((piece) => piece.trim())) {
    const [, name, digits] = /^(?:(.+)=)?(\d+)$/.exec(part) ?? []
    const limit = Number(digits)
    if (digits === undefined || !Number.isSafeInteger(limit) || (name === undefined && limit === 0)) {
      throw new UsageError(`${at}: expected limits such as 4,anthropic=3,anthropic/claude-opus-4-5=1, got "${part}".`)
    }
    if (name === undefined || name === "default") defaultConcurrency = limit
    else if (name.includes("/")) limits.modelConcurrency[name] = limit
    else limits.providerConcurrency[name] = limit
  }
  return defaultConcurrency === undefined ? limits : { ...limits, defaultConcurrency }
}
