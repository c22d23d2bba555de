import type { IncomingMessage, ServerResponse } from "node:http"

/** A request's body takes at most so much; a prompt is the longest thing anybody sends. */
const BODY_BYTES = 2_000_000

/** An answer that is not the wanted one. */
export class Refused extends Error {
  readonly status: number
  readonly code: string

  constructor(status: number, code: string, message: string) {
    super(message)
    this.status = status
    this.code = code
  }
}

/** Statuses of what a source refuses; everything else it throws is our failure. */
const STATUS: Readonly<Record<string, number>> = {
  INVALID_INPUT: 400,
  TASK_UNKNOWN: 404,
  NOT_FOUND: 404,
  QUEUE_FULL: 429,
  PARENT_LIMIT: 429,
  CLOSED: 503,
  RELOADING: 503,
  SERVER_UNREACHABLE: 502,
  SERVER_TIMEOUT: 504,
  JOURNAL_FAILED: 507,
  MODEL_UNKNOWN: 400,
  AGENT_UNKNOWN: 400,
}

export function sendJson(response: ServerResponse, value: unknown, status: number = 200): void {
  const body = JSON.stringify(value)
  response.writeHead(status, {
    "content-type": "application/json; charset=utf-8",
    "content-length": Buffer.byteLength(body),
  })
  response.end(body)
}

export function sendText(
  response: ServerResponse,
  type: string,
  body: string,
  more: Record<string, string> = {},
): void {
  response.writeHead(200, { "content-type": type, "content-length": Buffer.byteLength(body), ...more })
  response.end(body)
}

/** Answers with what went wrong: sentence and code, no stack. */
export function sendError(response: ServerResponse, thrown: unknown): void {
  if (response.headersSent) return void response.destroy()
  const code = codeOf(thrown)
  const status = thrown instanceof Refused ? thrown.status : (STATUS[code] ?? 500)
  const message = thrown instanceof Error ? thrown.message : String(thrown)
  // What is left of a refused body would be read as the next request.
  if (status === 413) response.setHeader("connection", "close")
  sendJson(response, { code, message }, status)
}

function codeOf(thrown: unknown): string {
  const code: unknown = typeof thrown === "object" && thrown !== null && "code" in thrown ? thrown.code : undefined
  return typeof code === "string" ? code : "INTERNAL"
}

/** The body's bytes. By events, because leaving an iterator early destroys the request, and on some hosts its answer. */
function bodyOf(request: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    request.on("data", (chunk: Buffer) => {
      size += chunk.length
      if (size <= BODY_BYTES) return void chunks.push(chunk)
      chunks.length = 0
      reject(new Refused(413, "TOO_LARGE", `A body takes at most ${BODY_BYTES} bytes.`))
    })
    request.on("end", () => resolve(Buffer.concat(chunks)))
    request.on("error", reject)
  })
}

/** The body as a JSON object; everything else is refused. */
export async function readJson(request: IncomingMessage): Promise<Readonly<Record<string, unknown>>> {
  const bytes = await bodyOf(request)
  let value: unknown
  try {
    value = JSON.parse(bytes.toString("utf8"))
  } catch {
    throw new Refused(400, "INVALID_INPUT", "The body is not JSON.")
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new Refused(400, "INVALID_INPUT", "The body is not an object.")
  return value as Record<string, unknown>
}

export function text(body: Readonly<Record<string, unknown>>, key: string): string {
  const value = Object.hasOwn(body, key) ? body[key] : undefined
  if (typeof value !== "string" || value === "")
    throw new Refused(400, "INVALID_INPUT", `${key}: expected a non-empty string.`)
  return value
}
