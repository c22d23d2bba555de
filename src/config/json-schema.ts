// Evaluated when the package is built: what makes JSON Schema is not in it.
import { toJsonSchema } from "@valibot/to-json-schema"
import { configSchema } from "./schema.ts"

const { $schema, ...rest } = toJsonSchema(configSchema, {
  typeMode: "input",
  // A check is code; that an id is printable cannot be said in a pattern.
  ignoreActions: ["check"],
  // The bounds of exact numbers are no range of ours: only that it is an integer.
  overrideAction: ({ valibotAction, jsonSchema: { minimum: _min, maximum: _max, ...before } }) =>
    valibotAction.type === "safe_integer" ? { ...before, type: "integer" } : null,
})

/** The descriptions, defaults and ranges are those of the one valibot schema. */
export const JSON_SCHEMA: Record<string, unknown> = {
  $schema,
  title: "opencode-lanes",
  description: "Configuration of opencode-lanes (`opencode-lanes.json`, comments and trailing commas allowed).",
  allowComments: true,
  allowTrailingCommas: true,
  ...rest,
}
