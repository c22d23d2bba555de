import { LanesError } from "../core/errors.ts"
import { basicAuth } from "./opencode-server.ts"
import { isServerAddress, shownAddress } from "./server-address.ts"
import { wireTransport } from "./wire-fetch.ts"
import type { StreamingTransport } from "./wire-fetch.ts"

/** Where a server is and how to get in. */
export interface HttpTransportOptions {
  /** `http://127.0.0.1:4096`; a path before the API's own is kept. */
  readonly baseUrl: string
  /** For Basic authentication, user `opencode`. Default: `OPENCODE_SERVER_PASSWORD`, else none. */
  readonly password?: string | undefined
  /** Where the default comes from. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Longest time of one request; callers have shorter limits of their own. Default 60,000 ms. */
  readonly timeoutMs?: number
  /** Largest answer. Default 64 MiB. */
  readonly maxBytes?: number
}

/**
 * Plain HTTP to one server. Follows no redirect: one could lead the password elsewhere.
 *
 * @throws LanesError `CONFIG_INVALID` for an address that is none
 */
export function httpTransport(options: HttpTransportOptions): StreamingTransport {
  const { env = process.env, timeoutMs = 60_000, maxBytes = 64 * 1024 * 1024 } = options
  const { origin, pathname, username } = addressOf(options.baseUrl)
  const password = passwordOf(options.baseUrl, options.password, env)
  const headers = new Headers()
  if (password) headers.set("authorization", username ? basic(username, password) : basicAuth(password))
  return wireTransport({
    baseUrl: origin + pathname,
    headers,
    reserved: ["authorization", "host", "connection", "content-length", "transfer-encoding", "cookie"],
    send: (request) => fetch(request),
    timeoutMs,
    maxBytes,
  })
}

/** The one given, the one in the address, or the environment's. */
export function passwordOf(
  baseUrl: string,
  given: string | undefined,
  env: NonNullable<HttpTransportOptions["env"]> = process.env,
): string | undefined {
  return given ?? (decodeURIComponent(addressOf(baseUrl).password) || env["OPENCODE_SERVER_PASSWORD"])
}

function addressOf(baseUrl: string): URL {
  if (isServerAddress(baseUrl)) return new URL(baseUrl)
  throw new LanesError(
    "CONFIG_INVALID",
    `"${shownAddress(baseUrl)}" is not the address of a server.`,
    "Write it like http://127.0.0.1:4096.",
  )
}

function basic(user: string, password: string): string {
  return `Basic ${Buffer.from(`${decodeURIComponent(user)}:${password}`).toString("base64")}`
}
