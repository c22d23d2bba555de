/** What Prometheus reads. */

import { expect, test } from "bun:test"

import { NO_TOKENS } from "../../src/core/snapshot.ts"
import { Metrics } from "../../src/page/metrics.ts"
import { StubSource, stubRow } from "../helpers/stub-source.ts"

const outcome = (durationMs: number, reason: "FINISHED" | "STALE" = "FINISHED") =>
  ({
    state: reason === "FINISHED" ? "completed" : "error",
    reason,
    sentence: "",
    text: "",
    truncated: false,
    epoch: 1,
    queuedMs: 400,
    durationMs,
    tokens: { ...NO_TOKENS, input: 10 },
    cost: 0.5,
    unsent: [],
  }) as const

/** Samples by name and labels. */
function samples(text: string): Record<string, string> {
  return Object.fromEntries(
    text
      .split("\n")
      .filter((line) => line !== "" && !line.startsWith("#"))
      .map((line) => line.split(/ (?=\S+$)/) as [string, string]),
  )
}

test("lanes, tasks, waits, runs, workers and lag are told", () => {
  const source = new StubSource()
  source.lanes = [
    { lane: "default", used: 2, limit: 5, queued: 0 },
    { lane: 'model:a/"b\\c\n', used: 1, limit: null, queued: 3 },
  ]
  source.put(stubRow({ id: "bg_1", state: "completed", outcome: outcome(4_000) }))
  source.put(stubRow({ id: "bg_2" }))
  using metrics = new Metrics(source)
  source.say({
    type: "task:settled",
    id: "bg_2",
    epoch: 1,
    outcome: outcome(90_000, "STALE"),
    description: "x",
    lane: "default",
  })
  source.say({ type: "worker:started", worker: "w1" })
  const text = metrics.text()
  const of = samples(text)
  expect(of).toMatchObject({
    'lanes_slots_used{lane="default"}': "2",
    'lanes_slots_limit{lane="model:a/\\"b\\\\c\\n"}': "+Inf",
    'lanes_queued{lane="model:a/\\"b\\\\c\\n"}': "3",
    'lanes_tasks{state="completed",reason="FINISHED"}': "1",
    'lanes_tasks{state="running",reason=""}': "1",
    'lanes_tasks_settled_total{state="error",reason="STALE"}': "1",
    'lanes_run_seconds_bucket{le="2.5"}': "0",
    'lanes_run_seconds_bucket{le="5"}': "1",
    'lanes_run_seconds_bucket{le="120"}': "2",
    'lanes_run_seconds_bucket{le="+Inf"}': "2",
    lanes_run_seconds_sum: "94",
    lanes_run_seconds_count: "2",
    'lanes_wait_seconds_bucket{le="0.5"}': "2",
    lanes_cost_total: "1",
    lanes_tokens_total: "20",
    lanes_workers_started_total: "1",
    lanes_workers_lost_total: "0",
  })
  expect(text).toContain("# TYPE lanes_event_loop_lag_seconds histogram")
  // Every line is a comment or a sample, as the format wants it.
  for (const line of text.trimEnd().split("\n"))
    expect(line).toMatch(/^(# (HELP|TYPE) [a-z_]+ .+|[a-z_]+(\{([a-z]+="([^"\\]|\\.)*",?)+\})? (\d[\d.e+-]*|\+Inf))$/)
})
