/** The feed, its clients and the history they share, without a network where none is needed. */

import { expect, test } from "bun:test"
import { readFileSync } from "node:fs"
import { connect } from "node:net"
import type { Socket } from "node:net"

import { PAGE_FILE, buildPage } from "../../scripts/build-page.ts"
import { Feed } from "../../src/page/feed.ts"
import { History } from "../../src/page/history.ts"
import { pageHtml } from "../../src/page/html.ts"
import { servePage } from "../../src/page/server.ts"
import type { Page } from "../../src/page/server.ts"
import type { WireFrame } from "../../src/page/wire.ts"
import { StubSource, stubRow } from "../helpers/stub-source.ts"

const progress = (id: string, steps: number, tool?: string) =>
  ({ type: "task:progress", id, epoch: 1, steps, tokens: 0, cost: 0, ...(tool === undefined ? {} : { tool }) }) as const

test("the page in the tree is what its sources make", async () => {
  expect(readFileSync(PAGE_FILE, "utf8")).toBe(await buildPage())
  expect(pageHtml()).toBe(await buildPage())
})

test("a cursor counts from its own feed alone, and only as far back as frames are kept", () => {
  const source = new StubSource()
  using feed = new Feed(source)
  expect([feed.last, feed.after(feed.cursor), feed.after(`${feed.boot}-1`)]).toEqual([0, 0, undefined])
  for (let i = 0; i < 10_050; i++) source.say({ type: "worker:started", worker: `w${i}` })
  expect(feed.last).toBe(10_050)
  expect(feed.after(`${feed.boot}-10050`)).toBe(10_050)
  expect(feed.after(`${feed.boot}-50`)).toBe(50)
  for (const cursor of [
    `${feed.boot}-49`,
    `${feed.boot}-10051`,
    "other-10050",
    "",
    "x",
    `${feed.boot}-NaN`,
    `${feed.boot}-1.5`,
  ])
    expect([cursor, feed.after(cursor)]).toEqual([cursor, undefined])
})

test("frames carry rows without texts, and lanes when they may have changed", () => {
  const source = new StubSource()
  using feed = new Feed(source)
  source.put(stubRow({ id: "bg_1", spec: { prompt: "a secret prompt" }, lastText: "a long text" }))
  source.say({ type: "task:queued", id: "bg_1", epoch: 1, lane: "default", ahead: 0, description: "x" })
  source.say(progress("bg_1", 1, "grep"))
  const frames = [1, 2].map((n) => JSON.parse(feed.frame(n) ?? "") as WireFrame)
  expect(frames.map(({ task, lanes }) => [task?.id, lanes?.length])).toEqual([
    ["bg_1", 1],
    ["bg_1", undefined],
  ])
  expect(feed.frame(1)).not.toContain("secret")
  expect(feed.frame(2)).not.toContain("long text")
})

test("history marks what happened once: a tool when it changes or is called again, a retry when it begins", () => {
  const history = new History()
  const note = (event: object): void =>
    history.note({ seq: 1, id: "bg_1", epoch: 1, ...event } as never, undefined, undefined)
  note({ ...progress("bg_1", 1, "grep"), at: 1 })
  note({ ...progress("bg_1", 1, "grep"), at: 2 })
  note({ ...progress("bg_1", 1, "read"), at: 3 })
  for (const at of [4, 5]) note({ type: "task:snapshot", at, retry: "slow down", todosOpen: 2 })
  note({ type: "task:snapshot", at: 6, todosOpen: 1 })
  note({ type: "task:nudged", at: 7, kind: "nudge", n: 1 })
  expect(history.get("bg_1")).toEqual({
    marks: [
      [1, "tool", "grep"],
      [3, "tool", "read"],
      [4, "retry", "slow down"],
      [7, "nudge", "nudge"],
    ],
    past: [],
    todosOpen: 1,
  })
  expect(history.get("bg_2")).toEqual({ marks: [], past: [] })
})

test("a continued task keeps the runs before this one", () => {
  const source = new StubSource()
  source.put(stubRow({ id: "bg_1", state: "completed", queuedAt: 1, startedAt: 2, settledAt: 3 }))
  using feed = new Feed(source)
  source.put(stubRow({ id: "bg_1", state: "pending", epoch: 2 }))
  source.say({ type: "task:continued", id: "bg_1", epoch: 2, prompt: "on" })
  expect(feed.history.get("bg_1").past).toEqual([[1, 2, 3, "completed"]])
})

/** A client that reads nothing until it is told to. */
function quietClient(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.pause()
      socket.write(`GET /api/events HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\n\r\n`)
      resolve(socket)
    })
    socket.on("error", reject)
  })
}

test("a client that does not read is dropped; the others and the bus go on", async () => {
  const source = new StubSource()
  await using page = await servePage(source, { token: false, stream: { behind: 500 } })
  const slow = await quietClient(page.port)
  const quick = await fetch(`${page.url}api/events`)
  const reader = quick.body?.pipeThrough(new TextDecoderStream()).getReader()
  let heard = ""
  const until = async (text: string): Promise<void> => {
    while (!heard.includes(text)) {
      const { value = "", done } = (await reader?.read()) ?? { done: true }
      if (done) throw new Error("the quick client was dropped")
      heard = heard.slice(-2_000) + value
    }
  }
  const long = "x".repeat(20_000)
  let said = 0
  while (page.clients.dropped === 0) {
    if (said > 20_000) throw new Error("the slow client was never dropped")
    for (let i = 0; i < 100; i++) source.say({ type: "server:lost", message: `${long} ${++said};` })
    await until(` ${said};`)
  }
  expect(page.clients).toEqual({ now: 1, dropped: 1 })
  slow.destroy()
  await reader?.cancel()
}, 30_000)

test("a quiet stream is pinged, so that both ends know it lives", async () => {
  await using page = await servePage(new StubSource(), { token: false, stream: { stalledMs: 30 } })
  const answer = await fetch(`${page.url}api/events`)
  let text = ""
  for await (const chunk of answer.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += chunk
    if (text.split(": ping\n\n").length > 2) break
  }
  expect(text).toMatch(/^retry: 1000\n\n(: ping\n\n)+$/)
})

/** The ids of the first frames a client gets that comes back after `last`, or that it is to start over. */
async function idsAfter(page: Page, last: string, wanted: number): Promise<string[]> {
  const answer = await fetch(`${page.url}api/events`, { headers: { "last-event-id": last } })
  let text = ""
  for await (const chunk of answer.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += chunk
    if (text.includes("event: reset") || text.split("\ndata: ").length > wanted) break
  }
  return [...text.matchAll(/^(?:id|event): (.+)$/gm)].map(([, word = ""]) => word)
}

async function bootOf(page: Page): Promise<string> {
  const { cursor } = (await (await fetch(`${page.url}api/snapshot`)).json()) as { cursor: string }
  return cursor.slice(0, cursor.lastIndexOf("-"))
}

test("a stream goes on behind Last-Event-ID, and says when it cannot", async () => {
  const source = new StubSource()
  await using page = await servePage(source, { token: false })
  const ids = (last: string, wanted: number): Promise<string[]> => idsAfter(page, last, wanted)
  const boot = await bootOf(page)
  for (let n = 1; n <= 3; n++) source.say({ type: "server:lost", message: String(n) })
  expect(await ids(`${boot}-0`, 3)).toEqual([`${boot}-1`, `${boot}-2`, `${boot}-3`])
  expect(await ids(`${boot}-2`, 1)).toEqual([`${boot}-3`])
  expect(await ids(`${boot}-9`, 1)).toEqual(["reset"])
  expect(await ids("another-1", 1)).toEqual(["reset"])
})

test("a client that comes back further behind than it may be starts over, though its frames are still kept", async () => {
  const source = new StubSource()
  await using page = await servePage(source, { token: false, stream: { behind: 5 } })
  const boot = await bootOf(page)
  for (let n = 1; n <= 6; n++) source.say({ type: "server:lost", message: String(n) })
  expect(await idsAfter(page, `${boot}-0`, 1)).toEqual(["reset"])
  expect(await idsAfter(page, `${boot}-1`, 5)).toEqual([2, 3, 4, 5, 6].map((n) => `${boot}-${n}`))
  expect(page.clients.dropped).toBe(0)
})

test("a client that was slow for a while gets everything, in order", async () => {
  const source = new StubSource()
  await using page = await servePage(source, { token: false })
  const socket = await quietClient(page.port)
  while (page.clients.now === 0) await new Promise((resolve) => setImmediate(resolve))
  const long = "x".repeat(20_000)
  for (let i = 1; i <= 300; i++) source.say({ type: "server:lost", message: `${long} ${i};` })
  let text = ""
  socket.on("data", (data) => (text += data.toString()))
  socket.resume()
  const { promise, resolve } = Promise.withResolvers<void>()
  socket.on("data", () => text.includes(" 300;") && resolve())
  await promise
  expect([...text.matchAll(/x (\d+);/g)].map(([, n]) => Number(n))).toEqual(
    Array.from({ length: 300 }, (_, i) => i + 1),
  )
  expect([...text.matchAll(/^id: \w+-(\d+)$/gm)].map(([, n]) => Number(n))).toEqual(
    Array.from({ length: 300 }, (_, i) => i + 1),
  )
  socket.destroy()
})
