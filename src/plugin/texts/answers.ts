import type { LaneView } from "../../core/lanes.ts"
import type { TaskRow } from "../../core/task.ts"
import type { ToolNames } from "../names.ts"
import { cell, duration, inert, shortened } from "./plain.ts"
import { less, within } from "./room.ts"
import type { Room } from "./room.ts"

export type LanePlace = LaneView & { readonly ahead: number }

/** How a launch is answered; `head` says what kind of launch it was. */
export function launched(
  head: string,
  row: TaskRow,
  lane: LanePlace,
  names: ToolNames,
  notes: readonly string[],
): string {
  return [
    head,
    "",
    `Task ID: ${row.id}`,
    `Session ID: ${row.sessionID ?? "(not started)"}`,
    `Description: ${inert(row.spec.description)}`,
    `Agent: ${row.spec.agent ?? "(default)"}`,
    `Status: ${row.state}`,
    `Lane: ${lanePlace(row, lane)}`,
    "",
    "You will be notified when it completes. Do not poll; continue with other work.",
    `To continue this session later: ${names.delegate}(session_id="${row.sessionID ?? row.id}", prompt="…")`,
    ...(notes.length === 0 ? [] : ["", ...noted(notes)]),
  ].join("\n")
}

function noted(notes: readonly string[]): string[] {
  return notes.map((note) => `Note: ${note}`)
}

function lanePlace(row: TaskRow, { lane, used, limit, ahead }: LanePlace): string {
  const use = limit === null ? `${used} busy, no limit` : `${used}/${limit} busy`
  return row.state === "pending" ? `${lane} (${use}, ${ahead} ahead)` : `${lane} (${use})`
}

/** A task that has no result, or none yet; `notes` are on the call. */
export function status(row: TaskRow, names: ToolNames, now: number, notes: readonly string[] = []): string {
  const { outcome, spec } = row
  const pending = row.state === "pending"
  const waited = pending ? row.queuedMs + Math.max(0, now - row.queuedAt) : row.ranMs
  const rows: (readonly [string, string | undefined])[] = [
    ["Task ID", `\`${row.id}\``],
    ["Description", cell(spec.description)],
    ["Agent", cell(spec.agent ?? "(default)")],
    ["Status", `**${row.state}**`],
    ["Reason", outcome === undefined ? undefined : `${outcome.reason}: ${cell(outcome.sentence, 500)}`],
    [pending ? "Queued for" : "Duration", duration(waited)],
    ["Lane", cell(row.lane)],
    ["Last tool", row.lastTool === undefined ? undefined : cell(row.lastTool)],
    ["Session ID", row.sessionID === undefined ? "(not started)" : `\`${row.sessionID}\``],
  ]
  const table = rows.flatMap(([field, value]) => (value === undefined ? [] : [`| ${field} | ${value} |`]))
  const last = outcome?.text || row.lastText
  return [
    "## Task Status",
    "",
    "| Field | Value |",
    "| --- | --- |",
    ...table,
    "",
    outcome === undefined
      ? "> **Note**: No need to wait explicitly - system will notify you when this task completes."
      : `> **Note**: ${howToGoOn(row, names)}`,
    ...(notes.length === 0 ? [] : ["", ...noted(notes)]),
    ...unsent(row),
    "",
    "## Original Prompt",
    "",
    shortened(spec.prompt, 500),
    ...(last === undefined || last === "" ? [] : ["", "## Last Message", "", shortened(last, 500)]),
  ].join("\n")
}

function howToGoOn({ sessionID, id }: TaskRow, names: ToolNames): string {
  return sessionID === undefined
    ? `It never started. Launch it again with ${names.delegate}(prompt="…").`
    : `To continue it: ${names.delegate}(session_id="${sessionID}", prompt="…"). Its messages: ${names.output}(task_id="${id}", full_session=true).`
}

function unsent({ outcome }: TaskRow): string[] {
  const texts = outcome?.unsent ?? []
  return texts.length === 0
    ? []
    : ["", "Follow-ups that were not sent before it ended:", ...texts.map((text) => `- ${inert(text, 300)}`)]
}

/** A completed task. What has no room is left out of the middle of its text; `notes` are on the call. */
export function result(row: TaskRow, names: ToolNames, room: Room, notes: readonly string[] = []): string {
  const { outcome } = row
  const rest = `this is not the whole text. Read the rest with ${names.output}(task_id="${row.id}", full_session=true).`
  const head = (whole: boolean): string =>
    [
      "Task Result",
      "",
      `Task ID: ${row.id}`,
      `Description: ${inert(row.spec.description)}`,
      `Duration: ${duration(row.ranMs)}`,
      `Session ID: ${row.sessionID ?? "(none)"}`,
      ...noted([...notes, ...(whole ? [] : [rest])]),
      ...unsent(row),
      "",
      "---",
      "",
      "",
    ].join("\n")
  const text = outcome?.text || "(the agent ended without a text)"
  const shown = within(text, less(room, head(false)))
  return head(shown === text && outcome?.truncated !== true) + shown
}

/** What was cancelled, as it was before. */
export function cancelled(rows: readonly TaskRow[], names: ToolNames): string {
  const sessions = rows.flatMap(({ sessionID, spec }) =>
    sessionID === undefined ? [] : [`- \`${sessionID}\` (${inert(spec.description)})`],
  )
  const table = rows.map(({ id, spec, state, sessionID }) => {
    const session = sessionID === undefined ? "(not started)" : `\`${sessionID}\``
    return `| \`${id}\` | ${cell(spec.description)} | ${state} | ${session} |`
  })
  return [
    `Cancelled ${rows.length} background task(s):`,
    "",
    "| Task ID | Description | Status | Session ID |",
    "| --- | --- | --- | --- |",
    ...table,
    ...(sessions.length === 0
      ? []
      : [
          "",
          "## Continue Instructions",
          "",
          "To continue a cancelled task, use:",
          "",
          `    ${names.delegate}(session_id="<session_id>", prompt="Continue: <your follow-up>")`,
          "",
          "Continuable sessions:",
          ...sessions,
        ]),
  ].join("\n")
}
