import type { Transport } from "../coordinator/ports.ts"
import { LanesError } from "../core/errors.ts"
import { list, parsed, record, text } from "./loose.ts"
import type { Loose } from "./loose.ts"

/** An agent as far as launching needs it. */
export interface CatalogAgent {
  readonly name: string
  /** Leads conversations and cannot be delegated to. */
  readonly primary: boolean
  readonly hidden: boolean
  /** `provider/model`, when it has one of its own. */
  readonly model: string | undefined
}

/** What a server has for one directory. */
export interface CatalogEntry {
  readonly agents: readonly CatalogAgent[]
  /** `provider/model` of all that are set up. */
  readonly models: ReadonlySet<string>
  /** `model` of OpenCode's config. */
  readonly defaultModel: string | undefined
}

/**
 * Reads agents, models and the default model.
 *
 * @throws LanesError what the transport throws; SERVER_AUTH, SERVER_BUSY, GARBLED
 */
export async function readCatalog(transport: Transport, directory: string, signal: AbortSignal): Promise<CatalogEntry> {
  const get = async (path: string): Promise<unknown> => {
    const query = `?directory=${encodeURIComponent(directory)}`
    const { status, body } = await transport.fetch({ method: "GET", path: path + query, headers: {} }, signal)
    if (status === 401 || status === 403) throw new LanesError("SERVER_AUTH", "OpenCode wants another password.")
    if (status !== 200) throw new LanesError("SERVER_BUSY", `OpenCode answered GET ${path} with ${status}.`)
    return parsed(body)
  }
  const [agents, config, providers] = await Promise.all([get("/agent"), get("/config"), get("/config/providers")])
  const readAgents = list(agents)?.map((agent) => agentOf(record(agent)))
  const readModels = list(record(providers)?.["providers"])?.flatMap((provider) => modelsOf(record(provider)))
  if (readAgents === undefined || readModels === undefined || record(config) === undefined) {
    throw new LanesError("GARBLED", "OpenCode's lists of agents and models are not what its API promises.")
  }
  return {
    agents: readAgents.filter((agent) => agent !== undefined),
    models: new Set(readModels),
    defaultModel: text(record(config)?.["model"]),
  }
}

function agentOf(agent: Loose | undefined): CatalogAgent | undefined {
  const name = text(agent?.["name"])
  if (agent === undefined || name === undefined) return undefined
  const model = record(agent["model"])
  const provider = text(model?.["providerID"])
  const id = text(model?.["modelID"])
  return {
    name,
    primary: agent["mode"] === "primary",
    hidden: agent["hidden"] === true,
    model: provider === undefined || id === undefined ? undefined : `${provider}/${id}`,
  }
}

function modelsOf(provider: Loose | undefined): string[] {
  const id = text(provider?.["id"])
  return id === undefined ? [] : Object.keys(record(provider?.["models"]) ?? {}).map((model) => `${id}/${model}`)
}
