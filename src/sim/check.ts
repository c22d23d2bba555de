import { LanesError } from "../core/errors.ts"

/** Refuses a word that is none of these. */
export function checkWord(word: unknown, words: readonly string[], what: string): void {
  if (words.some((known) => known === word)) return
  throw refused(`${what} as one of ${words.join(", ")}`, word)
}

/** Refuses what is no whole number, or too small a one. */
export function checkWhole(value: unknown, what: string, min?: number): void {
  if (Number.isInteger(value) && (min === undefined || (value as number) >= min)) return
  throw refused(`${what} as an integer${min === undefined ? "" : ` ≥ ${min}`}`, value)
}

function refused(expected: string, got: unknown): LanesError {
  const shown = typeof got === "string" ? `"${got}"` : String(got)
  return new LanesError("INVALID_INPUT", `Expected ${expected}, got ${shown}.`)
}
