/** The page's rows of the threat table: each way in that must be closed, and its twin that must be open. */

import { afterAll, beforeAll, expect, test } from "bun:test"
import { readFileSync } from "node:fs"
import { connect } from "node:net"
import { hostname, networkInterfaces } from "node:os"

import { hostsOf, urlOf } from "../../src/page/security.ts"
import { servePage } from "../../src/page/server.ts"
import type { Page } from "../../src/page/server.ts"
import { StubSource, stubRow } from "../helpers/stub-source.ts"

const source = new StubSource()
source.put(stubRow({ id: "bg_00000001" }))
let page: Page
let cookie = ""

beforeAll(async () => {
  page = await servePage(source)
  cookie = await open(page)
})
afterAll(() => page.close())

async function open(of: Page): Promise<string> {
  const answer = await post(of, "/api/session", { token: secretOf(of.link()) }, {})
  expect(answer.status).toBe(200)
  return answer.headers.get("set-cookie")?.split(";")[0] ?? ""
}

const secretOf = (link: string): string => new URL(link).hash.replace("#link=", "")
const origin = (of: Page): string => of.url.slice(0, -1)

function get(path: string, headers: Record<string, string> = { cookie }): Promise<Response> {
  return fetch(new URL(path, page.url), { headers, redirect: "manual" })
}

function post(of: Page, path: string, body: unknown, headers: Record<string, string> = { cookie }): Promise<Response> {
  return fetch(new URL(path, of.url), {
    method: "POST",
    headers: { "content-type": "application/json", origin: origin(of), ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  })
}

/** The status of a request as it is written, for headers that no `fetch` lets one choose. */
function raw(lines: readonly string[], port: number = page.port): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => socket.write([...lines, "connection: close", "", ""].join("\r\n")))
    let answer = ""
    socket.on("data", (data) => (answer += data.toString()))
    socket.on("close", () => resolve(Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1] ?? 0)))
    socket.on("error", reject)
  })
}

test("it listens on 127.0.0.1 and nowhere else", () => {
  const hex = page.port.toString(16).toUpperCase().padStart(4, "0")
  const listening = ["/proc/net/tcp", "/proc/net/tcp6"].flatMap((file) =>
    readFileSync(file, "utf8")
      .split("\n")
      .map((line) => line.trim().split(/\s+/))
      .filter((cells) => cells[3] === "0A" && cells[1]?.endsWith(`:${hex}`))
      .map((cells) => cells[1]),
  )
  expect(listening).toEqual([`0100007F:${hex}`])
})

test("another address without a token is refused, and a short one is none", async () => {
  for (const token of [undefined, false, "short"] as const) {
    expect(servePage(source, { host: "0.0.0.0", ...(token === undefined ? {} : { token }) })).rejects.toMatchObject({
      code: "PAGE_TOKEN_MISSING",
    })
  }
  await using other = await servePage(source, { host: "0.0.0.0", token: "a-token-long-enough-for-it" })
  expect(await raw(["GET /api/snapshot HTTP/1.1", `host: 0.0.0.0:${other.port}`], other.port)).toBe(401)
})

test("a foreign Host is refused, whatever else is right", async () => {
  const ask = (...hosts: string[]): Promise<number> =>
    raw(["GET /api/snapshot HTTP/1.1", ...hosts.map((host) => `host: ${host}`), `cookie: ${cookie}`])
  expect(await ask(`127.0.0.1:${page.port}`)).toBe(200)
  expect(await ask(`localhost:${page.port}`)).toBe(200)
  for (const host of [
    "evil.example",
    `evil.example:${page.port}`,
    "127.0.0.1",
    `127.0.0.1:${page.port + 1}`,
    `127.0.0.1.evil.example:${page.port}`,
  ]) {
    expect([host, await ask(host)]).toEqual([host, 403])
  }
  // None at all, two of them, and one in the path.
  expect([400, 403]).toContain(await ask())
  expect([400, 403]).toContain(await ask(`127.0.0.1:${page.port}`, "evil.example"))
  expect([400, 403]).toContain(
    await raw(["GET http://evil.example/api/snapshot HTTP/1.1", "host: evil.example", `cookie: ${cookie}`]),
  )
  expect(await raw(["GET / HTTP/1.1", "host: evil.example"])).toBe(403)
})

test("a page on all addresses is asked for under each of them and by its machine's name, and its link names one", async () => {
  const token = "a-token-long-enough-for-it"
  const addresses = Object.values(networkInterfaces()).flatMap((all = []) => all)
  for (const host of ["0.0.0.0", "::"]) {
    await using other = await servePage(source, { host, token })
    const ask = (name: string): Promise<number> =>
      raw(["GET /api/snapshot HTTP/1.1", `host: ${name}`, `authorization: Bearer ${token}`], other.port)
    const names = [
      "127.0.0.1",
      "localhost",
      "LocalHost",
      hostname().toUpperCase(),
      ...addresses.map(({ address, family }) => (family === "IPv6" ? `[${address}]` : address)),
    ]
    for (const name of names) expect([host, name, await ask(`${name}:${other.port}`)]).toEqual([host, name, 200])
    for (const name of ["evil.example", `127.0.0.1.evil.example`, `${hostname()}.evil.example`])
      expect([host, name, await ask(`${name}:${other.port}`)]).toEqual([host, name, 403])
    const linked = new URL(other.link())
    const outside = addresses.filter(({ family, internal }) => family === "IPv4" && !internal)
    expect(outside.length === 0 ? ["localhost"] : outside.map(({ address }) => address)).toContain(linked.hostname)
    expect(await ask(linked.host)).toBe(200)
  }
})

test("names are told without case, and the port that http has anyway may be left out", () => {
  const at = { address: "192.0.2.7", port: 80 }
  expect([...hostsOf("MyBox", at, ["::1"])]).toEqual(
    ["mybox", "192.0.2.7", "[::1]"].flatMap((name) => [`${name}:80`, name]),
  )
  expect(urlOf("MyBox", at)).toBe("http://mybox/")
  expect([...hostsOf("MyBox", { ...at, port: 4000 })]).toEqual(["mybox:4000", "192.0.2.7:4000"])
})

test("a foreign Origin is refused, to read and to change", async () => {
  for (const foreign of [
    "http://evil.example",
    "null",
    `http://127.0.0.1:${page.port + 1}`,
    `https://127.0.0.1:${page.port}`,
  ]) {
    expect((await get("/api/snapshot", { cookie, origin: foreign })).status).toBe(403)
    expect((await post(page, "/api/cancel-all", {}, { cookie, origin: foreign })).status).toBe(403)
  }
  for (const site of ["cross-site", "same-site"]) {
    expect((await get("/api/snapshot", { cookie, "sec-fetch-site": site })).status).toBe(403)
    expect((await post(page, "/api/cancel-all", {}, { cookie, "sec-fetch-site": site })).status).toBe(403)
  }
  expect(source.asked).toEqual([])
  expect((await get("/api/snapshot", { cookie, origin: origin(page), "sec-fetch-site": "same-origin" })).status).toBe(
    200,
  )
  expect(
    (await get("/api/snapshot", { cookie, origin: origin(page) })).headers.get("access-control-allow-origin"),
  ).toBeNull()
})

test("a page may be visited from anywhere, and shows nothing by itself", async () => {
  const visit = { "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" }
  expect((await get("/", visit)).status).toBe(200)
  expect((await get("/", { ...visit, "sec-fetch-dest": "iframe" })).status).toBe(403)
  expect((await get("/api/snapshot", { ...visit, cookie })).status).toBe(403)
})

test("without a token, or with a wrong one, nothing is told and nothing is done", async () => {
  const paths = [
    "/api/snapshot",
    "/api/events",
    "/api/events.jsonl",
    "/api/tasks/bg_00000001",
    "/api/tasks/bg_00000001/messages",
    "/metrics",
    "/api/nothing",
  ]
  for (const headers of [
    {},
    { cookie: `lanes-${page.port}=wrong` },
    { cookie: "lanes-1=x" },
    { authorization: "Bearer wrong" },
  ] as Record<string, string>[]) {
    for (const path of paths) expect([path, (await get(path, headers)).status]).toEqual([path, 401])
    for (const path of ["/api/cancel-all", "/api/tasks/bg_00000001/cancel", "/api/limits", "/api/link"]) {
      expect([path, (await post(page, path, {}, headers)).status]).toEqual([path, 401])
    }
  }
  expect(source.asked).toEqual([])
  for (const path of ["/api/snapshot", "/metrics", "/api/tasks/bg_00000001"]) expect((await get(path)).status).toBe(200)
})

test("a link opens the page once", async () => {
  const secret = secretOf(page.link())
  expect((await post(page, "/api/session", { token: "not-a-link" }, {})).status).toBe(401)
  expect((await post(page, "/api/session", { token: secret }, {})).status).toBe(200)
  const again = await post(page, "/api/session", { token: secret }, {})
  expect([again.status, again.headers.get("set-cookie"), await again.json()]).toEqual([
    401,
    null,
    expect.objectContaining({ code: "LINK_USED" }),
  ])
  expect((await get("/api/snapshot")).status).toBe(200)
})

test("the session's cookie is of no use to scripts and to other sites", async () => {
  const answer = await post(page, "/api/session", { token: secretOf(page.link()) }, {})
  expect(answer.headers.get("set-cookie")).toMatch(/^lanes-\d+=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict$/)
})

test("a page without a token still knows its own address", async () => {
  await using free = await servePage(source, { token: false })
  expect(free.link()).toBe(free.url)
  expect((await fetch(`${free.url}api/snapshot`)).status).toBe(200)
  expect((await fetch(`${free.url}api/snapshot`, { headers: { origin: "http://evil.example" } })).status).toBe(403)
  expect(await raw(["GET /api/snapshot HTTP/1.1", "host: evil.example"], free.port)).toBe(403)
})

test("a fixed token opens as often as it is shown, also as a bearer", async () => {
  await using fixed = await servePage(source, { token: "a-token-long-enough-for-it" })
  const bearer = { authorization: "Bearer a-token-long-enough-for-it" }
  expect((await fetch(`${fixed.url}metrics`, { headers: bearer })).status).toBe(200)
  for (const _ of [1, 2])
    expect((await post(fixed, "/api/session", { token: "a-token-long-enough-for-it" }, {})).status).toBe(200)
  expect(
    (await fetch(`${fixed.url}metrics`, { headers: { authorization: "Bearer a-token-long-enough-for-i" } })).status,
  ).toBe(401)
  // A program names no origin; its bearer says that it is no browser being used.
  const change = { method: "POST", headers: { "content-type": "application/json", ...bearer }, body: "{}" }
  expect((await fetch(`${fixed.url}api/cancel-all`, change)).status).toBe(200)
  expect(source.asked.splice(0)).toEqual([["cancelAll"]])
})

test("a GET changes nothing, and a change is JSON from this page", async () => {
  for (const path of [
    "/api/cancel-all",
    "/api/tasks/bg_00000001/cancel",
    "/api/tasks/bg_00000001/continue",
    "/api/limits",
  ]) {
    expect([path, (await get(path)).status]).toEqual([path, 405])
    for (const type of ["application/x-www-form-urlencoded", "text/plain", "multipart/form-data", ""]) {
      expect([path, type, (await post(page, path, "{}", { cookie, "content-type": type })).status]).toEqual([
        path,
        type,
        403,
      ])
    }
  }
  expect(
    (
      await fetch(`${page.url}api/cancel-all`, {
        method: "POST",
        headers: { cookie, "content-type": "application/json" },
        body: "{}",
      })
    ).status,
  ).toBe(403)
  for (const method of ["PUT", "DELETE", "OPTIONS", "HEAD"])
    expect((await fetch(page.url, { method, headers: { cookie } })).status).toBe(405)
  expect(source.asked).toEqual([])
  expect((await post(page, "/api/tasks/bg_00000001/cancel", {})).status).toBe(200)
  expect((await post(page, "/api/tasks/bg_00000001/continue", { prompt: "on" })).status).toBe(200)
  expect((await post(page, "/api/limits", { lane: "default", limit: 3 })).status).toBe(200)
  expect(source.asked.splice(0)).toEqual([
    ["cancel", "bg_00000001"],
    ["continue", "bg_00000001", "on"],
    ["setLimits", { defaultConcurrency: 3 }],
  ])
})

test("one lane's new limit leaves the others as they are", async () => {
  source.lanes = [
    { lane: "default", used: 0, limit: 5, queued: 0 },
    { lane: "provider:acme", used: 1, limit: 2, queued: 0 },
    { lane: "provider:free", used: 1, limit: null, queued: 0 },
    { lane: "model:acme/deep", used: 1, limit: 1, queued: 0 },
  ]
  await post(page, "/api/limits", { lane: "provider:acme", limit: 4 })
  expect(source.asked.splice(0)).toEqual([["setLimits", { providerConcurrency: { acme: 4 } }]])
  for (const body of [
    { lane: "provider:none", limit: 1 },
    { lane: "constructor", limit: 1 },
    { lane: "default", limit: 0 },
    { lane: "default", limit: 1.5 },
    { limit: 1 },
  ]) {
    expect([400, 404]).toContain((await post(page, "/api/limits", body)).status)
  }
  expect(source.asked).toEqual([])
})

test("odd bodies and paths are answered with a sentence", async () => {
  for (const body of ["", "[]", "null", "{", '"x"'])
    expect([body, (await post(page, "/api/cancel-all", body)).status]).toEqual([body, 400])
  expect((await post(page, "/api/tasks/bg_00000001/continue", { prompt: "" })).status).toBe(400)
  expect((await post(page, "/api/tasks/bg_00000001/continue", { prompt: "x".repeat(3_000_000) })).status).toBe(413)
  expect((await get("/api/tasks/%E0%A4%A")).status).toBe(400)
  expect((await get("/api/tasks/__proto__")).status).toBe(404)
  expect((await get("/../etc/passwd")).status).toBe(404)
  for (const path of ["//", "//[", "/\\\\[", "//evil.example/api/snapshot", "/\\evil.example/api/snapshot"]) {
    const status = await raw([`GET ${path} HTTP/1.1`, `host: 127.0.0.1:${page.port}`, `cookie: ${cookie}`])
    expect([path, status]).toEqual([path, 404])
  }
  expect(source.asked).toEqual([])
})

test("nothing but the page's own script and style may run", async () => {
  const answer = await get("/")
  const policy = answer.headers.get("content-security-policy") ?? ""
  expect(policy).toContain("default-src 'none'")
  expect(policy).toMatch(/script-src 'sha256-[\w+/=]+';/)
  expect(policy).toMatch(/style-src 'sha256-[\w+/=]+';/)
  expect(policy).not.toMatch(/unsafe|\*|https?:/)
  const html = await answer.text()
  // No address of another host is loaded, and no attribute is script or style.
  expect(html).not.toMatch(/<(script|link|img|iframe)[^>]+(src|href)="(?!data:)/)
  expect(html).not.toMatch(/\son\w+="|\sstyle="/)
  for (const [name, value] of [
    ["x-frame-options", "DENY"],
    ["x-content-type-options", "nosniff"],
    ["referrer-policy", "no-referrer"],
    ["cache-control", "no-store"],
  ] as const) {
    expect([name, answer.headers.get(name)]).toEqual([name, value])
  }
})
