import type { Transport } from "../coordinator/ports.ts"
import { LanesError } from "../core/errors.ts"
import { parsed, record, text } from "./loose.ts"

/** A server that answered as OpenCode does. */
export interface CheckedServer {
  readonly version: string
}

export interface CheckServerOptions {
  /** How messages name the server. Default: they do not. */
  readonly at?: string | undefined
  /** Default 5,000 ms. */
  readonly limitMs?: number
}

/**
 * Tells whether an OpenCode that lets us in is at the other end.
 *
 * @throws LanesError `SERVER_UNREACHABLE` (nobody answers), `SERVER_AUTH` (wrong password), `SERVER_NOT_OPENCODE`
 */
export async function checkServer(
  transport: Transport,
  { at, limitMs = 5_000 }: CheckServerOptions = {},
): Promise<CheckedServer> {
  const server = at === undefined ? "The server" : `The server at ${at}`
  const answer = await transport
    .fetch({ method: "GET", path: "/global/health", headers: {} }, AbortSignal.timeout(limitMs))
    .catch((thrown: unknown) => {
      throw unreachable(LanesError.from(thrown, "SERVER_UNREACHABLE"), server)
    })
  if (answer.status === 401 || answer.status === 403) {
    throw new LanesError(
      "SERVER_AUTH",
      `${server} refuses our password.`,
      "Set OPENCODE_SERVER_PASSWORD, or in code the option `password`, to the one it was started with.",
    )
  }
  const health = record(parsed(answer.body))
  const version = text(health?.["version"])
  if (answer.status !== 200 || health?.["healthy"] !== true || version === undefined) throw notOpencode(server)
  return { version }
}

function unreachable(error: LanesError, server: string): LanesError {
  if (error.code === "GARBLED") return notOpencode(server)
  const sentence = error.code === "SERVER_TIMEOUT" ? `${server} does not answer in time.` : error.message
  return new LanesError("SERVER_UNREACHABLE", sentence, "Start it with `opencode serve`, or name another address.", {
    cause: error,
  })
}

function notOpencode(server: string): LanesError {
  return new LanesError(
    "SERVER_NOT_OPENCODE",
    `${server} answers, but it is not OpenCode.`,
    "Name the address that `opencode serve` prints.",
  )
}
