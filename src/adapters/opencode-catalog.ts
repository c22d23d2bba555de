import type { Catalog, Clock, Transport } from "../coordinator/ports.ts"
import { LanesError } from "../core/errors.ts"
import { readCatalog } from "./catalog-entry.ts"
import type { CatalogAgent, CatalogEntry } from "./catalog-entry.ts"
import { nearNames } from "./near-names.ts"

/** How a catalog reads the server. */
export interface CatalogOptions {
  readonly transport: Transport
  readonly clock: Clock
  /** An answer is used for so long before it is read again, in the background. Default 30,000 ms. */
  readonly freshMs?: number
  /** A launch waits so long for the first answer. Default 5,000 ms. */
  readonly coldMs?: number
}

interface Kept {
  readonly entry: CatalogEntry
  /** When it was asked for. */
  readonly at: number
}

/** OpenCode's agent for tasks that name none; without it OpenCode takes its default, a primary one. */
const UNNAMED = "general"

/**
 * Agents and models of a server, kept by directory. What is not found is looked for once more on the server before it is
 * refused, so that an agent added a moment ago can be used at once.
 */
export function opencodeCatalog(options: CatalogOptions): Catalog {
  const { transport, clock, freshMs = 30_000, coldMs = 5_000 } = options
  const kept = new Map<string, Kept>()
  const underWay = new Map<string, Promise<CatalogEntry>>()

  const load = (directory: string): Promise<CatalogEntry> => {
    const running = underWay.get(directory)
    if (running !== undefined) return running
    const at = clock.now()
    const loading = within(clock, coldMs, (signal) => readCatalog(transport, directory, signal))
      .then((entry) => {
        kept.set(directory, { entry, at })
        return entry
      })
      .finally(() => underWay.delete(directory))
    underWay.set(directory, loading)
    return loading
  }

  const cold = async (directory: string): Promise<CatalogEntry> => {
    try {
      return await load(directory)
    } catch (thrown) {
      const { message } = LanesError.from(thrown, "CATALOG_UNAVAILABLE")
      throw new LanesError(
        "CATALOG_UNAVAILABLE",
        `OpenCode did not tell its agents and models: ${message}`,
        undefined,
        {
          cause: thrown,
        },
      )
    }
  }

  return {
    async resolve(request) {
      const { directory } = request
      const asked = clock.now()
      const known = kept.get(directory)
      if (known === undefined) return resolveIn(await cold(directory), request)
      // A failed refresh leaves what is known; the next launch tries again.
      if (asked - known.at >= freshMs) load(directory).catch(() => undefined)
      try {
        return resolveIn(known.entry, request)
      } catch (refused) {
        const entry = await load(directory).catch(() => undefined)
        if (entry === undefined) throw refused
        return resolveIn(entry, request)
      }
    },
  }
}

function resolveIn(
  entry: CatalogEntry,
  request: Parameters<Catalog["resolve"]>[0],
): Awaited<ReturnType<Catalog["resolve"]>> {
  const agent = request.agent === undefined ? unnamed(entry) : named(entry, request.agent)
  const model = modelIn(entry, agent, request)
  return { ...(agent === undefined ? {} : { agent: agent.name }), ...(model === undefined ? {} : { model }) }
}

function unnamed({ agents }: CatalogEntry): CatalogAgent | undefined {
  return agents.find(({ name, primary }) => name === UNNAMED && !primary)
}

function named({ agents }: CatalogEntry, wanted: string): CatalogAgent {
  const lower = wanted.toLowerCase()
  const agent = agents.find(({ name }) => name === wanted) ?? agents.find(({ name }) => name.toLowerCase() === lower)
  const callable = agents.filter(({ primary, hidden }) => !primary && !hidden).map(({ name }) => name)
  const choice =
    callable.length === 0 ? "There is none to delegate to." : `Use one of: ${callable.toSorted().join(", ")}.`
  if (agent === undefined) throw new LanesError("AGENT_UNKNOWN", `There is no agent "${wanted}".`, choice)
  if (agent.primary) {
    throw new LanesError("AGENT_PRIMARY", `"${agent.name}" is a primary agent; tasks run subagents.`, choice)
  }
  return agent
}

/** The task's own → the agent's → the parent's → the server's default. The last two are taken as far as they exist. */
function modelIn(
  entry: CatalogEntry,
  agent: CatalogAgent | undefined,
  { model, parentModel }: { readonly model?: string; readonly parentModel?: string },
): string | undefined {
  if (model !== undefined) return existing(entry, model, `There is no model "${model}".`)
  if (agent?.model !== undefined) {
    return existing(
      entry,
      agent.model,
      `The agent "${agent.name}" is set to the model "${agent.model}", which does not exist.`,
    )
  }
  return [parentModel, entry.defaultModel].find((candidate) => candidate !== undefined && entry.models.has(candidate))
}

function existing({ models }: CatalogEntry, model: string, sentence: string): string {
  if (models.has(model)) return model
  const near = nearNames(model, [...models])
  const form = model.includes("/") ? "" : "Write it as provider/model. "
  const providers = [...new Set([...models].map((known) => known.slice(0, known.indexOf("/"))))].toSorted()
  const choice =
    near.length > 0
      ? `Did you mean ${near.join(" or ")}?`
      : `Models are there of: ${providers.length === 0 ? "no provider" : providers.join(", ")}.`
  throw new LanesError("MODEL_UNKNOWN", sentence, form + choice)
}

/** Bounds the whole reading: a transport's own limit is longer than a launch may wait. */
function within<T>(clock: Clock, ms: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const late = new AbortController()
    const undo = clock.setTimer(ms, () => {
      const error = new LanesError("SERVER_TIMEOUT", `no answer within ${ms} ms.`)
      late.abort(error)
      reject(error)
    })
    work(late.signal).then(resolve, reject).finally(undo)
  })
}
