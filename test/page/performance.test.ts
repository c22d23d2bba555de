/** How quick the page is: times are told; what is asserted is what any machine must reach. */

import { expect, test } from "bun:test"
import { fileURLToPath } from "node:url"

import { servePage } from "../../src/page/server.ts"
import { picture, useBrowser } from "../helpers/browser.ts"
import { report } from "../helpers/report.ts"
import { StubSource, stubRow } from "../helpers/stub-source.ts"

const browser = useBrowser()
const AGENTS = ["explore", "general", "oracle", "librarian"]

/** `count` tasks of the last hour, the newest twenty of them live. */
function many(count: number): StubSource {
  const source = new StubSource()
  const now = Date.now()
  for (let i = 0; i < count; i++) {
    const queuedAt = now - ((count - i) * 3_600_000) / count
    const startedAt = queuedAt + ((i * 7919) % 20_000)
    const live = i >= count - 20
    const state = live ? "running" : i % 11 === 0 ? "error" : "completed"
    source.put(
      stubRow({
        id: `bg_${i.toString(36).padStart(8, "0")}`,
        order: i,
        state,
        createdAt: queuedAt,
        queuedAt,
        startedAt: Math.min(startedAt, now),
        ...(live ? {} : { settledAt: Math.min(now, startedAt + 5_000 + ((i * 104_729) % 90_000)) }),
        steps: i % 30,
        cost: (i % 100) / 1_000,
        lastTool: "grep",
        spec: { description: `Look into part ${i} of the code`, agent: AGENTS[i % 4] ?? "general", model: "acme/fast" },
      }),
    )
  }
  source.lanes = [{ lane: "default", used: 20, limit: 20, queued: 0 }]
  return source
}

test("5,000 tasks: first paint and scrolling", async () => {
  const source = many(5_000)
  await using page = await servePage(source, { token: false, title: "many" })
  await using b = await browser.tab()
  await b.tab.addInitScript(() => {
    const view = globalThis as unknown as {
      painted: number
      document: { querySelector(what: string): unknown }
      requestAnimationFrame(next: () => void): void
    }
    const look = (): void => {
      if (view.document.querySelector(".row") === null) return view.requestAnimationFrame(look)
      // The frame after the one that made the rows has shown them.
      view.requestAnimationFrame(() => (view.painted = performance.now()))
    }
    look()
  })
  const paints: number[] = []
  for (let i = 0; i < 3; i++) {
    await b.tab.goto(page.url)
    await b.tab.waitForFunction(() => (globalThis as unknown as { painted?: number }).painted !== undefined)
    paints.push(await b.tab.evaluate<number>("globalThis.painted"))
  }
  const { frames, ms, longest } = await b.tab.evaluate<{
    frames: number
    ms: number
    longest: number
  }>(`new Promise((done) => {
    const timeline = document.querySelector(".timeline")
    const start = performance.now()
    let frames = 0, last = start, longest = 0
    const step = (at) => {
      if (frames > 0) longest = Math.max(longest, at - last)
      last = at
      frames++
      timeline.scrollTop = (timeline.scrollTop + 170) % (timeline.scrollHeight - timeline.clientHeight)
      if (performance.now() - start < 3000) requestAnimationFrame(step)
      else done({ frames, ms: performance.now() - start, longest })
    }
    requestAnimationFrame(step)
  })`)
  expect(await b.tab.locator(".row").count()).toBeLessThan(80)
  await picture(b.tab, "many")
  const rate = (frames / ms) * 1_000
  const paint = paints.toSorted((x, y) => x - y)[1] ?? 0
  report(
    "The page with 5,000 tasks",
    ["what", "value", "goal"],
    [
      ["first rows shown", `${paint.toFixed(0)} ms`, "≤ 1000 ms"],
      ["frames per second while scrolling", rate.toFixed(0), "≥ 30"],
      ["longest frame", `${longest.toFixed(0)} ms`, ""],
    ],
  )
  expect(paint).toBeLessThan(3_000)
  expect(rate).toBeGreaterThan(15)
  expect(b.errors).toEqual([])
}, 60_000)

test("200 events per second and 10 clients: the coordinator's thread is not late", async () => {
  const source = many(500)
  await using page = await servePage(source, { token: false })
  const seconds = 5
  const total = 200 * seconds
  const clients = Bun.spawn(
    [
      process.execPath,
      fileURLToPath(new URL("../helpers/page-clients.ts", import.meta.url)),
      `${page.url}api/events`,
      "10",
      String(total),
    ],
    { stdout: "pipe", stderr: "inherit" },
  )
  while (page.clients.now < 10) await new Promise((resolve) => setTimeout(resolve, 20))
  const ids = source
    .list()
    .slice(-20)
    .map(({ id }) => id)
  const late: number[] = []
  let due = performance.now() + 5
  const sampling = setInterval(() => {
    late.push(Math.max(0, performance.now() - due))
    due = performance.now() + 5
  }, 5)
  await new Promise<void>((resolve) => {
    let said = 0
    const saying = setInterval(() => {
      const id = ids[said % ids.length] ?? ""
      source.say({ type: "task:progress", id, epoch: 1, steps: said, tool: "grep", tokens: said, cost: 0 })
      if (++said < total) return
      clearInterval(saying)
      resolve()
    }, 1_000 / 200)
  })
  clearInterval(sampling)
  expect(JSON.parse(await new Response(clients.stdout).text())).toEqual(Array.from({ length: 10 }, () => total))
  const at = (p: number): number => late.toSorted((x, y) => x - y)[Math.floor(p * late.length)] ?? Number.NaN
  report(
    "200 events per second, 10 clients",
    ["what", "value", "goal"],
    [
      ["lag p50", `${at(0.5).toFixed(1)} ms`, ""],
      ["lag p99", `${at(0.99).toFixed(1)} ms`, "≤ 20 ms"],
      ["lag at most", `${at(1 - 1e-9).toFixed(1)} ms`, ""],
    ],
  )
  expect(page.clients.dropped).toBe(0)
  expect(at(0.99)).toBeLessThan(100)
}, 60_000)
