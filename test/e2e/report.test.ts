/** What the end-to-end run reports: how late, how heavy. It prints; only what must hold on any machine is asserted. */

import { expect, test } from "bun:test"

import { basicAuth } from "../../src/adapters/opencode-server.ts"
import { lanesOn } from "../helpers/lanes.ts"
import type { TestLanes } from "../helpers/lanes.ts"
import { useOpenCode } from "../helpers/opencode.ts"
import { report } from "../helpers/report.ts"
import { followEventLines } from "../helpers/server-events.ts"

const oc = useOpenCode()

test("completion lag, from the server's idle to task:settled", async () => {
  const rows: string[][] = []
  for (const events of [true, false]) {
    await using t = await lanesOn(oc, { events, config: { pollIntervalMs: 2_000, defaultConcurrency: 5 } })
    await using idle = await idleTimes()
    const tasks = await Promise.all(
      Array.from({ length: 30 }, (_, i) =>
        t.run({ id: `lag-${events}-${i}`, turns: [{ wait: 100 + 37 * i, text: "x" }] }),
      ),
    )
    const outcomes = await Promise.all(tasks.map((task) => task.done))
    expect(outcomes.map((o) => o.reason)).toEqual(tasks.map(() => "FINISHED"))
    const lags = tasks.map(({ id }, i) => settledAt(t, id) - (idle.at(outcomes[i]?.sessionID ?? "") ?? Number.NaN))
    expect(lags.every(Number.isFinite)).toBe(true)
    rows.push([events ? "with events" : "polling alone (2 s)", ...[0.5, 0.95, 0.99].map((p) => ms(quantile(lags, p)))])
  }
  report("Completion lag over 30 tasks", ["", "p50", "p95", "p99"], rows)
}, 120_000)

test("a task of 300 ms, from launch to settled", async () => {
  await using t = await lanesOn(oc, { config: { pollIntervalMs: 2_000 } })
  const times: number[] = []
  for (let i = 0; i < 10; i++) {
    const start = performance.now()
    await (
      await t.run({ id: `short${i}`, turns: [{ wait: 300, text: "x" }] })
    ).done
    times.push(performance.now() - start)
  }
  report(
    "A task whose model answers after 300 ms",
    ["", "p50", "max"],
    [["launch to settled", ms(quantile(times, 0.5)), ms(Math.max(...times))]],
  )
}, 60_000)

test("a hundred tasks at once on one server", async () => {
  const count = { requests: 0, bytes: 0, polls: 0, pollBytes: 0 }
  const counted = {
    _client: {
      getConfig: () => ({
        baseUrl: oc.url,
        headers: { authorization: basicAuth(oc.password) },
        fetch: async (request: Request) => {
          const response = await fetch(request)
          if (new URL(request.url).pathname === "/event") return response
          const body = await response.arrayBuffer()
          count.requests++
          count.bytes += body.byteLength
          if (request.method === "GET") {
            count.polls++
            count.pollBytes += body.byteLength
          }
          return new Response(response.status === 204 ? null : body, response)
        },
      }),
    },
  }
  const base = process.memoryUsage().rss
  await using t = await lanesOn(oc, { server: counted, config: { pollIntervalMs: 2_000, defaultConcurrency: 100 } })
  const start = performance.now()
  const lag = sampleLag()
  const turns = [
    { tools: [{ name: "grep", args: { pattern: "login" } }] },
    { stream: { chunks: 60, everyMs: 250 }, text: "long ".repeat(400) },
  ]
  const tasks = await Promise.all(Array.from({ length: 100 }, (_, i) => t.run({ id: `many${i}`, turns })))
  const states = (await Promise.all(tasks.map((task) => task.done))).map((o) => o.state)
  expect(states).toEqual(tasks.map(() => "completed"))
  const taskSeconds = tasks.reduce((sum, { id }) => sum + (t.lanes.get(id)?.ranMs ?? 0) / 1000, 0)
  const lags = lag.stop()
  report(
    "A hundred tasks at once",
    ["what", "value"],
    [
      ["wall time", ms(performance.now() - start)],
      ["requests per task and second", (count.requests / taskSeconds).toFixed(2)],
      ["bytes per GET", String(Math.round(count.pollBytes / count.polls))],
      [
        "coordinator event-loop lag p50 / p99",
        `${ms(quantile(lags.delays, 0.5))} / ${ms(quantile(lags.delays, 0.99))}`,
      ],
      ["memory above base, at most", `${Math.round((lags.rss - base) / 1e6)} MB`],
    ],
  )
}, 120_000)

test("bytes per poll do not grow with the transcript", async () => {
  await using t = await lanesOn(oc)
  const sizes: number[] = []
  for (const steps of [2, 30]) {
    const turns = [
      ...Array.from({ length: steps }, () => ({ tools: [{ name: "grep", args: { pattern: "login" } }] })),
      { text: "end" },
    ]
    const { sessionID = "" } = await (await t.run({ id: `grow${steps}`, turns })).done
    const url = `${oc.url}/session/${sessionID}/message?limit=1&directory=${encodeURIComponent(oc.directory)}`
    sizes.push((await (await fetch(url, { headers: { authorization: basicAuth(oc.password) } })).text()).length)
  }
  const [short = 0, long = 0] = sizes
  expect(Math.abs(long - short)).toBeLessThan(200)
  report(
    "The newest message, after 2 and after 30 steps",
    ["", "2 steps", "30 steps"],
    [["characters", String(short), String(long)]],
  )
}, 60_000)

function settledAt(t: TestLanes, id: string): number {
  return t.of("task:settled", id)[0]?.at ?? Number.NaN
}

/** When the server said idle, by its own event, in epoch ms of this process. */
async function idleTimes(): Promise<{ at(sessionID: string): number | undefined } & AsyncDisposable> {
  const times = new Map<string, number>()
  const events = await followEventLines(oc, (line) => {
    const found = /"type":"session\.idle","properties":\{"sessionID":"(ses_\w+)"/.exec(line)?.[1]
    if (found !== undefined && !times.has(found)) times.set(found, Date.now())
  })
  return {
    at: (sessionID) => times.get(sessionID),
    [Symbol.asyncDispose]: () => events[Symbol.asyncDispose](),
  }
}

function sampleLag(): { stop(): { delays: number[]; rss: number } } {
  const delays: number[] = []
  let rss = 0
  let due = performance.now() + 10
  const timer = setInterval(() => {
    const now = performance.now()
    delays.push(Math.max(0, now - due))
    due = now + 10
    if (delays.length % 20 === 0) rss = Math.max(rss, process.memoryUsage().rss)
  }, 10)
  return {
    stop: () => {
      clearInterval(timer)
      return { delays, rss }
    },
  }
}

function quantile(values: readonly number[], p: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(p * sorted.length))] ?? Number.NaN
}

function ms(value: number): string {
  return `${value.toFixed(0)} ms`
}
