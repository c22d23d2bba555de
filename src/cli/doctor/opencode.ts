/** OpenCode itself: the program, the server, and what the server has for a project. */

import { readCatalog } from "../../adapters/catalog-entry.ts"
import type { CatalogEntry } from "../../adapters/catalog-entry.ts"
import { checkServer } from "../../adapters/check-server.ts"
import { httpTransport } from "../../adapters/http-transport.ts"
import { findBinary } from "../../adapters/opencode-binary.ts"
import { startServer } from "../../adapters/opencode-server.ts"
import type { ChosenServer } from "../choose-server.ts"
import type { Limits } from "./configuration.ts"
import type { Finding } from "./finding.ts"
import { messageOf } from "./finding.ts"

const TESTED = "1.18.33"
const LIMIT_MS = 10_000

export async function programFinding(needed: boolean): Promise<Finding> {
  const area = "opencode"
  try {
    const binary = findBinary()
    const child = Bun.spawn([binary, "--version"], {
      stdin: "ignore",
      stdout: "pipe",
      stderr: "ignore",
      timeout: LIMIT_MS,
    })
    const [text, code] = await Promise.all([new Response(child.stdout).text(), child.exited])
    const version = text.trim()
    if (code !== 0 || !/^\d/.test(version)) {
      return {
        area,
        mark: needed ? "bad" : "note",
        sentence: `${binary} --version ended with ${code}`,
        remedy: "install it again: npm install -g opencode-ai",
      }
    }
    const old = Bun.semver.order(version, TESTED) < 0
    const remedy = `what is tested is ${TESTED}: opencode upgrade`
    return { area, mark: old ? "note" : "ok", sentence: `version ${version} in ${binary}`, ...(old ? { remedy } : {}) }
  } catch (thrown) {
    return { area, mark: needed ? "bad" : "note", sentence: messageOf(thrown) }
  }
}

/** Reaches or starts the server and looks at what it has; what is started is stopped again. */
export async function serverFindings(
  chosen: ChosenServer,
  directory: string,
  limits: Limits | undefined,
  signal: AbortSignal,
): Promise<Finding[]> {
  const area = "server"
  try {
    await using own = chosen.whose === "spawned" ? await startServer({ cwd: directory, signal }) : undefined
    const { server } = chosen.lanes
    const baseUrl = own?.url ?? (typeof server === "string" ? server : "")
    const transport = httpTransport({ baseUrl, password: own?.password })
    const start = performance.now()
    const { version } = await checkServer(transport, { at: own === undefined ? chosen.address : undefined })
    const said = own === undefined ? `${chosen.address} answers` : "one of its own starts and answers"
    const findings: Finding[] = [
      { area, mark: "ok", sentence: `${said}: OpenCode ${version}, ${Math.round(performance.now() - start)} ms away` },
    ]
    const catalog = await readCatalog(transport, directory, AbortSignal.timeout(LIMIT_MS))
    return [...findings, ...catalogFindings(catalog), ...namedNowhere(catalog, limits)]
  } catch (thrown) {
    return [{ area, mark: "bad", sentence: messageOf(thrown) }]
  }
}

function catalogFindings({ agents, models, defaultModel }: CatalogEntry): Finding[] {
  const callable = agents.filter(({ primary, hidden }) => !primary && !hidden).map(({ name }) => name)
  const counts = Map.groupBy(models, (model) => model.slice(0, model.indexOf("/")))
  const providers = [...counts].map(([provider, of]) => `${provider} (${of.length})`).toSorted()
  const findings: Finding[] = [
    providers.length === 0
      ? { area: "providers", mark: "bad", sentence: "none is set up", remedy: "opencode auth login" }
      : {
          area: "providers",
          mark: "ok",
          sentence: `${shown(providers)}; default model ${defaultModel ?? "left to OpenCode"}`,
        },
    callable.length === 0
      ? {
          area: "agents",
          mark: "bad",
          sentence: "there is no sub-agent to delegate to",
          remedy: "define one in opencode.json with mode subagent",
        }
      : { area: "agents", mark: "ok", sentence: shown(callable.toSorted()) },
  ]
  const lost = agents.filter(({ model }) => model !== undefined && !models.has(model))
  return [
    ...findings,
    ...lost.map(({ name, model }): Finding => ({
      area: "agents",
      mark: "note",
      sentence: `${name} is set to the model ${model}, which does not exist: its tasks will be refused`,
      remedy: "set up its provider, or give the agent another model",
    })),
  ]
}

/** Limits for what the server does not have: a mistyped name limits nothing. */
function namedNowhere({ models }: CatalogEntry, limits: Limits | undefined): Finding[] {
  const providers = new Set([...models].map((model) => model.slice(0, model.indexOf("/"))))
  const ids = new Set([...models].map((model) => model.slice(model.indexOf("/") + 1)))
  return [...(limits?.keys() ?? [])].flatMap((lane): Finding[] => {
    const name = lane.slice(lane.indexOf(":") + 1)
    const known =
      lane === "default" || (lane.startsWith("provider:") ? providers.has(name) : models.has(name) || ids.has(name))
    if (known) return []
    return [
      {
        area: "lanes",
        mark: "note",
        sentence: `${lane} limits nothing: OpenCode has no ${lane.startsWith("provider:") ? "provider" : "model"} ${name}`,
        remedy: "compare the name with the providers above",
      },
    ]
  })
}

function shown(names: readonly string[]): string {
  return names.length <= 8 ? names.join(", ") : `${names.slice(0, 8).join(", ")} and ${names.length - 8} more`
}
