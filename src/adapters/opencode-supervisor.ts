/**
 * A server of ours that is started again once when it dies by itself.
 *
 *   running ─ dies ─→ lost ─ started again ─→ running (last life) ─ dies ─→ gone
 *      │                └─ cannot be started ─────────────────────────────→ gone
 *      └─ stop() in any state ────────────────────────────────────────────→ gone
 */

import type { ProcessExit } from "./guarded-process.ts"
import { startServer } from "./opencode-server.ts"
import type { OpenCodeServer, StartServerOptions } from "./opencode-server.ts"

/** How to start and watch a server. */
export interface SuperviseServerOptions extends StartServerOptions {
  /** The process died. `final`: it is not started again. */
  onLost?: (loss: ServerLoss) => void
  /** It answers again, on the same url with the same password. */
  onBack?: (server: OpenCodeServer) => void
}

/** Why a server is away. */
export interface ServerLoss {
  exit: ProcessExit
  final: boolean
  /** Why it could not be started again, or what it printed last. */
  reason: string
}

/** A server whose process may change; url and password stay. */
export interface SupervisedServer extends AsyncDisposable {
  readonly url: string
  readonly port: number
  readonly password: string
  /** Of the process running now, or of the last one. */
  readonly pid: number
  /** Resolves when no process runs and none will be started. */
  readonly gone: Promise<void>
  /** The last of what the current process printed. */
  output(): string
  /** Ends it for good. Safe to call twice. */
  stop(): Promise<void>
}

/**
 * Starts a server and watches over it. The first start fails as {@link startServer} does.
 */
export async function superviseServer(options: SuperviseServerOptions = {}): Promise<SupervisedServer> {
  const { onLost, onBack, ...start } = options
  const stopping = new AbortController()
  let server = await startServer(start)
  const { url, port, password } = server

  async function watch(): Promise<void> {
    const first = await endOf(server)
    if (stopping.signal.aborted) return
    onLost?.({ exit: first, final: false, reason: server.output() })
    try {
      server = await startServer({ ...start, port, password, signal: stopping.signal })
    } catch (error) {
      if (!stopping.signal.aborted) onLost?.({ exit: first, final: true, reason: messageOf(error) })
      return
    }
    if (!stopping.signal.aborted) onBack?.(server)
    const second = await endOf(server)
    if (!stopping.signal.aborted) onLost?.({ exit: second, final: true, reason: server.output() })
  }

  const gone = watch()
  const stop = async (): Promise<void> => {
    stopping.abort()
    await server.stop()
    // A restart under way when we were called notices the signal and cleans up after itself.
    await gone
    await server.stop()
  }
  return {
    url,
    port,
    password,
    get pid() {
      return server.pid
    },
    gone,
    output: () => server.output(),
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

/** Waits for the process and then for what it left behind, which might still hold the port. */
async function endOf(server: OpenCodeServer): Promise<ProcessExit> {
  const exit = await server.exited
  await server.stop()
  return exit
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
