/**
 * Everything that can be set, in one valibot schema: its checks, its types, `schema.json` and the README's table.
 *
 *   a value ── parseConfig ──┐
 *   background_task ── parseBackgroundTask ──┼─ mergeConfigs ── resolveOptions ── Options
 *   (files: adapters/config-file.ts) ──┘
 */
export { configKeys, jsonSchema } from "./config/document.ts"
export { parseBackgroundTask } from "./config/lenient.ts"
export { mergeConfigs } from "./config/merge.ts"
export type { ConfigLayer } from "./config/merge.ts"
export { parseConfig } from "./config/parse.ts"
export { resolveOptions } from "./config/resolve.ts"
export { configSchema } from "./config/schema.ts"
export type { Config, ConfigKeyName } from "./config/schema.ts"
