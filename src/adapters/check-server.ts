import type { Transport } from "../coordinator/ports.ts"
import { LanesError } from "../core/errors.ts"
import { parsed, record, text } from "./loose.ts"

/** A server that answered as OpenCode does. */
export interface CheckedServer {
  readonly version: string
}

const LIMIT_MS = 5_000

/**
 * Tells whether an OpenCode that lets us in is at the other end.
 *
 * @throws LanesError `SERVER_UNREACHABLE` (nobody answers), `SERVER_AUTH` (wrong password), `SERVER_NOT_OPENCODE`
 */
export async function checkServer(transport: Transport, limitMs: number = LIMIT_MS): Promise<CheckedServer> {
  const answer = await transport
    .fetch({ method: "GET", path: "/global/health", headers: {} }, AbortSignal.timeout(limitMs))
    .catch((thrown: unknown) => {
      throw unreachable(LanesError.from(thrown, "SERVER_UNREACHABLE"))
    })
  if (answer.status === 401 || answer.status === 403) {
    throw new LanesError(
      "SERVER_AUTH",
      "The server refuses our password.",
      "Set OPENCODE_SERVER_PASSWORD to the one it was started with.",
    )
  }
  const health = record(parsed(answer.body))
  const version = text(health?.["version"])
  if (answer.status !== 200 || health?.["healthy"] !== true || version === undefined) throw notOpencode()
  return { version }
}

function unreachable(error: LanesError): LanesError {
  if (error.code === "GARBLED") return notOpencode()
  const sentence = error.code === "SERVER_TIMEOUT" ? "The server does not answer in time." : error.message
  return new LanesError("SERVER_UNREACHABLE", sentence, "Start it with `opencode serve`, or name another address.", {
    cause: error,
  })
}

function notOpencode(): LanesError {
  return new LanesError(
    "SERVER_NOT_OPENCODE",
    "A server answers there, but it is not OpenCode.",
    "Name the address that `opencode serve` prints.",
  )
}
