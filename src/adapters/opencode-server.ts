/** An OpenCode server of our own: started on the loopback with a password, stopped without a trace. */

import { randomBytes } from "node:crypto"
import { createServer } from "node:net"
import { LanesError } from "../core/errors.ts"
import { spawnGuarded } from "./guarded-process.ts"
import type { GuardedProcess, ProcessExit } from "./guarded-process.ts"
import { findBinary } from "./opencode-binary.ts"

/** How to start a server. */
export interface StartServerOptions {
  /** Path or name of the program. Default: see {@link findBinary}. */
  binary?: string
  /** Its working directory. Default: ours. */
  cwd?: string
  /** Its whole environment. Default: ours. */
  env?: Record<string, string | undefined>
  /** Default: 24 random bytes. */
  password?: string
  /** Default: a free one, tried up to three times. */
  port?: number
  /** Until it answers. Default 30,000 ms. */
  startTimeoutMs?: number
  /** Gives up starting; a server that runs already is not touched. */
  signal?: AbortSignal
}

/** A running server. */
export interface OpenCodeServer extends AsyncDisposable {
  readonly url: string
  readonly port: number
  /** For Basic authentication, user `opencode`. */
  readonly password: string
  readonly pid: number
  /** Resolves when the process has ended, for whatever reason. */
  readonly exited: Promise<ProcessExit>
  /** The last of what it printed. */
  output(): string
  /** Ends it and all it started. Safe to call twice. */
  stop(): Promise<void>
}

const PROBE_TIMEOUT_MS = 400
const PROBE_PAUSE_MS = 50
const DISPOSE_TIMEOUT_MS = 2000
const ATTEMPTS = 3

/**
 * Starts `opencode serve` and resolves when it answers.
 *
 * @throws LanesError `BINARY_MISSING`, `SERVER_TIMEOUT`, `SERVER_UNREACHABLE` (it ended while starting)
 */
export async function startServer(options: StartServerOptions = {}): Promise<OpenCodeServer> {
  const { cwd = process.cwd(), env = process.env, startTimeoutMs = 30_000, signal } = options
  const binary = findBinary({ ...(options.binary === undefined ? {} : { binary: options.binary }), cwd, env })
  const password = options.password ?? randomBytes(24).toString("base64url")
  const deadline = performance.now() + startTimeoutMs
  for (let attempt = 1; ; attempt += 1) {
    signal?.throwIfAborted()
    const port = options.port ?? (await freePort())
    const guarded = spawnGuarded(binary, ["serve", "--hostname", "127.0.0.1", "--port", String(port)], {
      cwd,
      env: { ...env, OPENCODE_SERVER_PASSWORD: password },
    })
    const url = `http://127.0.0.1:${port}`
    const outcome = await ready(guarded, url, password, deadline, signal)
    if (outcome === "ready") return handle(guarded, url, port, password)
    await guarded.end()
    signal?.throwIfAborted()
    if (outcome === "late") {
      throw new LanesError(
        "SERVER_TIMEOUT",
        `OpenCode did not answer on ${url} within ${startTimeoutMs} ms. ${said(guarded)}`,
      )
    }
    // The port was free a moment ago; somebody may have been quicker.
    if (options.port !== undefined || attempt === ATTEMPTS) {
      throw new LanesError("SERVER_UNREACHABLE", `OpenCode ended while it was starting on ${url}. ${said(guarded)}`)
    }
  }
}

/** The `authorization` header for a server with this password. */
export function basicAuth(password: string): string {
  return `Basic ${Buffer.from(`opencode:${password}`).toString("base64")}`
}

function handle(guarded: GuardedProcess, url: string, port: number, password: string): OpenCodeServer {
  let stopping: Promise<void> | undefined
  const stop = (): Promise<void> => (stopping ??= stopServer(guarded, url, password))
  return {
    url,
    port,
    password,
    pid: guarded.pid,
    exited: guarded.exited,
    output: () => guarded.output(),
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

/** Disposing first lets OpenCode abort its runs; its signal handler alone may be deaf during an install. */
async function stopServer(guarded: GuardedProcess, url: string, password: string): Promise<void> {
  const disposed = fetch(`${url}/instance/dispose`, {
    method: "POST",
    headers: { authorization: basicAuth(password) },
    signal: AbortSignal.timeout(DISPOSE_TIMEOUT_MS),
  }).catch(() => undefined)
  await Promise.race([disposed, guarded.exited])
  await guarded.end()
}

async function ready(
  guarded: GuardedProcess,
  url: string,
  password: string,
  deadline: number,
  signal: AbortSignal | undefined,
): Promise<"ready" | "ended" | "late" | "aborted"> {
  const exit = guarded.exited.then(() => "ended" as const)
  for (;;) {
    if (signal?.aborted) return "aborted"
    const alive = await healthy(url, password)
    // A pause in either case: somebody else may be the one who answers, while ours is ending.
    const ended = await Promise.race([exit, pause(PROBE_PAUSE_MS)])
    if (ended) return ended
    if (alive) return "ready"
    if (performance.now() > deadline) return "late"
  }
}

/**
 * Ours is the one that answers to the password alone; a stranger on the port is not, and never gets to
 * see it. Connections made before the server listens hang, hence the short limit.
 */
async function healthy(url: string, password: string): Promise<boolean> {
  const ask = (headers: Record<string, string>): Promise<Response> =>
    fetch(`${url}/global/health`, { headers, signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) })
  try {
    const refusal = await ask({})
    if (refusal.status !== 401) return false
    const response = await ask({ authorization: basicAuth(password) })
    const body = (await response.json()) as { healthy?: unknown }
    return response.ok && body.healthy === true
  } catch {
    return false
  }
}

/** A port nobody listens on. OpenCode's own `--port 0` means 4096. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once("error", reject)
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address()
      const port = typeof address === "object" && address !== null ? address.port : 0
      probe.close(() => resolve(port))
    })
  })
}

function pause(ms: number): Promise<undefined> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms)
  })
}

function said(guarded: GuardedProcess): string {
  const output = guarded.output()
  return output === "" ? "It printed nothing." : `It printed: ${output}`
}
