// Evaluated when the package is built: what makes JSON Schema is not in it.
import { toJsonSchema } from "@valibot/to-json-schema"
import { CANCEL, DELEGATE, OUTPUT } from "./arguments.ts"
import type { ArgumentSchema } from "./arguments.ts"

/** Arguments as JSON Schema, exactly: what is required and what is not. */
export interface JsonSchema {
  readonly properties: Record<string, object>
  readonly required: readonly string[]
}

function jsonSchemaOf(schema: ArgumentSchema): JsonSchema {
  const { $schema: _, ...whole } = toJsonSchema(schema, { errorMode: "ignore" })
  return whole as unknown as JsonSchema
}

export const DELEGATE_JSON: JsonSchema = jsonSchemaOf(DELEGATE)
export const OUTPUT_JSON: JsonSchema = jsonSchemaOf(OUTPUT)
export const CANCEL_JSON: JsonSchema = jsonSchemaOf(CANCEL)
