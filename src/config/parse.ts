import * as v from "valibot"
import { LanesError } from "../core/errors.ts"
import { conflictOf } from "./bounds.ts"
import { isPlain, plainCopy } from "./plain.ts"
import { configSchema, ENTRIES, isKey, KEY_NAMES } from "./schema.ts"
import type { Config } from "./schema.ts"
import { nearest, problemText, received } from "./words.ts"
import type { Problem } from "./words.ts"

/** Where a value comes from, for messages. */
export interface Origin {
  /** The file, or words for another place: `plugin options`. */
  readonly file?: string
  /** The key the value was found under: `background_task`. */
  readonly at?: string
}

const MOST_LINES = 20

/** One `CONFIG_INVALID` for all problems of one place, a line for each. */
export function invalid(problems: readonly Problem[], { file, at }: Origin): LanesError {
  const prefix = at === undefined ? [] : [at]
  const lines = problems.slice(0, MOST_LINES).map((problem) => {
    return `  ${problemText({ ...problem, path: [...prefix, ...problem.path] })}`
  })
  if (problems.length > MOST_LINES) lines.push(`  and ${problems.length - MOST_LINES} more`)
  const where = file === undefined ? "The configuration" : `The configuration in ${file}`
  const todo = "correct what follows, or leave a key out to get its default:"
  return new LanesError("CONFIG_INVALID", `${where} cannot be used; ${todo}\n${lines.join("\n")}`)
}

/**
 * Checks a value strictly and returns it as a configuration; nothing is filled in, so that layers can be merged.
 * Throws `CONFIG_INVALID` with all problems; no input makes it throw anything else.
 */
export function parseConfig(value: unknown, origin: Origin = {}): Config {
  const problems: Problem[] = []
  let config: Config = {}
  try {
    config = check(value, problems)
  } catch (thrown) {
    // A getter or a proxy of the caller's: reading it failed, so there is nothing to go on with.
    const cause = thrown instanceof Error ? thrown.name : "an exception"
    problems.push({ path: [], expected: "a value that can be read", received: cause })
  }
  if (problems.length > 0) throw invalid(problems, origin)
  return config
}

function check(value: unknown, problems: Problem[]): Config {
  const copy = plainCopy(value, problems)
  if (!isPlain(copy)) {
    if (problems.length === 0) problems.push({ path: [], expected: "an object", received: received(copy) })
    return {}
  }
  const known: Record<string, unknown> = {}
  for (const [name, inner] of Object.entries(copy)) {
    if (!isKey(name)) problems.push(unknownKey(name))
    // To valibot's record an array is an object like any other.
    else if (ENTRIES[name].keyed !== undefined && !isPlain(inner)) {
      problems.push({ path: [name], expected: ENTRIES[name].expected, received: received(inner) })
    } else known[name] = inner
  }
  const seen = new Set<string>()
  for (const issue of v.safeParse(configSchema, known, { abortPipeEarly: true }).issues ?? []) {
    const problem = problemOf(issue)
    const line = problemText(problem)
    if (!seen.has(line)) problems.push(problem)
    seen.add(line)
  }
  const config = known as Config
  const conflict = problems.length === 0 ? conflictOf(config) : undefined
  if (conflict !== undefined) {
    const { key, expected } = conflict
    problems.push({ path: [key], expected, received: received(config[key]) })
  }
  return config
}

function problemOf(issue: v.BaseIssue<unknown>): Problem {
  const path = (issue.path ?? []).map((item) => String(item.key))
  return { path, expected: issue.message, received: received(issue.input) }
}

function unknownKey(name: string): Problem {
  const meant = nearest(name, KEY_NAMES)
  const expected = meant === undefined ? "a key that can be set" : `a key that can be set (${meant}?)`
  return { path: [name], expected, received: "an unknown one" }
}
