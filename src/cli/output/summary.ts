/** What a command says when its tasks are over: the results, and what running them side by side was worth. */

import type { LaneEvent } from "../../core/events.ts"
import type { Outcome } from "../../core/task.ts"
import { stateWord } from "./task-line.ts"
import type { Colors } from "./colors.ts"
import { fit, printable, wrap } from "./columns.ts"
import { duration } from "./durations.ts"

/** One task that is over. */
export interface Finished {
  readonly id: string
  readonly agent: string
  readonly description: string
  readonly lane: string
  readonly outcome: Outcome
}

/** The last line of `--json`. Times in ms. */
export interface Summary {
  readonly type: "summary"
  readonly tasks: number
  readonly completed: number
  /** From the first launch to the last end. */
  readonly makespanMs: number
  /** The sum of all run times: how long one after another would have taken. */
  readonly oneByOneMs: number
  readonly tokens: number
  readonly cost: number
  readonly results: readonly Finished[]
}

/** Gathers from the bus what the summary needs. */
export class Tally {
  /** In the order of their launch; undefined = not over yet. */
  readonly #tasks = new Map<string, { agent: string; finished?: Finished }>()
  #firstAt: number | undefined
  #lastAt = 0

  apply(event: LaneEvent): void {
    if (event.type === "task:queued") {
      this.#firstAt ??= event.at
      this.#tasks.set(event.id, { agent: event.agent ?? "default" })
    }
    if (event.type === "task:settled") {
      const { id, description, lane, outcome } = event
      const agent = this.#tasks.get(id)?.agent ?? "default"
      this.#lastAt = event.at
      this.#tasks.set(id, { agent, finished: { id, agent, description, lane, outcome } })
    }
  }

  /** Of all tasks, or of those with these ids. */
  summary(ids?: ReadonlySet<string>): Summary {
    const counted = [...this.#tasks].filter(([id]) => ids?.has(id) ?? true).map(([, task]) => task)
    const finished = counted.flatMap((task) => task.finished ?? [])
    const outcomes = finished.map(({ outcome }) => outcome)
    const sum = (of: (outcome: Outcome) => number): number =>
      outcomes.reduce((total, outcome) => total + of(outcome), 0)
    return {
      type: "summary",
      tasks: counted.length,
      completed: outcomes.filter(({ state }) => state === "completed").length,
      makespanMs: this.#firstAt === undefined ? 0 : Math.max(0, this.#lastAt - this.#firstAt),
      oneByOneMs: Math.round(sum(({ durationMs }) => durationMs)),
      tokens: sum(({ tokens }) => tokens.input + tokens.output + tokens.reasoning),
      cost: sum(({ cost }) => cost),
      results: finished,
    }
  }
}

const MOST_LINES = 3
const MOST_WIDTH = 110
const TITLE_WIDTH = 25

/** The results, short: a title beside its text where there is room, above it where there is none. */
export function resultLines({ results }: Summary, width: number, colors: Colors): string[] {
  const beside = width >= 70
  const indent = beside ? TITLE_WIDTH + 4 : 4
  // Who cancelled a task needs no word about it.
  const told = results.filter(({ outcome }) => outcome.state !== "cancelled")
  return told.flatMap(({ description, outcome }) => {
    const done = outcome.state === "completed"
    const said = done
      ? printable(outcome.text) || "(no text)"
      : `${stateWord(outcome.state)}: ${printable(outcome.sentence)}`
    const lines = short(wrap(said, Math.min(width, MOST_WIDTH) - indent)).map((line) =>
      done ? line : colors.red(line),
    )
    const title = `  ${colors.bold(fit(printable(description), TITLE_WIDTH))}  `
    const blank = " ".repeat(indent)
    if (!beside) return [title.trimEnd(), ...lines.map((line) => blank + line)]
    return lines.map((line, index) => (index === 0 ? title : blank) + line)
  })
}

function short(lines: string[]): string[] {
  if (lines.length <= MOST_LINES) return lines
  return [...lines.slice(0, MOST_LINES - 1), `${lines[MOST_LINES - 1]?.slice(0, -2)} …`]
}

/** One sentence: how many were completed, and what it took. */
export function verdictLine(summary: Summary, colors: Colors): string {
  const { tasks, completed, makespanMs, oneByOneMs } = summary
  const all = completed === tasks && tasks > 0
  const many = `${completed} of ${tasks} tasks completed`
  const head = `${tasks === 1 && all ? "Completed" : many} in ${duration(makespanMs)}.`
  const times = makespanMs > 0 ? `, ${(oneByOneMs / makespanMs).toFixed(1)} times as long` : ""
  const gain = all && tasks > 1 ? ` One after another: ${duration(oneByOneMs)}${times}.` : ""
  return `${all ? colors.green(head) : colors.red(head)}${gain}`
}
