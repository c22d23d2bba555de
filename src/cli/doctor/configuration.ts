/** What the files set, and what follows for the lanes. */

import { availableParallelism } from "node:os"
import { loadConfig } from "../../adapters/config-file.ts"
import { resolveOptions } from "../../config.ts"
import type { Finding } from "./finding.ts"
import { messageOf } from "./finding.ts"

/** Lanes by name with their limit; 0 = unlimited. */
export type Limits = ReadonlyMap<string, number>

export interface Configuration {
  readonly findings: readonly Finding[]
  /** Undefined when the files cannot be read. */
  readonly limits: Limits | undefined
}

export function readConfiguration(directory: string): Configuration {
  try {
    const { config, warnings, layers } = loadConfig({ directory })
    const { options } = resolveOptions(config, { cores: availableParallelism() })
    const limits: Limits = new Map([
      ["default", options.defaultConcurrency],
      ...Object.entries(options.providerConcurrency).map(([name, limit]) => [`provider:${name}`, limit] as const),
      ...Object.entries(options.modelConcurrency).map(([name, limit]) => [`model:${name}`, limit] as const),
    ])
    const lanes = [...limits].map(([lane, limit]) => `${lane} ${limit === 0 ? "unlimited" : limit}`).join(", ")
    return {
      findings: [
        ...files(layers),
        ...warnings.map(note),
        { area: "lanes", mark: "ok", sentence: lanes },
        ...unlimited(limits),
      ],
      limits,
    }
  } catch (thrown) {
    return { findings: [{ area: "config", mark: "bad", sentence: messageOf(thrown) }], limits: undefined }
  }
}

function files(layers: readonly { readonly file: string; readonly keys: readonly string[] }[]): Finding[] {
  if (layers.length === 0) return [{ area: "config", mark: "ok", sentence: "no file sets anything: the defaults hold" }]
  return layers.map(({ file, keys }) => ({
    area: "config",
    mark: "ok",
    sentence: `${file} sets ${keys.length === 0 ? "nothing" : keys.join(", ")}`,
  }))
}

function note(sentence: string): Finding {
  return { area: "config", mark: "note", sentence }
}

function unlimited(limits: Limits): Finding[] {
  return [...limits]
    .filter(([, limit]) => limit === 0)
    .map(([lane]) => ({
      area: "lanes",
      mark: "note",
      sentence: `${lane} has no limit: a provider may answer many at once with 429`,
      remedy: "set a number above 0",
    }))
}
