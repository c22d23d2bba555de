import type { HostTransport } from "../adapters/host-transport.ts"
import { NAME } from "./identity.ts"

type Level = "info" | "warn" | "error"

/** Entries kept until the host can be spoken to. */
const KEPT = 100

/**
 * Logs through OpenCode: a plugin writes to no terminal. While an instance starts, entries wait. OpenCode 1.18 keeps the
 * message alone, not the service, so each says whose it is.
 */
export class HostLog {
  readonly #transport: HostTransport
  readonly #entries: { level: Level; message: string; directory: string }[] = []
  readonly #said = new Set<string>()
  #open = false

  constructor(transport: HostTransport) {
    this.#transport = transport
  }

  /** Says each thing once. */
  say(directory: string, level: Level, message: string): void {
    if (this.#said.has(message) || this.#said.size > 1_000) return
    this.#said.add(message)
    this.#entries.push({ level, message: message.startsWith(NAME) ? message : `${NAME}: ${message}`, directory })
    if (this.#entries.length > KEPT) this.#entries.shift()
    if (this.#open) this.flush()
  }

  /** The host can be spoken to now. */
  flush(): void {
    this.#open = true
    for (const { level, message, directory } of this.#entries.splice(0)) {
      const path = `/log?directory=${encodeURIComponent(directory)}`
      const body = JSON.stringify({ service: NAME, level, message })
      const headers = { "content-type": "application/json" }
      this.#transport.fetch({ method: "POST", path, headers, body }, AbortSignal.timeout(5_000)).catch(() => {})
    }
  }
}
