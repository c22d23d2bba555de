/**
 * Which OpenCode a command works on: the one named, else one that runs where `opencode serve` puts it, else one of its own.
 */

import { checkServer } from "../adapters/check-server.ts"
import { httpTransport } from "../adapters/http-transport.ts"
import { isServerAddress, shownAddress } from "../adapters/server-address.ts"
import type { SpawnServer } from "../compose.ts"
import { ensureOpenCode } from "./ensure-opencode.ts"
import { UsageError } from "./output/errors.ts"

/** The option every such command has. */
export const SERVER_ARGUMENT = {
  type: "string",
  description:
    "A running OpenCode, or spawn for one of its own. Default: LANES_SERVER, the one on port 4096, else spawn",
  valueHint: "URL",
} as const

/** A choice, before anything is started. */
export interface ChosenServer {
  readonly whose: "named" | "found" | "spawned"
  /** For people, without secrets. */
  readonly address: string
  readonly lanes: { readonly server: string | SpawnServer }
}

/** Where `opencode serve` listens unless told otherwise. */
const USUAL = "http://127.0.0.1:4096"
const FIND_MS = 400
/** One that was there may be far away. */
const KNOWN_MS = 1_000

/** Each defaults to what the running process has. */
export interface WhereToLook {
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly usual?: string
}

/**
 * Chooses. Names what it found, so that nobody wonders whose server works.
 *
 * @throws UsageError for an address that is none; LanesError as `ensureOpenCode` does
 */
export async function chooseServer(
  wanted: string | undefined,
  say: (sentence: string) => void,
  { env = process.env, usual = USUAL }: WhereToLook = {},
): Promise<ChosenServer> {
  const named = wanted ?? (env["LANES_SERVER"] || undefined)
  if (named !== undefined && named !== "spawn") {
    if (isServerAddress(named)) return { whose: "named", address: shownAddress(named), lanes: { server: named } }
    const source = wanted === undefined ? "LANES_SERVER" : "--server"
    throw new UsageError(`${source}: expected spawn or an address like ${usual}, got "${shownAddress(named)}".`)
  }
  if (named === undefined && (await answers(usual, env, FIND_MS))) {
    say(`Using the OpenCode at ${usual}; --server spawn starts one apart.`)
    return { whose: "found", address: usual, lanes: { server: usual } }
  }
  await ensureOpenCode(say)
  return { whose: "spawned", address: "one of its own", lanes: { server: { spawn: true } } }
}

/** The first of the servers that rows name which still answers, and lets us in. */
export async function stillThere(servers: readonly string[]): Promise<string | undefined> {
  for (const server of servers.filter(isServerAddress)) if (await answers(server, process.env, KNOWN_MS)) return server
  return undefined
}

/** Whether an OpenCode lets us in there. */
async function answers(baseUrl: string, env: NonNullable<WhereToLook["env"]>, limitMs: number): Promise<boolean> {
  try {
    await checkServer(httpTransport({ baseUrl, env }), { limitMs })
    return true
  } catch {
    return false
  }
}
