/** What a screen shows of tasks and lanes, gathered from the bus. Knows no terminal. */

import type { LaneEvent } from "../../core/events.ts"
import type { LaneView } from "../../core/lanes.ts"
import type { TaskRow, TaskState } from "../../core/task.ts"

/** One task on the board; times in ms. */
export interface BoardTask {
  readonly id: string
  readonly description: string
  readonly agent: string
  readonly lane: string
  state: TaskState
  /** Epoch ms. */
  queuedAt: number
  startedAt: number | undefined
  /** Waited and ran in all, once it is over. */
  waitedMs: number | undefined
  ranMs: number | undefined
  /** The tool it used last. */
  tool: string | undefined
  tokens: number
}

export class Board {
  readonly #tasks = new Map<string, BoardTask>()
  readonly #lanes = new Map<string, LaneView>()
  /** What everybody on the screen should know now. */
  trouble: string | undefined

  constructor(lanes: readonly LaneView[] = []) {
    for (const lane of lanes) this.#lanes.set(lane.lane, lane)
  }

  get tasks(): readonly BoardTask[] {
    return [...this.#tasks.values()]
  }

  /** Those with tasks first, in the order of the tasks; a lane's queue is what the tasks say. */
  get lanes(): readonly LaneView[] {
    const waiting = this.tasks.filter(({ state }) => state === "pending")
    const names = new Set([...this.tasks.map(({ lane }) => lane), ...this.#lanes.keys()])
    return [...names].map((name) => ({
      ...(this.#lanes.get(name) ?? { lane: name, used: 0, limit: null }),
      queued: waiting.filter(({ lane }) => lane === name).length,
    }))
  }

  task(id: string): BoardTask | undefined {
    return this.#tasks.get(id)
  }

  /** How long a task has waited in its lane so far. */
  waited(task: BoardTask, now: number): number {
    return task.waitedMs ?? Math.max(0, now - task.queuedAt)
  }

  /** How long it has run so far; undefined = not yet. */
  ran(task: BoardTask, now: number): number | undefined {
    if (task.ranMs !== undefined) return task.startedAt === undefined ? undefined : task.ranMs
    return task.startedAt === undefined ? undefined : Math.max(0, now - task.startedAt)
  }

  apply(event: LaneEvent): void {
    switch (event.type) {
      case "task:queued": {
        const { id, lane, at, description } = event
        const agent = event.agent ?? "default"
        const fresh = { state: "pending" as const, startedAt: undefined, waitedMs: undefined, ranMs: undefined }
        this.#tasks.set(id, { id, description, agent, lane, ...fresh, queuedAt: at, tool: undefined, tokens: 0 })
        return
      }
      case "task:started":
        return this.#change(event.id, { state: "running", startedAt: event.at, waitedMs: event.queuedMs })
      case "task:progress":
        return this.#change(event.id, {
          tokens: event.tokens,
          ...(event.tool === undefined ? {} : { tool: event.tool }),
        })
      case "task:settled": {
        const { state, queuedMs, durationMs, tokens } = event.outcome
        const total = tokens.input + tokens.output + tokens.reasoning
        return this.#change(event.id, { state, waitedMs: queuedMs, ranMs: durationMs, tokens: total })
      }
      case "lane:granted":
      case "lane:released": {
        const { lane, used, limit, queued } = event
        this.#lanes.set(lane, { lane, used, limit, queued })
        return
      }
      case "lane:limit":
        this.#lanes.set(event.lane, {
          used: 0,
          queued: 0,
          ...this.#lanes.get(event.lane),
          lane: event.lane,
          limit: event.limit,
        })
        return
      case "server:lost":
        this.trouble = "The server does not answer; waiting for it."
        return
      case "server:back":
        this.trouble = undefined
        return
      case "task:session":
      case "task:snapshot":
      case "task:nudged":
      case "task:permission":
      case "task:continued":
      case "task:notified":
      case "worker:started":
      case "worker:lost":
      case "journal:error":
      case "listener:error":
        return
    }
  }

  /** What the row knows between two events: the last tool, tokens. */
  look({ id, lastTool, tokens, state }: TaskRow): void {
    if (state !== "running") return
    this.#change(id, {
      tokens: tokens.input + tokens.output + tokens.reasoning,
      ...(lastTool === undefined ? {} : { tool: lastTool }),
    })
  }

  #change(id: string, change: Partial<BoardTask>): void {
    const task = this.#tasks.get(id)
    if (task !== undefined) Object.assign(task, change)
  }
}
