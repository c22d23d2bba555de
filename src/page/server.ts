import { createServer } from "node:http"
import type { IncomingMessage, Server, ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"

import type { Served } from "./api.ts"
import { CHANGES, READS } from "./api.ts"
import { Feed } from "./feed.ts"
import { Gate } from "./gate.ts"
import { pageHtml } from "./html.ts"
import { Metrics } from "./metrics.ts"
import { readJson, Refused, sendError, sendJson, sendText, text } from "./reply.ts"
import {
  bearerOf,
  changeRefusal,
  hostsOf,
  isLoopback,
  refusal,
  securityHeaders,
  sessionCookie,
  sessionOf,
  urlOf,
} from "./security.ts"
import type { Source } from "./source.ts"
import type { StreamBounds } from "./stream.ts"
import { STREAM_BOUNDS, streamTo } from "./stream.ts"

const STREAMS = 64

export interface PageOptions {
  /** Default 0: any free one. */
  readonly port?: number
  /** Default `127.0.0.1`. Any other address needs a token. */
  readonly host?: string
  /** Other names under which it may be asked for; their `Host` is accepted. */
  readonly hosts?: readonly string[]
  /** A fixed secret instead of one-time links alone, also as `Authorization: Bearer`; false asks for none. */
  readonly token?: string | false
  /** Shown as the page's title. Default: the folder's name. */
  readonly title?: string
  readonly directory?: string
  readonly retainMs?: number
  readonly stream?: Partial<StreamBounds>
  /** What outlives a server, for one that is opened again in the same process: see `PageState`. */
  readonly state?: PageState
}

/** What a page knows besides its sockets: the feed clients come back to, and who may look. */
export class PageState implements Disposable {
  readonly source: Source
  readonly feed: Feed
  readonly metrics: Metrics
  readonly gate: Gate

  constructor(source: Source, token?: string | false) {
    this.source = source
    this.feed = new Feed(source)
    this.metrics = new Metrics(source)
    this.gate = new Gate(token)
  }

  [Symbol.dispose](): void {
    this.feed[Symbol.dispose]()
    this.metrics[Symbol.dispose]()
  }
}

/** A page that is being served. */
export interface Page extends AsyncDisposable {
  readonly port: number
  /** Where it is, without a secret. */
  readonly url: string
  /** An address that opens it once, in one browser. */
  link(): string
  /** Clients listening now, and those dropped because they were too slow. */
  readonly clients: { readonly now: number; readonly dropped: number }
  close(): Promise<void>
}

/**
 * Serves the live page of a source. `node:http` and not `Bun.serve`, so that it also runs where OpenCode runs plugins on
 * Node. Rejects with code PAGE_TOKEN_MISSING, or as listening does (EADDRINUSE …).
 */
export async function servePage(source: Source, options: PageOptions = {}): Promise<Page> {
  const { token } = options
  const host = (options.host ?? "127.0.0.1").toLowerCase()
  if (!isLoopback(host) && (typeof token !== "string" || token.length < 16)) {
    throw new Refused(
      400,
      "PAGE_TOKEN_MISSING",
      `The page may be reached from other machines at ${host} only with a token of 16 characters or more.`,
    )
  }
  const state = options.state ?? new PageState(source, token)
  const { directory = process.cwd() } = options
  const served: Served = {
    source,
    feed: state.feed,
    metrics: state.metrics,
    title: options.title ?? directory.split(/[\\/]/).findLast(Boolean) ?? directory,
    directory,
    ...(options.retainMs === undefined ? {} : { retainMs: options.retainMs }),
  }
  const html = pageHtml()
  const headers = securityHeaders(html)
  const bounds = { ...STREAM_BOUNDS, ...options.stream }
  const streams = new Set<() => void>()
  let dropped = 0
  let port = 0
  let hosts: ReadonlySet<string> = new Set()

  const stream = (request: IncomingMessage, response: ServerResponse, query: URLSearchParams): void => {
    if (streams.size >= STREAMS) throw new Refused(503, "TOO_MANY", `At most ${STREAMS} clients listen at once.`)
    const cursor = request.headers["last-event-id"] ?? query.get("after") ?? state.feed.cursor
    const from = state.feed.after(String(cursor))
    response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8" })
    // Not here any more, of another process, or more than a client may be behind: it starts over with a snapshot.
    if (from === undefined || state.feed.last - from > bounds.behind)
      return void response.end("event: reset\ndata: {}\n\n")
    const stop = streamTo(response, state.feed, from, bounds, () => dropped++)
    streams.add(stop)
    response.on("close", () => streams.delete(stop))
  }

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<unknown> => {
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
    const refused = refusal(request, hosts)
    if (refused !== undefined) throw new Refused(403, "FOREIGN", refused)
    // Put together, not resolved: what begins with two slashes is a path here, and names no host.
    const { pathname, searchParams } = new URL(`http://page${request.url}`)
    const { method } = request
    if (method !== "GET" && method !== "POST") throw notAllowed(response, "GET, POST")
    if (method === "GET" && pathname === "/") return sendText(response, "text/html; charset=utf-8", html)

    if (method === "POST") {
      const why = changeRefusal(request.headers)
      if (why !== undefined) throw new Refused(403, "FOREIGN", why)
      if (pathname === "/api/session") {
        const opened = state.gate.redeem(text(await readJson(request), "token"))
        if ("refused" in opened)
          throw new Refused(
            401,
            opened.refused === "used" ? "LINK_USED" : "LINK_WRONG",
            "This link does not open the page.",
          )
        response.setHeader("set-cookie", sessionCookie(opened.session, port))
        return sendJson(response, {})
      }
    }
    if (!state.gate.admits({ session: sessionOf(request.headers, port), bearer: bearerOf(request.headers) })) {
      throw new Refused(401, "NO_TOKEN", "Open the page by the link that was printed.")
    }
    if (method === "POST" && pathname === "/api/link") {
      await readJson(request)
      return sendJson(response, { link: page.link() })
    }
    if (method === "GET" && pathname === "/api/events") return stream(request, response, searchParams)
    for (const [pattern, reply] of method === "GET" ? READS : CHANGES) {
      const match = pattern.exec(pathname)
      if (match !== null) return reply(served, response, request, decoded(match[1] ?? ""))
    }
    const other = method === "GET" ? CHANGES : READS
    if (other.some(([pattern]) => pattern.test(pathname))) throw notAllowed(response, method === "GET" ? "POST" : "GET")
    throw new Refused(404, "NOT_FOUND", "There is nothing here.")
  }

  const server = createServer(
    { maxHeaderSize: 16_384, requestTimeout: 30_000, headersTimeout: 10_000 },
    (request, response) => {
      answer(request, response).catch((thrown: unknown) => sendError(response, thrown))
    },
  )
  const at = await listen(server, options.port ?? 0, host).catch((thrown: unknown) => {
    if (options.state === undefined) state[Symbol.dispose]()
    throw thrown
  })
  port = at.port
  hosts = hostsOf(host, at, options.hosts)
  const url = urlOf(host, at)

  const close = async (): Promise<void> => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()))
    for (const stop of [...streams]) stop()
    server.closeAllConnections()
    await closed
    if (options.state === undefined) state[Symbol.dispose]()
  }
  let closing: Promise<void> | undefined
  const page: Page = {
    port,
    url,
    // After the `#`: what stands there is not sent anywhere, so no log and no referrer has it.
    link: () => (token === false ? url : `${url}#link=${state.gate.link()}`),
    get clients() {
      return { now: streams.size, dropped }
    },
    close: () => (closing ??= close()),
    [Symbol.asyncDispose]: () => page.close(),
  }
  return page
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    throw new Refused(400, "INVALID_INPUT", "The path is not well-formed.")
  }
}

function notAllowed(response: ServerResponse, allow: string): Refused {
  response.setHeader("allow", allow)
  return new Refused(405, "METHOD", `Only ${allow} is answered here.`)
}

function listen(server: Server, port: number, host: string): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once("error", reject)
    server.listen(port, host, () => {
      server.off("error", reject)
      resolve(server.address() as AddressInfo)
    })
  })
}
