import type { FaultClass } from "./faults.ts"

/** What an oracle found, and how to see it again. */
export interface Finding {
  /** Number of the invariant; 0 = the runtime threw where it may not. */
  readonly invariant: number
  readonly sentence: string
  readonly seed: number
  /** Virtual ms. */
  readonly at: number
  /** Tasks and faults it needs, as few as were found. */
  readonly tasks: readonly string[]
  readonly faults: readonly FaultClass[]
  readonly timeline: readonly string[]
  /** One line that shows it again. */
  readonly replay: string
}

const SHOWN = 60
const NAMED = 20

/** An invariant that did not hold: its message is the whole report. */
export class Violation extends Error {
  readonly finding: Finding

  constructor(finding: Finding) {
    super(report(finding))
    this.name = "Violation"
    this.finding = finding
  }

  get invariant(): number {
    return this.finding.invariant
  }

  get seed(): number {
    return this.finding.seed
  }
}

function report(finding: Finding): string {
  const { invariant, sentence, seed, tasks, faults, timeline, replay } = finding
  const cut =
    timeline.length > SHOWN ? [`… ${timeline.length - SHOWN} lines before`, ...timeline.slice(-SHOWN)] : timeline
  return [
    `invariant ${invariant} (${INVARIANTS[invariant] ?? "nothing throws"}): ${sentence}`,
    `  seed     ${seed}`,
    `  tasks    ${tasks.length === 0 ? "none" : named(tasks)}`,
    `  faults   ${faults.length === 0 ? "none" : faults.join(", ")}`,
    `  replay   ${replay}`,
    ...cut.map((line) => `  ${line}`),
  ].join("\n")
}

function named(tasks: readonly string[]): string {
  const more = tasks.length - NAMED
  return more > 0 ? `${tasks.slice(0, NAMED).join(", ")} and ${more} more` : tasks.join(", ")
}

/** The promises, by number. */
export const INVARIANTS: Readonly<Record<number, string>> = {
  1: "a lane never runs more than its limit",
  2: "one terminal state per epoch, always reached",
  3: "one live run per task",
  4: "each end is told to its parent once",
  5: "no completion with open TODOs",
  6: "first in, first out per lane, over restarts too",
  7: "late, duplicate and old words change nothing",
  8: "no run beyond its TTL",
  9: "told only what has ended",
  10: "slots and runs return to zero, each token once",
  11: "everything is empty after retention",
  12: "no events at rest",
  13: "stale only without real progress",
  14: "silence ends by stale, not by TTL",
  15: "no completion before the agent is done",
  16: "no completion on an unfinished message",
  17: "nothing acknowledged is lost",
  18: "one session per task, each prompt once, nothing left running",
  19: "no second delivery after a restart",
  20: "queued < started < session < settled",
  21: "a free slot and a waiter never coexist",
  22: "no task session can delegate",
  23: "caps of parents and queue hold",
  24: "the wall clock decides nothing",
  25: "a new limit neither over-admits nor kills",
  26: "sizes are bounded",
  27: "a recorded log replays to the same effects",
  28: "the same seed gives the same hash",
  29: "a higher limit starts no task later",
  30: "continue: a new epoch, the same session, one new notice",
  31: "a deleted conversation takes its tasks with it",
  32: "one project's instance is nothing to another's tasks",
  33: "cancelled by people alone",
}
