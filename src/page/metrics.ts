import type { LaneEvent } from "../core/events.ts"
import type { Outcome } from "../core/task.ts"
import { Histogram } from "./histogram.ts"
import { Lag } from "./lag.ts"
import type { Source } from "./source.ts"

/** Seconds; a task waits or runs from moments to hours. */
const BOUNDS = [0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1_200, 1_800, 3_600, 7_200]

/** Counters that only events tell, and how they are called. */
const COUNTED: Partial<Record<LaneEvent["type"], readonly [name: string, help: string]>> = {
  "task:queued": ["lanes_tasks_queued_total", "Tasks stored."],
  "task:nudged": ["lanes_nudges_total", "Times a session was asked to go on."],
  "task:permission": ["lanes_permission_asks_total", "Permission asks of sessions."],
  "worker:started": ["lanes_workers_started_total", "Worker threads that became ready."],
  "worker:lost": ["lanes_workers_lost_total", "Worker threads that crashed, exited or fell silent."],
  "server:lost": ["lanes_server_lost_total", "Times the server stopped answering."],
  "journal:error": ["lanes_journal_errors_total", "Writes of the journal that failed."],
  "listener:error": ["lanes_listener_errors_total", "Listeners of the bus that failed."],
}

/** What `/metrics` says, in the text format of Prometheus. */
export class Metrics implements Disposable {
  readonly #source: Source
  readonly #counts = new Map<LaneEvent["type"], number>()
  readonly #settled = new Map<string, number>()
  readonly #waits = new Histogram(BOUNDS)
  readonly #runs = new Histogram(BOUNDS)
  readonly #lag = new Lag()
  readonly #undo: () => void
  #cost = 0
  #tokens = 0

  constructor(source: Source) {
    this.#source = source
    for (const { outcome } of source.list()) if (outcome !== undefined) this.#ended(outcome)
    this.#undo = source.on("*", (event) => this.#take(event))
  }

  text(): string {
    const lines: string[] = []
    const metric = (name: string, type: string, help: string, samples: readonly string[]): void => {
      if (samples.length > 0) lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...samples)
    }
    const lanes = this.#source.usage()
    const perLane = (name: string, of: (lane: (typeof lanes)[number]) => number | null): string[] =>
      lanes.map((lane) => `${name}{lane="${escape(lane.lane)}"} ${of(lane) ?? "+Inf"}`)
    metric(
      "lanes_slots_used",
      "gauge",
      "Slots in use.",
      perLane("lanes_slots_used", (lane) => lane.used),
    )
    metric(
      "lanes_slots_limit",
      "gauge",
      "Slots there are.",
      perLane("lanes_slots_limit", (lane) => lane.limit),
    )
    metric(
      "lanes_queued",
      "gauge",
      "Tasks waiting.",
      perLane("lanes_queued", (lane) => lane.queued),
    )

    const states = new Map<string, number>()
    for (const { state, outcome } of this.#source.list()) {
      const labels = `state="${state}",reason="${outcome?.reason ?? ""}"`
      states.set(labels, (states.get(labels) ?? 0) + 1)
    }
    metric(
      "lanes_tasks",
      "gauge",
      "Tasks kept, by state and reason.",
      [...states].map(([labels, count]) => `lanes_tasks{${labels}} ${count}`),
    )
    metric(
      "lanes_tasks_settled_total",
      "counter",
      "Runs that ended, by state and reason.",
      [...this.#settled].map(([labels, count]) => `lanes_tasks_settled_total{${labels}} ${count}`),
    )
    metric("lanes_wait_seconds", "histogram", "Time runs waited for a slot.", this.#waits.lines("lanes_wait_seconds"))
    metric("lanes_run_seconds", "histogram", "Time runs took.", this.#runs.lines("lanes_run_seconds"))
    metric("lanes_cost_total", "counter", "Cost of ended runs as OpenCode counts it.", [
      `lanes_cost_total ${this.#cost}`,
    ])
    metric("lanes_tokens_total", "counter", "Tokens of ended runs.", [`lanes_tokens_total ${this.#tokens}`])
    for (const [type, [name, help]] of Object.entries(COUNTED)) {
      metric(name, "counter", help, [`${name} ${this.#counts.get(type as LaneEvent["type"]) ?? 0}`])
    }
    const lag = this.#lag.histogram.lines("lanes_event_loop_lag_seconds")
    metric("lanes_event_loop_lag_seconds", "histogram", "How late a timer of the coordinator's thread is.", lag)
    return `${lines.join("\n")}\n`
  }

  [Symbol.dispose](): void {
    this.#undo()
    this.#lag[Symbol.dispose]()
  }

  #take(event: LaneEvent): void {
    this.#counts.set(event.type, (this.#counts.get(event.type) ?? 0) + 1)
    if (event.type === "task:settled") this.#ended(event.outcome)
  }

  #ended({ state, reason, queuedMs, durationMs, cost, tokens }: Outcome): void {
    const labels = `state="${state}",reason="${reason}"`
    this.#settled.set(labels, (this.#settled.get(labels) ?? 0) + 1)
    this.#waits.observe(queuedMs / 1_000)
    this.#runs.observe(durationMs / 1_000)
    this.#cost += cost
    this.#tokens += tokens.input + tokens.output + tokens.reasoning + tokens.cacheRead + tokens.cacheWrite
  }
}

/** A label's value. */
function escape(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")
}
