import { createClient } from "@opencode-ai/sdk/v2/gen/client"
import * as v from "valibot"

import type { Clock, WireRequest, WireResponse } from "../src/coordinator/ports.ts"
import { LanesError } from "../src/core/errors.ts"
import type { ErrorCode } from "../src/core/errors.ts"
import { bounded } from "./bounded.ts"
import { RefusalShape } from "./opencode-shapes.ts"

/** How a request leaves: the host knows the server and its password. */
export type WireFetch = (request: WireRequest, signal?: AbortSignal) => Promise<WireResponse>

/** One call of the API. */
export interface ApiCall<Shape extends v.GenericSchema> {
  /** For messages: "reading the status". */
  readonly what: string
  readonly limitMs: number
  readonly shape: Shape
  readonly signal?: AbortSignal | undefined
  readonly method: "get" | "post" | "patch" | "delete"
  readonly request: ApiRequest
}

/** The shape of the SDK's `…Data` types: each caller's request `satisfies` the one of its route. */
export interface ApiRequest {
  readonly url: string
  readonly path?: Record<string, string>
  readonly query?: Record<string, string | number>
  readonly body?: unknown
}

/** What the SDK resolves with: a refusal has a response, a failed request has none. */
interface Answered {
  readonly data?: unknown
  readonly error?: unknown
  readonly response?: Response | undefined
}

/** What a call was answered, and when: epoch ms on the server's clock, to the second; undefined when it does not say. */
export interface Answer<T> {
  readonly said: T
  readonly sentAt: number | undefined
}

/** Makes a call: bounded in time, its answer checked, every failure a `LanesError` with the code the port promises. */
export type Call = <Shape extends v.GenericSchema>(call: ApiCall<Shape>) => Promise<Answer<v.InferOutput<Shape>>>

/** No such host exists: a request that leaves by another way than `fetch` reaches nobody. */
const NOWHERE = "http://opencode.invalid"

/** Over the SDK's client. Its class of one method per route is 48 kB, of which a fifteenth would be used: the types name the routes. */
export function createCall({ fetch, clock }: { readonly fetch: WireFetch; readonly clock: Clock }): Call {
  const client = createClient({
    baseUrl: NOWHERE,
    parseAs: "json",
    fetch: (async (request: Request) =>
      toResponse(await fetch(await toWire(request), request.signal))) as typeof globalThis.fetch,
  })
  return async ({ what, limitMs, shape, signal, method, request }) => {
    const answer = await bounded({ clock, limitMs, what, signal }, (own) =>
      settled(what, () => client[method]({ ...request, signal: own })),
    )
    if (answer.response === undefined) throw LanesError.from(answer.error, "SERVER_UNREACHABLE")
    if (!answer.response.ok) throw refusal(what, answer.response.status, answer.error)
    const parsed = v.safeParse(shape, answer.data)
    if (parsed.success) return { said: parsed.output, sentAt: dateOf(answer.response) }
    throw garbled(what, detailOf(parsed.issues))
  }
}

/** What the SDK throws is about the body: not JSON, or a page for people. */
async function settled(what: string, request: () => Promise<Answered>): Promise<Answered> {
  try {
    return await request()
  } catch (thrown) {
    if (thrown instanceof LanesError) throw thrown
    throw garbled(what, thrown instanceof Error ? thrown.message : String(thrown))
  }
}

function dateOf({ headers }: Response): number | undefined {
  const date = Date.parse(headers.get("date") ?? "")
  return Number.isNaN(date) ? undefined : date
}

async function toWire(request: Request): Promise<WireRequest> {
  const { pathname, search } = new URL(request.url)
  const body = request.method === "GET" || request.method === "HEAD" ? "" : await request.text()
  return {
    method: request.method,
    path: `${pathname}${search}`,
    headers: Object.fromEntries(request.headers),
    ...(body === "" ? {} : { body }),
  }
}

function toResponse({ status, headers, body }: WireResponse): Response {
  try {
    const empty = status === 204 || status === 205 || status === 304
    return new Response(empty ? null : body, { status, headers: { ...headers } })
  } catch (thrown) {
    throw new LanesError("GARBLED", `OpenCode answered with status ${status}.`, undefined, { cause: thrown })
  }
}

function refusal(what: string, status: number, body: unknown): LanesError {
  const said = sentenceOf(body)
  return new LanesError(codeOf(status), `OpenCode answered ${what} with ${status}${said === "" ? "." : `: ${said}`}`)
}

function codeOf(status: number): ErrorCode {
  if (status === 401 || status === 403) return "SERVER_AUTH"
  if (status === 404) return "NOT_FOUND"
  if (status === 429 || status >= 500) return "SERVER_BUSY"
  return status >= 400 ? "SERVER_REJECTED" : "GARBLED"
}

function sentenceOf(body: unknown): string {
  const { success, output } = v.safeParse(RefusalShape, body)
  const said = success ? (output.data?.message ?? output.message ?? "") : typeof body === "string" ? body : ""
  return said.slice(0, 500)
}

function garbled(what: string, detail: string): LanesError {
  return new LanesError("GARBLED", `OpenCode's answer to ${what} is not what its API promises: ${detail.slice(0, 300)}`)
}

function detailOf(issues: readonly [v.BaseIssue<unknown>, ...v.BaseIssue<unknown>[]]): string {
  const [issue] = issues
  return `${v.getDotPath(issue) ?? "the answer"}: ${issue.message}`
}
