/** How a command that fails says so: one sentence on stderr, never a stack trace. */

import { EXIT } from "./exit-codes.ts"

/** The command line itself is wrong. */
export class UsageError extends Error {
  override readonly name = "UsageError"
}

const USAGE_CODES: readonly string[] = ["INVALID_INPUT", "CONFIG_INVALID"]

/** One sentence for people, whatever was thrown. */
export function sentenceOf(thrown: unknown): string {
  const message = thrown instanceof Error ? thrown.message : String(thrown)
  return message.trim() === "" ? "Something failed without a word." : message.trim()
}

/** 2 when the user can put it right by writing something else, 1 otherwise. */
export function exitCodeOf(thrown: unknown): number {
  if (thrown instanceof UsageError) return EXIT.usage
  return USAGE_CODES.includes(codeOf(thrown)) ? EXIT.usage : EXIT.failed
}

/** The code of what was thrown; empty if it has none. */
export function codeOf(thrown: unknown): string {
  return thrown instanceof Error && "code" in thrown ? String(thrown.code) : ""
}
