import { LanesError } from "../core/errors.ts"
import { wireTransport } from "./wire-fetch.ts"
import type { StreamingTransport } from "./wire-fetch.ts"

/** Bounds of a client transport. */
export interface ClientTransportOptions {
  /** Longest time of one request; callers have shorter limits of their own. Default 60,000 ms. */
  readonly timeoutMs?: number
  /** Largest answer. Default 64 MiB. */
  readonly maxBytes?: number
}

/** The way of a client, and where that leads. */
export interface ClientTransport extends StreamingTransport {
  readonly baseUrl: string
}

interface ClientConfig {
  readonly baseUrl: string
  readonly fetch: (request: Request) => Promise<Response>
  readonly headers: Headers
}

/**
 * The way an SDK client takes (v1 or v2): inside OpenCode's TUI and `run` nothing listens on HTTP, but the client given to
 * a plugin has a fetch that reaches the server in the same process.
 *
 * @throws LanesError `SERVER_UNREACHABLE` when the client hides that fetch elsewhere than known versions do
 */
export function clientTransport(client: unknown, options: ClientTransportOptions = {}): ClientTransport {
  const { timeoutMs = 60_000, maxBytes = 64 * 1024 * 1024 } = options
  const { baseUrl, fetch, headers } = configOf(client)
  // Each request names its directory in the query; the client's own would speak against it.
  headers.delete("x-opencode-directory")
  headers.delete("x-opencode-workspace")
  const reserved = ["authorization", "host", "connection", "content-length", "transfer-encoding", "cookie"]
  return { baseUrl, ...wireTransport({ baseUrl, headers, reserved, send: fetch, timeoutMs, maxBytes }) }
}

/** Where it is, is private to the SDK: v1 keeps its inner client as `_client`, v2 as `client`; measured on 1.18.33. */
function configOf(client: unknown): ClientConfig {
  const inner = property(client, "_client") ?? property(client, "client")
  const getConfig = property(inner, "getConfig")
  const config: unknown = typeof getConfig === "function" ? getConfig.call(inner) : undefined
  const baseUrl = property(config, "baseUrl")
  const fetch = property(config, "fetch")
  if (typeof baseUrl !== "string" || !URL.canParse(baseUrl) || typeof fetch !== "function") {
    throw new LanesError(
      "SERVER_UNREACHABLE",
      "The OpenCode client has no fetch where version 1.18 keeps it.",
      "Use a version of opencode-lanes made for this OpenCode, or start `opencode serve` and name its address.",
    )
  }
  return {
    baseUrl,
    fetch: async (request) => (await fetch(request)) as Response,
    headers: headersOf(property(config, "headers")),
  }
}

/** The SDK takes headers in each of fetch's forms, and leaves out those without a value. */
function headersOf(value: unknown): Headers {
  if (value instanceof Headers || Array.isArray(value)) return new Headers(value as Headers | [string, string][])
  const headers = new Headers()
  if (typeof value !== "object" || value === null) return headers
  for (const [name, given] of Object.entries(value)) {
    if (given !== undefined && given !== null) headers.set(name, String(given))
  }
  return headers
}

function property(of: unknown, name: string): unknown {
  return typeof of === "object" && of !== null ? (of as Record<string, unknown>)[name] : undefined
}
