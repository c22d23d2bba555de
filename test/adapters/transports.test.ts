import { afterAll, describe, expect, test } from "bun:test"
import { createOpencodeClient as createV1 } from "@opencode-ai/sdk/client"
import { createOpencodeClient as createV2 } from "@opencode-ai/sdk/v2/client"

import { checkServer } from "../../src/adapters/check-server.ts"
import { clientTransport } from "../../src/adapters/client-transport.ts"
import { HostTransport } from "../../src/adapters/host-transport.ts"
import { httpTransport } from "../../src/adapters/http-transport.ts"
import type { WireRequest } from "../../src/coordinator/ports.ts"
import { codeOf } from "../helpers/code-of.ts"

/** A server that does at each path what no server should. */
const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  idleTimeout: 0,
  async fetch(request, self) {
    const { pathname, search } = new URL(request.url)
    switch (pathname) {
      case "/echo":
        return Response.json({
          method: request.method,
          search,
          headers: Object.fromEntries(request.headers),
          body: await request.text(),
        })
      case "/elsewhere":
        return new Response(null, { status: 302, headers: { location: `http://127.0.0.1:${self.port}/echo` } })
      case "/huge":
        return new Response("x".repeat(100_000))
      case "/endless":
        return new Response(new ReadableStream({ pull: (out) => out.enqueue(new Uint8Array(10_000)) }))
      case "/silent":
        return new Promise<Response>(() => {})
      case "/stuck":
        return new Response(new ReadableStream({ start: (out) => out.enqueue(new TextEncoder().encode("half")) }))
      case "/cookie":
        return new Response("ok", { headers: { "set-cookie": "a=b", "retry-after": "7", "x-other": "1" } })
      case "/garbled":
        return new Response(new Uint8Array([0xff, 0xfe, 0x00, 0x80]))
      default:
        return new Response("no", { status: 500 })
    }
  },
})
const baseUrl = `http://127.0.0.1:${server.port}`
afterAll(() => server.stop(true))

const get = (path: string): WireRequest => ({ method: "GET", path, headers: {} })
const open = (more: Partial<Parameters<typeof httpTransport>[0]> = {}) => httpTransport({ baseUrl, env: {}, ...more })

async function echoed(transport: ReturnType<typeof open>, request: WireRequest) {
  return JSON.parse((await transport.fetch(request)).body) as {
    headers: Record<string, string>
    method: string
    search: string
    body: string
  }
}

describe("over HTTP", () => {
  test("a request arrives as it is, with the password", async () => {
    const request = {
      method: "POST",
      path: "/echo?directory=%2Fa",
      headers: { "content-type": "text/x" },
      body: '{"ä":1}',
    }
    const echo = await echoed(open({ password: "secret" }), request)
    expect(echo).toMatchObject({ method: "POST", search: "?directory=%2Fa", body: '{"ä":1}' })
    expect(echo.headers).toMatchObject({ "content-type": "text/x", authorization: `Basic ${btoa("opencode:secret")}` })
  })

  test("the password comes from the option, the address or the environment, in this order", async () => {
    const env = { OPENCODE_SERVER_PASSWORD: "env" }
    const of = async (transport: ReturnType<typeof open>) =>
      (await echoed(transport, get("/echo"))).headers["authorization"]
    const inAddress = `http://me:there@127.0.0.1:${server.port}`
    expect(await of(open({ env, password: "option" }))).toBe(`Basic ${btoa("opencode:option")}`)
    expect(await of(open({ env, baseUrl: inAddress }))).toBe(`Basic ${btoa("me:there")}`)
    expect(await of(open({ env }))).toBe(`Basic ${btoa("opencode:env")}`)
    expect(await of(open())).toBeUndefined()
  })

  test("a request cannot bring a password or a host of its own", async () => {
    const headers = { Authorization: "Basic stolen", Host: "elsewhere.invalid", Cookie: "a=b" }
    const echo = await echoed(open({ password: "secret" }), { ...get("/echo"), headers })
    expect(echo.headers["authorization"]).toBe(`Basic ${btoa("opencode:secret")}`)
    expect(echo.headers["host"]).toBe(`127.0.0.1:${server.port}`)
    expect(echo.headers).not.toHaveProperty("cookie")
  })

  test.each([
    ["//elsewhere.invalid/x"],
    ["http://elsewhere.invalid/"],
    ["@elsewhere.invalid/"],
    ["/\\elsewhere.invalid/"],
    ["/a b"],
    ["/a\nb"],
    ["/a#b"],
    ["echo"],
    [""],
  ])("%j is no path", async (path) => {
    expect(await codeOf(open().fetch(get(path)))).toBe("INVALID_INPUT")
    expect(await codeOf(open().open(path, AbortSignal.timeout(1_000)))).toBe("INVALID_INPUT")
  })

  test("a redirect is an answer, not followed", async () => {
    expect((await open({ password: "secret" }).fetch(get("/elsewhere"))).status).toBe(302)
  })

  test("any status is an answer; only harmless headers pass", async () => {
    expect(await open().fetch(get("/nowhere"))).toMatchObject({ status: 500, body: "no" })
    const { headers } = await open().fetch(get("/cookie"))
    expect(headers["retry-after"]).toBe("7")
    expect(Object.keys(headers)).not.toContain("set-cookie")
    expect(Object.keys(headers)).not.toContain("x-other")
  })

  test("an answer beyond the bound is GARBLED, one below is not", async () => {
    expect(await codeOf(open({ maxBytes: 99_999 }).fetch(get("/huge")))).toBe("GARBLED")
    expect(await codeOf(open({ maxBytes: 100_000 }).fetch(get("/huge")))).toBe("none")
    expect(await codeOf(open({ maxBytes: 100_000 }).fetch(get("/endless")))).toBe("GARBLED")
  })

  test("silence before or within an answer is SERVER_TIMEOUT", async () => {
    expect(await codeOf(open({ timeoutMs: 100 }).fetch(get("/silent")))).toBe("SERVER_TIMEOUT")
    expect(await codeOf(open({ timeoutMs: 100 }).fetch(get("/stuck")))).toBe("SERVER_TIMEOUT")
    expect(await codeOf(open().fetch(get("/silent"), AbortSignal.timeout(50)))).toBe("SERVER_TIMEOUT")
  })

  test("a caller that gives up is answered at once", async () => {
    const given = new AbortController()
    const code = codeOf(open().fetch(get("/silent"), given.signal))
    given.abort()
    expect(await code).toBe("CLOSED")
    expect(await codeOf(open().fetch(get("/echo"), AbortSignal.abort()))).toBe("CLOSED")
  })

  test("bytes that are no text do not throw", async () => {
    expect((await open().fetch(get("/garbled"))).status).toBe(200)
  })

  test("a port where nobody listens is SERVER_UNREACHABLE", async () => {
    expect(await codeOf(open({ baseUrl: await deadUrl() }).fetch(get("/echo")))).toBe("SERVER_UNREACHABLE")
  })

  test.each([["127.0.0.1:1"], ["ftp://a"], [""], ["http://"]])("%j is no address", async (address) => {
    expect(await codeOf(Promise.try(() => open({ baseUrl: address })))).toBe("CONFIG_INVALID")
  })

  test("a path in the address stays before every path", async () => {
    const echo = await open({ baseUrl: `${baseUrl}/before/` }).fetch(get("/echo"))
    expect(echo.status).toBe(500)
    expect((await open({ baseUrl: `${baseUrl}/` }).fetch(get("/echo"))).status).toBe(200)
  })
})

describe("over an SDK client", () => {
  const send = ((request: Request) => fetch(request)) as typeof fetch
  const headers = { authorization: "Basic theirs" }

  test.each([
    ["v1", () => createV1({ baseUrl, fetch: send, directory: "/theirs", headers })],
    ["v2", () => createV2({ baseUrl, fetch: send, directory: "/theirs", headers })],
  ])("%s: goes by its fetch, with its password and without its directory", async (_version, create) => {
    const echo = await echoed(clientTransport(create()), get("/echo?directory=%2Fours"))
    expect(echo.search).toBe("?directory=%2Fours")
    expect(echo.headers["authorization"]).toBe("Basic theirs")
    expect(echo.headers).not.toHaveProperty("x-opencode-directory")
  })

  test("is bounded like HTTP", async () => {
    const deaf = createV2({ baseUrl, fetch: (() => new Promise(() => {})) as unknown as typeof fetch })
    expect(await codeOf(clientTransport(deaf, { timeoutMs: 50 }).fetch(get("/echo")))).toBe("SERVER_TIMEOUT")
    expect(
      await codeOf(clientTransport(createV2({ baseUrl, fetch: send }), { maxBytes: 10 }).fetch(get("/huge"))),
    ).toBe("GARBLED")
  })

  test.each([[undefined], [{}], [{ _client: {} }], [{ client: { getConfig: () => ({ baseUrl }) } }], ["client"]])(
    "%j is no client we know",
    async (client) => {
      expect(await codeOf(Promise.try(() => clientTransport(client)))).toBe("SERVER_UNREACHABLE")
    },
  )
})

describe("over the instances of a host", () => {
  const client = (): object => createV2({ baseUrl, fetch: ((request: Request) => fetch(request)) as typeof fetch })

  test("one that is away is being loaded again, while another's is reached, and so are folders nobody has loaded", async () => {
    const host = new HostTransport()
    host.add("/there", client())
    host.add("/away", client())()
    expect(await codeOf(host.fetch(get("/echo?directory=%2Faway")))).toBe("RELOADING")
    for (const directory of ["there", "never"])
      expect((await host.fetch(get(`/echo?directory=%2F${directory}`))).status).toBe(200)
  })
})

describe("who is there", () => {
  test("an OpenCode tells its version", async () => {
    expect(await checkServer(answering(200, '{"healthy":true,"version":"1.18.33"}'))).toEqual({ version: "1.18.33" })
  })

  test("a wrong password, another server, nobody, and silence are told apart", async () => {
    expect(await codeOf(checkServer(answering(401, "")))).toBe("SERVER_AUTH")
    expect(await codeOf(checkServer(answering(200, "<html>")))).toBe("SERVER_NOT_OPENCODE")
    expect(await codeOf(checkServer(answering(200, '{"healthy":true}')))).toBe("SERVER_NOT_OPENCODE")
    expect(await codeOf(checkServer(answering(302, "")))).toBe("SERVER_NOT_OPENCODE")
    expect(await codeOf(checkServer(open()))).toBe("SERVER_NOT_OPENCODE")
    expect(await codeOf(checkServer(open({ baseUrl: await deadUrl() })))).toBe("SERVER_UNREACHABLE")
    const deaf = { fetch: (_request: WireRequest, signal?: AbortSignal) => aborted(signal) }
    expect(await codeOf(checkServer(deaf, { limitMs: 50 }))).toBe("SERVER_UNREACHABLE")
  })

  test("each comes with what to do", async () => {
    expect(await said(answering(401, ""))).toContain("OPENCODE_SERVER_PASSWORD")
    expect(await said(answering(200, ""))).toContain("opencode serve")
    expect(await said(open({ baseUrl: await deadUrl() }))).toContain("opencode serve")
  })
})

/** An address where a server was a moment ago. */
async function deadUrl(): Promise<string> {
  const gone = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response() })
  await gone.stop(true)
  return `http://127.0.0.1:${gone.port}`
}

function aborted(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal?.addEventListener("abort", () => reject(signal.reason as Error), { once: true })
  })
}

function answering(status: number, body: string) {
  return { fetch: () => Promise.resolve({ status, headers: {}, body }) }
}

async function said(transport: Parameters<typeof checkServer>[0]): Promise<string> {
  return String(await checkServer(transport).catch((thrown: unknown) => thrown))
}
