import type { Problem } from "./words.ts"

const DEEPEST = 8
const MOST_KEYS = 10_000

/** Names through which an object's own prototype could be reached; nothing that can be set is called so. */
const RESERVED: ReadonlySet<string> = new Set(["__proto__", "constructor", "prototype"])

export function isPlain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false
  const above: unknown = Object.getPrototypeOf(value)
  return above === null || Object.getPrototypeOf(above) === null
}

/**
 * A copy that is safe to look at: objects have no prototype, reserved names are left out and reported, `undefined`
 * means unset, and depth and size are bounded (which also ends a value that contains itself). Everything that is no
 * plain object stays what it is, for the schema to refuse.
 */
export function plainCopy(value: unknown, problems: Problem[]): unknown {
  let keys = 0
  const copy = (from: unknown, path: readonly string[]): unknown => {
    if (!isPlain(from)) return from
    if (path.length >= DEEPEST) {
      problems.push({ path: path.slice(0, 3), expected: `at most ${DEEPEST} levels`, received: "deeper ones" })
      return undefined
    }
    const to = Object.create(null) as Record<string, unknown>
    for (const key of Object.keys(from)) {
      if (++keys > MOST_KEYS) {
        if (keys === MOST_KEYS + 1) problems.push({ path: [], expected: `at most ${MOST_KEYS} keys`, received: "more" })
        return to
      }
      if (RESERVED.has(key)) {
        problems.push({ path: [...path, key], expected: "a name that is not reserved", received: `"${key}"` })
        continue
      }
      const inner = copy(from[key], [...path, key])
      if (inner !== undefined) to[key] = inner
    }
    return to
  }
  return copy(value, [])
}
