/** What the page tells of a real coordinator on the real OpenCode: its metrics, and how late it is under load. */

import { expect, test } from "bun:test"
import { fileURLToPath } from "node:url"

import { servePage } from "../../src/page/server.ts"
import { lanesOn } from "../helpers/lanes.ts"
import { useOpenCode } from "../helpers/opencode.ts"
import { readMetrics } from "../helpers/prometheus.ts"
import { report } from "../helpers/report.ts"

// A model's name as no label should be written.
const ODD = 'od"d\\one'
const oc = useOpenCode({ providers: { acme: { fast: {}, small: {} }, globex: { large: {}, [ODD]: {} } } })
const endless = { stream: { chunks: 600, everyMs: 100 } }
const TASKS = 36
const CLIENTS = 10
const WANTED = 200
const SECONDS = 8

test("a coordinator with 200 events per second and 10 clients: how late its thread is", async () => {
  // Polls are told as snapshots: so many tasks, polled so often, make the events.
  await using t = await lanesOn(oc, { config: { defaultConcurrency: TASKS, pollIntervalMs: 100 } })
  await using page = await servePage(t.lanes, { token: false })
  for (let n = 0; n < TASKS; n++) await t.run({ id: `load-${n}`, turns: [{ stream: { chunks: 120, everyMs: 500 } }] })
  await oc.model.waitFor(() => oc.model.inFlight("load-") === TASKS, { timeoutMs: 60_000 })
  const program = fileURLToPath(new URL("../helpers/page-clients.ts", import.meta.url))
  const clients = Bun.spawn(
    [process.execPath, program, `${page.url}api/events`, String(CLIENTS), String(WANTED * SECONDS)],
    { stdout: "pipe", stderr: "inherit" },
  )
  while (page.clients.now < CLIENTS) await new Promise((resolve) => setTimeout(resolve, 20))
  const before = t.heard.length
  const start = performance.now()
  const late: number[] = []
  let due = start + 5
  const sampling = setInterval(() => {
    late.push(Math.max(0, performance.now() - due))
    due = performance.now() + 5
  }, 5)
  const frames = JSON.parse(await new Response(clients.stdout).text()) as number[]
  clearInterval(sampling)
  const seconds = (performance.now() - start) / 1_000
  const rate = (t.heard.length - before) / seconds
  const at = (p: number): string =>
    `${(late.toSorted((x, y) => x - y)[Math.floor(p * late.length)] ?? Number.NaN).toFixed(1)} ms`
  report(
    "A real coordinator, 10 clients of its page",
    ["what", "value", "goal"],
    [
      ["events per second on the bus", rate.toFixed(0), `≥ ${WANTED}`],
      ["frames that each client got", String(Math.min(...frames)), `≥ ${WANTED * SECONDS}`],
      ["lag p50", at(0.5), ""],
      ["lag p99", at(0.99), "≤ 20 ms"],
      ["lag at most", at(1 - 1e-9), ""],
    ],
  )
  expect(frames.every((count) => count >= WANTED * SECONDS)).toBe(true)
  expect([frames.length, page.clients.dropped]).toEqual([CLIENTS, 0])
}, 110_000)

test("/metrics says of lanes, tasks, waits, runs, workers and lag what the coordinator says", async () => {
  await using t = await lanesOn(oc, {
    config: { defaultConcurrency: 4, providerConcurrency: { acme: 1 }, modelConcurrency: { [`globex/${ODD}`]: 0 } },
  })
  await using page = await servePage(t.lanes, { token: false })
  const scrape = async () => {
    const answer = await fetch(`${page.url}metrics`)
    expect(answer.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8")
    const families = readMetrics(await answer.text())
    return (name: string, series = `${name}{}`): number | undefined =>
      families.get(name.replace(/_count$/, ""))?.series.get(series)
  }
  const empty = await scrape()
  expect(empty("lanes_tasks_queued_total")).toBe(0)
  expect(empty("lanes_run_seconds_count")).toBe(0)

  const model = { model: "globex/large" }
  const done = await t.run({ id: "m-done", turns: [{ text: "x" }] }, model)
  const failed = await t.run({ id: "m-failed", turns: [{ status: 400, message: "No" }] }, model)
  const cancelled = await t.run({ id: "m-cancelled", turns: [endless] }, model)
  await t.run({ id: "m-odd", turns: [endless] }, { model: `globex/${ODD}` })
  await t.run({ id: "m-running", turns: [endless] }, { model: "acme/fast" })
  await t.run({ id: "m-waiting", turns: [endless] }, { model: "acme/fast" })
  await Promise.all([done.done, failed.done])
  await oc.model.waitFor(() => oc.model.calls("m-cancelled").length > 0)
  cancelled.cancel()
  const outcomes = await Promise.all([done.done, failed.done, cancelled.done])

  const of = await scrape()
  const lane = (name: string, key: string): number | undefined => of(name, `${name}{lane="${key}"}`)
  const odd = 'model:globex/od\\"d\\\\one'
  expect([
    lane("lanes_slots_used", "provider:acme"),
    lane("lanes_slots_limit", "provider:acme"),
    lane("lanes_queued", "provider:acme"),
  ]).toEqual([1, 1, 1])
  expect([lane("lanes_slots_used", odd), lane("lanes_slots_limit", odd)]).toEqual([1, Number.POSITIVE_INFINITY])
  expect(lane("lanes_slots_limit", "default")).toBe(4)
  const states = [
    ['reason="",state="pending"', 1],
    ['reason="",state="running"', 2],
    ...outcomes.map(({ state, reason }) => [`reason="${reason}",state="${state}"`, 1] as const),
  ] as const
  expect(outcomes.map(({ reason }) => reason)).toEqual(["FINISHED", "SESSION_ERROR", "USER"])
  for (const [labels, count] of states)
    expect([labels, of("lanes_tasks", `lanes_tasks{${labels}}`)]).toEqual([labels, count])
  for (const { state, reason } of outcomes) {
    const series = `lanes_tasks_settled_total{reason="${reason}",state="${state}"}`
    expect([series, of("lanes_tasks_settled_total", series)]).toEqual([series, 1])
  }
  expect(of("lanes_tasks_queued_total")).toBe(6)
  expect([of("lanes_run_seconds_count"), of("lanes_wait_seconds_count")]).toEqual([3, 3])
  const seconds = (ms: readonly number[]): number => ms.reduce((all, one) => all + one, 0) / 1_000
  expect(of("lanes_run_seconds", "lanes_run_seconds_sum{}")).toBeCloseTo(
    seconds(outcomes.map(({ durationMs }) => durationMs)),
    3,
  )
  expect(of("lanes_wait_seconds", "lanes_wait_seconds_sum{}")).toBeCloseTo(
    seconds(outcomes.map(({ queuedMs }) => queuedMs)),
    3,
  )
  expect(of("lanes_cost_total")).toBeCloseTo(
    outcomes.reduce((all, { cost }) => all + cost, 0),
    9,
  )
  expect(of("lanes_workers_started_total")).toBe(t.of("worker:started").length)
  expect(of("lanes_workers_started_total")).toBeGreaterThan(0)
  expect(of("lanes_workers_lost_total")).toBe(0)
  expect(of("lanes_event_loop_lag_seconds_count")).toBeGreaterThan(0)
}, 60_000)
