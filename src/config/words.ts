/** One thing that is wrong: where, what was expected, what stood there. */
export interface Problem {
  readonly path: readonly string[]
  readonly expected: string
  readonly received: string
}

const WORD = /^[\p{L}_$][\p{L}\p{N}_$-]*$/u
const LONGEST = 60

/** `background_task.providerConcurrency.anthropic`, `modelConcurrency["openai/gpt-5.2"]`. */
export function pathText(path: readonly string[]): string {
  let text = ""
  for (const key of path) {
    const word = WORD.test(key) && key.length <= LONGEST
    text += word ? `${text === "" ? "" : "."}${key}` : `[${quoted(key)}]`
  }
  return text === "" ? "(the whole value)" : text
}

/** A string on one line, bounded; control characters are escaped, so that no terminal obeys them. */
function quoted(text: string): string {
  const cut = text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text
  return JSON.stringify(cut).replace(/[\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, "·")
}

/** What somebody wrote instead of what was expected; never more than a line, never the inside of an object. */
export function received(value: unknown): string {
  if (typeof value === "string") return quoted(value)
  if (value === null || value === undefined || typeof value === "number" || typeof value === "boolean")
    return String(value)
  if (typeof value === "object") return Array.isArray(value) ? "an array" : "an object"
  return `a ${typeof value}`
}

export function problemText({ path, expected, received: got }: Problem): string {
  return `${pathText(path)}: expected ${expected}, got ${got}`
}

/** The known name somebody may have meant: the same letters in another case, or at most two typing errors away. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  if (name.length > LONGEST) return undefined
  const close = known
    .map((candidate) => ({ candidate, far: distance(name.toLowerCase(), candidate.toLowerCase()) }))
    .filter(({ candidate, far }) => far <= Math.min(2, Math.floor(candidate.length / 3)))
  return close.toSorted((a, b) => a.far - b.far)[0]?.candidate
}

/** Levenshtein's distance, one row at a time. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const swap = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(swap, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}
