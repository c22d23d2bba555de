import type { TaskRow } from "../../core/task.ts"
import type { Colors } from "../output/colors.ts"
import { fit, printable, wrap } from "../output/columns.ts"
import { duration } from "../output/durations.ts"
import { stateWord } from "../output/task-line.ts"
import type { Frame } from "./frame.ts"
import type { WatchModel } from "./model.ts"

/** One task as lines: what it is, why it ended, and its conversation or its last words. */
export function detailLines(model: WatchModel, { columns, now, colors }: Frame, room: number): string[] {
  const row = model.chosen()
  if (row === undefined) return [colors.dim("  This task is no longer kept.")]
  const width = columns - 2
  const fact = (name: string, value: string): string[] =>
    wrap(value, width - 11).map((line, at) => `${colors.dim((at === 0 ? name : "").padEnd(10))} ${line}`)
  const { spec, outcome } = row
  const lines = [
    ...wrap(printable(spec.description), width).map((line) => colors.bold(line)),
    ...fact(
      "state",
      `${stateWord(row.state)}${outcome === undefined ? "" : ` ${outcome.reason}: ${printable(outcome.sentence)}`}`,
    ),
    ...fact("id", [row.id, row.sessionID ?? "no session yet"].join("  ")),
    ...fact("agent", printable([spec.agent ?? "default", spec.model ?? ""].filter(Boolean).join("  "))),
    ...fact("lane", printable(row.lane)),
    ...fact(
      "time",
      `waited ${duration((row.startedAt ?? row.settledAt ?? now) - row.queuedAt)}${row.startedAt === undefined ? "" : `, ran ${duration((row.settledAt ?? now) - row.startedAt)}`}`,
    ),
    ...fact("tries", tries(row)),
    ...fact("cost", `$${row.cost.toFixed(4)}, ${spent(row).toLocaleString("en")} tokens in ${row.steps} steps`),
    ...(row.lastTool === undefined
      ? []
      : fact(row.state === "running" ? "tool" : "last tool", printable(row.lastTool))),
    "",
    ...todoLines(model, width, colors),
    ...section("prompt", spec.prompt, width, colors.dim),
    ...conversation(model, width, colors.dim),
  ].map((line) => ` ${line}`)
  const most = Math.max(0, lines.length - room)
  model.scroll = model.atEnd ? most : Math.min(model.scroll, most)
  return lines.slice(model.scroll, model.scroll + room)
}

/** How often it was begun, and what made it so. */
function tries({ epoch, attempt, crashes, nudges, resumes }: TaskRow): string {
  const more = [
    [crashes, "lost worker"],
    [nudges, "nudge"],
    [resumes, "resume"],
  ] as const
  return [
    `epoch ${epoch}, attempt ${attempt}`,
    ...more.filter(([n]) => n > 0).map(([n, word]) => `${n} ${word}${n === 1 ? "" : "s"}`),
  ].join(", ")
}

function spent({ tokens }: TaskRow): number {
  return tokens.input + tokens.output + tokens.reasoning + tokens.cacheRead + tokens.cacheWrite
}

function conversation(model: WatchModel, width: number, dim: (text: string) => string): string[] {
  const row = model.chosen()
  const transcript = model.transcript
  if (transcript?.found !== undefined) {
    return transcript.found.flatMap(({ role, text, tools, error }) => [
      ...section(
        role,
        [tools.map(({ name, state }) => `[${name} ${state}]`).join(" "), text, error ?? ""].filter(Boolean).join("\n"),
        width,
        dim,
      ),
    ])
  }
  const last = row?.outcome?.text ?? row?.lastText ?? ""
  const why =
    transcript?.why === undefined
      ? []
      : [...wrap(`The transcript cannot be read: ${printable(transcript.why)}`, width).map(dim), ""]
  return [...why, ...section(row?.outcome === undefined ? "last words" : "result", last, width, dim)]
}

/** How a TODO's status is marked, and its word; one we do not know is told by its own. */
const TODO_MARKS: Readonly<Record<string, string>> = {
  completed: "✓ done",
  in_progress: "● in progress",
  pending: "○ open",
  cancelled: "– cancelled",
}

/** The TODO list, an item a line with its state; nothing where there is none. */
function todoLines(model: WatchModel, width: number, colors: Colors): string[] {
  const { found, why } = model.todos ?? {}
  // The transcript says the same of the same session.
  if (why !== undefined && why === model.transcript?.why) return []
  if (why !== undefined) return [...wrap(`The TODOs cannot be read: ${printable(why)}`, width).map(colors.dim), ""]
  if (found === undefined || found.length === 0) return []
  const done = found.filter(({ status }) => status === "completed").length
  const paints: Readonly<Record<string, (text: string) => string>> = {
    completed: colors.green,
    in_progress: colors.cyan,
    cancelled: colors.dim,
  }
  return [
    colors.dim(`── todos, ${done} of ${found.length} done`),
    ...found.flatMap(({ content, status }) => {
      const mark = TODO_MARKS[status] ?? `○ ${printable(status)}`
      const [first = "", ...rest] = wrap(printable(content), Math.max(1, width - 15))
      const head = (paints[status] ?? ((text) => text))(fit(mark, 13))
      return [`${head}  ${first}`, ...rest.map((line) => `${" ".repeat(15)}${line}`)]
    }),
    "",
  ]
}

/** Text of an agent, line by line, harmless and cut to the width. */
function section(title: string, text: string, width: number, dim: (text: string) => string): string[] {
  const lines = text.split("\n").flatMap((line) => (line.trim() === "" ? [""] : wrap(printable(line), width)))
  return [dim(`── ${title}`), ...lines, ""]
}
