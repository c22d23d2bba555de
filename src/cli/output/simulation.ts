/** What `lanes simulate` prints. */

import type { CampaignResult, Forecast, LaneForecast } from "../../sim/index.ts"
import { fit } from "./columns.ts"
import { duration } from "./durations.ts"

/** A campaign in numbers: how much was played, and how many seeds reached what. */
export function campaignTable(result: CampaignResult): string {
  const { seeds, tasks, events, virtualMs, hash, reached } = result
  const counts = Object.entries(reached).toSorted(([a, x], [b, y]) => y - x || (a < b ? -1 : 1))
  return [
    `${seeds} seeds, ${tasks} tasks, ${events} events, ${duration(virtualMs)} of virtual time: every promise held.`,
    `hash ${hash}`,
    "",
    `${fit("seeds", 7, "right")}  reached`,
    ...counts.map(([what, count]) => `${fit(String(count), 7, "right")}  ${what}`),
  ].join("\n")
}

const COLUMNS = ["lane", "limit", "tasks", "wait p50", "wait p95", "used", "one more slot"] as const
const LONGEST_LANE = 40

/** A plan's forecast: a line for each lane. */
export function forecastTable({ makespan, states, lanes }: Forecast): string {
  const rows = [COLUMNS, ...lanes.map((lane) => cells(lane, makespan))]
  const widths = COLUMNS.map((_, i) => {
    const widest = Math.max(...rows.map((row) => Bun.stringWidth(row[i] ?? "")))
    return i === 0 ? Math.min(LONGEST_LANE, widest) : widest
  })
  const lines = rows.map((row) =>
    row
      .map((cell, i) => fit(cell, widths[i] ?? 0, i === 0 || i === COLUMNS.length - 1 ? "left" : "right"))
      .join("  ")
      .trimEnd(),
  )
  const ends = Object.entries(states)
    .map(([state, count]) => `${count} ${state}`)
    .join(", ")
  return [`All done after ${duration(makespan)}: ${ends}.`, "", ...lines].join("\n")
}

function cells(
  { lane, limit, tasks, waitP50, waitP95, utilisation, oneMore }: LaneForecast,
  makespan: number,
): string[] {
  const gain =
    oneMore === undefined
      ? ""
      : `done after ${duration(oneMore.makespan)} (${change(oneMore.makespan, makespan)}), wait p95 ${duration(oneMore.waitP95)}`
  return [
    lane,
    limit === null ? "∞" : String(limit),
    String(tasks),
    duration(waitP50),
    duration(waitP95),
    `${Math.round(utilisation * 100)} %`,
    gain === "" ? "nobody waits" : gain,
  ]
}

function change(after: number, before: number): string {
  const percent = before === 0 ? 0 : Math.round(((after - before) / before) * 100)
  return percent === 0 ? "no gain" : `${percent > 0 ? "+" : "−"}${Math.abs(percent)} %`
}
