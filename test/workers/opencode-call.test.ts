import { describe, expect, test } from "bun:test"

import type { SessionApi, WireRequest, WireResponse } from "../../src/coordinator/ports.ts"
import { LanesError } from "../../src/core/errors.ts"
import { createOpencodeSession } from "../../workers/opencode-session.ts"
import type { WireFetch } from "../../workers/opencode-call.ts"
import { codeOf } from "../helpers/code-of.ts"
import { ManualClock } from "../helpers/manual-clock.ts"

const DIRECTORY = "/projects/a b"
const SESSION = {
  id: "ses_1",
  directory: DIRECTORY,
  title: "A task",
  time: { created: 1, updated: 2 },
}

function answering(
  body: unknown,
  status = 200,
  headers: Record<string, string> = { "content-type": "application/json" },
): WireFetch {
  const answer: WireResponse = { status, headers, body: typeof body === "string" ? body : JSON.stringify(body) }
  return () => Promise.resolve(answer)
}

function open(fetch: WireFetch, clock = new ManualClock()): SessionApi {
  return createOpencodeSession({ fetch, clock })
}

const moved: WireFetch = () => Promise.reject(new LanesError("RUN_MOVED_ON", "This run is over."))
const broken: WireFetch = () => Promise.reject(new TypeError("fetch failed"))
const never: WireFetch = () => new Promise(() => {})

describe("what is sent", () => {
  test("is a path with the directory in its query, and a body only where there is one", async () => {
    const sent: WireRequest[] = []
    const api = open((request) => {
      sent.push(request)
      return answering(request.method === "GET" ? [] : SESSION)(request)
    })
    await api.todos(DIRECTORY, "ses_1")
    await api.create({ directory: DIRECTORY, title: "A task", permission: [], metadata: { a: 1 } })
    expect(sent[0]).toMatchObject({ method: "GET", path: "/session/ses_1/todo?directory=%2Fprojects%2Fa%20b" })
    expect(sent[0]).not.toHaveProperty("body")
    expect(sent[1]).toMatchObject({ method: "POST", path: "/session?directory=%2Fprojects%2Fa%20b" })
    expect(JSON.parse(sent[1]?.body ?? "")).toEqual({ title: "A task", permission: [], metadata: { a: 1 } })
    expect(sent[1]?.headers["content-type"]).toBe("application/json")
  })

  test("splits a model at its first slash and names no tools", async () => {
    let body: unknown
    const api = open((request) => {
      body = JSON.parse(request.body ?? "null")
      return answering("", 204)(request)
    })
    const model = "openrouter/anthropic/claude"
    await api.prompt(DIRECTORY, "ses_1", {
      messageID: "msg_1",
      partID: "prt_1",
      text: "Do it.",
      agent: "general",
      model,
    })
    expect(body).toEqual({
      messageID: "msg_1",
      agent: "general",
      model: { providerID: "openrouter", modelID: "anthropic/claude" },
      parts: [{ id: "prt_1", type: "text", text: "Do it." }],
    })
  })
})

describe("what comes back", () => {
  test.each([
    [400, "SERVER_REJECTED"],
    [401, "SERVER_AUTH"],
    [403, "SERVER_AUTH"],
    [404, "NOT_FOUND"],
    [409, "SERVER_REJECTED"],
    [429, "SERVER_BUSY"],
    [500, "SERVER_BUSY"],
    [503, "SERVER_BUSY"],
    [302, "GARBLED"],
    [700, "GARBLED"],
  ])("status %d is %s", async (status, code) => {
    expect(await codeOf(open(answering("", status)).get(DIRECTORY, "ses_1"))).toBe(code)
  })

  test.each([
    ["half a JSON", '{"id":"ses_1",'],
    ["a page", "<html></html>"],
    ["nothing", ""],
    ["another kind", "[]"],
    ["null", "null"],
    ["a field of the wrong kind", { ...SESSION, title: 7 }],
    ["a missing field", { ...SESSION, time: undefined }],
    ["a number that is none", { ...SESSION, cost: "1" }],
  ])("%s is GARBLED", async (_what, body) => {
    expect(await codeOf(open(answering(body)).get(DIRECTORY, "ses_1"))).toBe("GARBLED")
  })

  test("a page sent as such is GARBLED", async () => {
    expect(
      await codeOf(open(answering("<html></html>", 200, { "content-type": "text/html" })).get(DIRECTORY, "ses_1")),
    ).toBe("GARBLED")
  })

  test("a whole answer is read, unknown fields ignored", async () => {
    const session = await open(answering({ ...SESSION, slug: "x", extra: [1] })).get(DIRECTORY, "ses_1")
    expect(session).toMatchObject({ id: "ses_1", created: 1, updated: 2, cost: 0, metadata: {} })
    expect(session).not.toHaveProperty("slug")
  })

  test("the server's own words are in the message, bounded", async () => {
    const said = { name: "NotFoundError", data: { message: `Session not found: ${"x".repeat(2_000)}` } }
    const error: unknown = await open(answering(said, 404))
      .get(DIRECTORY, "ses_1")
      .catch((thrown: unknown) => thrown)
    expect(String(error)).toContain("Session not found: xxx")
    expect(String(error).length).toBeLessThan(700)
  })

  test("what the carrier says passes as it is; anything else means that nobody is there", async () => {
    expect(await codeOf(open(moved).get(DIRECTORY, "ses_1"))).toBe("RUN_MOVED_ON")
    expect(await codeOf(open(broken).get(DIRECTORY, "ses_1"))).toBe("SERVER_UNREACHABLE")
  })
})

describe("how long it takes", () => {
  test.each([
    ["a poll", (api: SessionApi) => api.newest(DIRECTORY, "ses_1", { limit: 1, maxChars: 10 })],
    [
      "a prompt",
      (api: SessionApi) => api.prompt(DIRECTORY, "ses_1", { messageID: "msg_1", partID: "prt_1", text: "x" }),
    ],
    ["an abort", (api: SessionApi) => api.abort(DIRECTORY, "ses_1")],
    ["a status", (api: SessionApi) => api.status(DIRECTORY)],
  ])(
    "%s ends, though nobody answers and the carrier does not listen: at 5 s not yet, at 30 s long since",
    async (_what, ask) => {
      const clock = new ManualClock()
      let code: string | undefined
      const asked = codeOf(ask(open(never, clock))).then((given) => (code = given))
      clock.advance(5_000)
      await Promise.resolve()
      expect(code).toBeUndefined()
      clock.advance(25_000)
      expect(await asked).toBe("SERVER_TIMEOUT")
      expect(clock.pending).toBe(0)
    },
  )

  test("the carrier hears when nobody waits any more", async () => {
    const clock = new ManualClock()
    const heard = Promise.withResolvers<AbortSignal>()
    const api = open((_request, signal) => {
      if (signal !== undefined) heard.resolve(signal)
      return new Promise(() => {})
    }, clock)
    const given = new AbortController()
    const code = codeOf(api.get(DIRECTORY, "ses_1", given.signal))
    const signal = await heard.promise
    expect(signal.aborted).toBe(false)
    given.abort(new LanesError("RUN_MOVED_ON", "This run is over."))
    expect(await code).toBe("RUN_MOVED_ON")
    expect(signal.aborted).toBe(true)
    expect(clock.pending).toBe(0)
  })

  test("no timer is left behind by an answer or a refusal", async () => {
    const clock = new ManualClock()
    await open(answering(SESSION), clock).get(DIRECTORY, "ses_1")
    await codeOf(open(answering("", 500), clock).get(DIRECTORY, "ses_1"))
    expect(clock.pending).toBe(0)
  })
})
