import type { ConfigEntry } from "./entry.ts"
import { JSON_SCHEMA } from "./json-schema.ts"
import { ENTRIES, KEY_NAMES } from "./schema.ts"

/** One row of the table in the README. */
export interface ConfigKey {
  readonly key: string
  /** As it is written in a file, or words where it depends on the machine; empty = none. */
  readonly default: string
  /** `an integer ≥ 1` */
  readonly range: string
  readonly meaning: string
  /** A project's `.opencode/` cannot set it. */
  readonly readersOnly: boolean
}

export const configKeys: readonly ConfigKey[] = KEY_NAMES.map((key) => {
  const { shown, expected, meaning, readersOnly }: ConfigEntry = ENTRIES[key]
  return { key, default: shown ?? "", range: expected, meaning, readersOnly }
})

/** The schema for editors, draft 7; `schema.json` is what it returns. */
export function jsonSchema(): Record<string, unknown> {
  return structuredClone(JSON_SCHEMA)
}
