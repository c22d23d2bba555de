import { toJsonSchema } from "@valibot/to-json-schema"
import type { ConfigEntry } from "./entry.ts"
import { configSchema, ENTRIES, KEY_NAMES } from "./schema.ts"

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

/** The schema for editors, draft 7: descriptions, defaults and ranges are those of the one valibot schema. */
export function jsonSchema(): Record<string, unknown> {
  const { $schema, ...rest } = toJsonSchema(configSchema, {
    typeMode: "input",
    // A check is code; that an id is printable cannot be said in a pattern.
    ignoreActions: ["check"],
    // The bounds of exact numbers are no range of ours: only that it is an integer.
    overrideAction: ({ valibotAction, jsonSchema: { minimum: _min, maximum: _max, ...before } }) =>
      valibotAction.type === "safe_integer" ? { ...before, type: "integer" } : null,
  })
  return {
    $schema,
    title: "opencode-lanes",
    description: "Configuration of opencode-lanes (`opencode-lanes.json`, comments and trailing commas allowed).",
    allowComments: true,
    allowTrailingCommas: true,
    ...rest,
  }
}
