import type { Transport, WireRequest } from "../coordinator/ports.ts"
import { LanesError } from "../core/errors.ts"

/** A transport that can also open a stream, for server events. */
export interface StreamingTransport extends Transport {
  /** A GET whose body is read as it comes; it lasts until the signal, the server or the reader ends it. */
  open(path: string, signal: AbortSignal): Promise<Response>
}

/** One way to one server. */
export interface WireOptions {
  readonly baseUrl: string
  /** Sent with every request, before those of the request itself. */
  readonly headers: Headers
  /** Headers of the way itself, which a request may not set. */
  readonly reserved: readonly string[]
  readonly send: (request: Request) => Promise<Response>
  /** Longest time of one request. */
  readonly timeoutMs: number
  /** Largest body of one answer. */
  readonly maxBytes: number
}

/** What a caller needs of an answer's headers; cookies and the rest stay here. */
const PASSED = ["content-type", "retry-after", "date"]

/** A request for a path becomes a request to the server, its answer plain data, its failure a `LanesError`. */
export function wireTransport(options: WireOptions): StreamingTransport {
  const { timeoutMs, maxBytes, send } = options
  return {
    async fetch(request, signal) {
      const late = AbortSignal.timeout(timeoutMs)
      const ended = signal === undefined ? late : AbortSignal.any([signal, late])
      const built = build(options, request, ended)
      try {
        const response = await raced(send(built), ended)
        return {
          status: response.status,
          headers: passed(response.headers),
          body: await textOf(response, maxBytes, ended),
        }
      } catch (thrown) {
        throw failure(thrown, signal, late, options.baseUrl)
      }
    },
    async open(path, signal) {
      const built = build(options, { method: "GET", path, headers: { accept: "text/event-stream" } }, signal)
      try {
        return await raced(send(built), signal)
      } catch (thrown) {
        throw failure(thrown, signal, undefined, options.baseUrl)
      }
    },
  }
}

function build({ baseUrl, headers, reserved }: WireOptions, request: WireRequest, signal: AbortSignal): Request {
  const url = addressOf(baseUrl, request.path)
  const sent = new Headers(headers)
  for (const [name, value] of Object.entries(request.headers)) {
    if (!reserved.includes(name.toLowerCase())) sent.set(name, value)
  }
  return new Request(url, {
    method: request.method,
    headers: sent,
    redirect: "manual",
    signal,
    ...(request.body === undefined ? {} : { body: request.body }),
  })
}

/** Only a path on the one server: what else a URL can say would lead a request, with its password, elsewhere. */
function addressOf(baseUrl: string, path: string): string {
  if (!/^\/(?!\/)[^\\\s#]*$/.test(path)) throw notAPath(path)
  const base = new URL(baseUrl)
  const url = new URL(base.origin + base.pathname.replace(/\/$/, "") + path)
  if (url.origin !== base.origin) throw notAPath(path)
  return url.href
}

function notAPath(path: string): LanesError {
  return new LanesError("INVALID_INPUT", `${JSON.stringify(path.slice(0, 100))} is not a path on the server.`)
}

/** Also ends a wait for somebody who does not listen to the signal. */
function raced<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const end = (): void => reject(signal.reason)
    if (signal.aborted) end()
    signal.addEventListener("abort", end, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", end))
  })
}

async function textOf(response: Response, maxBytes: number, signal: AbortSignal): Promise<string> {
  if (response.body === null) return ""
  const reader = response.body.getReader()
  const decoder = new TextDecoder()
  let text = ""
  let bytes = 0
  try {
    for (;;) {
      const { done, value } = await raced(reader.read(), signal)
      if (done) return text + decoder.decode()
      bytes += value.byteLength
      if (bytes > maxBytes) throw new LanesError("GARBLED", `The server's answer is larger than ${maxBytes} bytes.`)
      text += decoder.decode(value, { stream: true })
    }
  } finally {
    reader.cancel().catch(() => undefined)
  }
}

function passed(headers: Headers): Record<string, string> {
  return Object.fromEntries([...headers].filter(([name]) => PASSED.includes(name)))
}

function failure(
  thrown: unknown,
  signal: AbortSignal | undefined,
  late: AbortSignal | undefined,
  url: string,
): LanesError {
  if (thrown instanceof LanesError) return thrown
  const reason: unknown = signal?.aborted === true ? signal.reason : undefined
  if (reason instanceof LanesError) return reason
  if (late?.aborted === true || isTimeout(reason)) {
    return new LanesError("SERVER_TIMEOUT", `OpenCode at ${url} did not answer in time.`, undefined, { cause: thrown })
  }
  if (signal?.aborted === true) {
    return new LanesError("CLOSED", "The caller gave the request up.", undefined, { cause: reason })
  }
  const detail = thrown instanceof Error ? thrown.message : String(thrown)
  return new LanesError("SERVER_UNREACHABLE", `OpenCode does not answer at ${url}: ${detail}`, undefined, {
    cause: thrown,
  })
}

function isTimeout(reason: unknown): boolean {
  return reason instanceof DOMException && reason.name === "TimeoutError"
}
