import { LanesError } from "../core/errors.ts"
import { clientTransport } from "./client-transport.ts"
import type { StreamingTransport } from "./wire-fetch.ts"

/**
 * The OpenCode a plugin lives in: one process with an instance per directory, each with a client of its own, which comes
 * and goes while what runs here goes on. A request names its directory in the query; while that one is being loaded
 * again nobody is there. Directories never seen are reached by whatever instance there is.
 */
export class HostTransport implements StreamingTransport {
  /** By directory, the newest last; an empty one was disposed. */
  readonly #instances = new Map<string, Instance[]>()

  /** Adds an instance; returns its removal. */
  add(directory: string, client: object): () => void {
    const instance: Instance = { client, transport: undefined }
    const of = this.#instances.get(directory) ?? []
    this.#instances.delete(directory)
    this.#instances.set(directory, [...of, instance])
    return () => {
      const left = (this.#instances.get(directory) ?? []).filter((other) => other !== instance)
      this.#instances.set(directory, left)
    }
  }

  has(directory: string): boolean {
    return (this.#instances.get(directory)?.length ?? 0) > 0
  }

  /** No instance is left. */
  get deserted(): boolean {
    return [...this.#instances.values()].every((of) => of.length === 0)
  }

  async fetch(...[request, signal]: Parameters<StreamingTransport["fetch"]>): ReturnType<StreamingTransport["fetch"]> {
    return this.#to(request.path).fetch(request, signal)
  }

  async open(path: string, signal: AbortSignal): Promise<Response> {
    return this.#to(path).open(path, signal)
  }

  #to(path: string): StreamingTransport {
    const directory = new URL(path, "http://host.invalid").searchParams.get("directory")
    const known = directory === null ? undefined : this.#instances.get(directory)
    const instance =
      known === undefined ? [...this.#instances.values()].findLast((of) => of.length > 0)?.at(-1) : known.at(-1)
    if (instance === undefined) {
      throw new LanesError(
        "RELOADING",
        "This project's OpenCode instance is not loaded.",
        "It is being reloaded, or was closed.",
      )
    }
    // Read late: during a plugin's start its client is not to be touched.
    instance.transport ??= clientTransport(instance.client)
    return instance.transport
  }
}

interface Instance {
  readonly client: object
  transport: StreamingTransport | undefined
}
