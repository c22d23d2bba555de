import { LanesError } from "../core/errors.ts"
import type { Ms } from "../core/options.ts"

/** `"2s"`, `"1m 30s"`, `"250ms"`, `"2h"`, `"1d"`, or a number of ms. */
export type Duration = string | number
/** A duration, or two of them to choose between: `"2s..20s"`. */
export type Span = Duration

/** The shortest and the longest of a span. */
export interface Range {
  readonly min: Ms
  readonly max: Ms
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** Milliseconds of a duration; refuses what is none with a sentence. */
export function parseDuration(text: Duration, what = "a duration"): Ms {
  if (typeof text === "number") {
    if (Number.isFinite(text) && text >= 0) return text
    throw refused(text, what)
  }
  const words = typeof text === "string" ? text.trim() : ""
  if (!/^(\d+(\.\d+)?\s*(ms|s|m|h|d)\s*)+$/.test(words)) throw refused(text, what)
  let total = 0
  for (const [, value = "", , unit = ""] of words.matchAll(/(\d+(\.\d+)?)\s*(ms|s|m|h|d)/g)) {
    total += Number(value) * (UNITS[unit] ?? 0)
  }
  return total
}

/** Both ends of a span. */
export function parseSpan(text: Span, what = "a span"): Range {
  if (typeof text !== "string" || !text.includes("..")) {
    const ms = parseDuration(text, what)
    return { min: ms, max: ms }
  }
  const [from = "", to = "", more] = text.split("..")
  if (more !== undefined) throw refused(text, what)
  const range = { min: parseDuration(from, what), max: parseDuration(to, what) }
  if (range.min > range.max)
    throw new LanesError("INVALID_INPUT", `Expected ${what} from short to long, got "${text}".`)
  return range
}

function refused(got: Duration, what: string): LanesError {
  const shown = typeof got === "string" ? `"${got}"` : String(got)
  return new LanesError("INVALID_INPUT", `Expected ${what} like "2s", "1m 30s" or "2s..20s", got ${shown}.`)
}
