import type { Config } from "../../config.ts"
import { resolveOptions } from "../../config.ts"
import { NAME } from "../identity.ts"
import type { ToolNames } from "../names.ts"

/** What an instance has found where it runs, for the log; `lanes doctor` shows it. */
export function seen(directory: string, config: Config, from: readonly string[], names: ToolNames): string {
  const { options } = resolveOptions(config)
  const limits = [
    ["default", options.defaultConcurrency] as const,
    ...Object.entries(options.providerConcurrency).map(([name, limit]) => [`provider:${name}`, limit] as const),
    ...Object.entries(options.modelConcurrency).map(([name, limit]) => [`model:${name}`, limit] as const),
  ]
  const lanes = limits.map(([lane, limit]) => `${lane} ${limit === 0 ? "unlimited" : limit}`).join(", ")
  const { bun, node } = process.versions
  const host = bun === undefined ? `Node ${node}, without workers` : `Bun ${bun}, with workers`
  return [
    `${NAME} sees in ${directory}: lanes ${lanes}`,
    `set by ${from.length === 0 ? "nothing but the defaults" : from.join(" and ")}`,
    `tools ${names.delegate}, ${names.output}, ${names.cancel}`,
    host,
  ].join("; ")
}
