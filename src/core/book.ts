import { DueQueue } from "./due-queue.ts"
import type { Effect, RunCommand } from "./effects.ts"
import { LanesError } from "./errors.ts"
import type { BareEvent } from "./events.ts"
import type { Now } from "./inputs.ts"
import { LaneAllocator } from "./lanes.ts"
import type { Options } from "./options.ts"
import type { Task } from "./outcome.ts"
import { Outbox } from "./outbox.ts"
import type { Run } from "./run.ts"
import { TaskList } from "./task-list.ts"
import type { TaskId, TaskRow } from "./task.ts"

/**
 * What the core knows, and what the step under way asks for. The parts of the core share it; a task's state is written
 * by Core alone.
 */
export class Book {
  options: Options
  now: Now = { mono: 0, wall: 0 }
  /** Inputs that came too late to matter. */
  ignored = 0
  readonly lanes: LaneAllocator
  readonly tasks: TaskList = new TaskList()
  /** Of running tasks. */
  readonly runs: Map<TaskId, Run> = new Map()
  readonly bySession: Map<string, TaskId> = new Map()
  readonly due: DueQueue = new DueQueue()
  readonly outbox: Outbox = new Outbox()
  #effects: Effect[] = []

  constructor(options: Options) {
    this.options = options
    this.lanes = new LaneAllocator(options)
  }

  /** A step begins. */
  open(now: Now): void {
    this.now = now
    this.#effects = []
  }

  /** What the step has asked for. */
  close(): Effect[] {
    const effects = this.#effects
    this.#effects = []
    return effects
  }

  ask(effect: Effect): void {
    this.#effects.push(effect)
  }

  emit(event: BareEvent): void {
    this.#effects.push({ type: "emit", event })
  }

  journal(task: Task): void {
    this.#effects.push({ type: "journal", row: this.row(task, this.now.mono) })
  }

  /** Tells a run something, once a worker has it. */
  command(run: Run, command: RunCommand): void {
    if (run.started) this.#effects.push({ type: "command", run: run.ref, command })
  }

  known(id: TaskId): Task {
    const task = this.tasks.get(id)
    if (task === undefined)
      throw new LanesError("TASK_UNKNOWN", `There is no task ${id}.`, "List the tasks to see their ids.")
    return task
  }

  /** A copy of a task's row, its run time up to `mono`. */
  row(task: Task, mono: number): TaskRow {
    const run = this.runs.get(task.id)
    return { ...task, ranMs: run === undefined ? task.ranMs : Math.max(0, mono - run.evidence.startedAt) }
  }

  /** Sizes of everything that must be empty at rest. */
  sizes(): Record<string, number> {
    return {
      tasks: this.tasks.size,
      live: this.runs.size + this.lanes.waiting,
      runs: this.runs.size,
      sessions: this.bySession.size,
      due: this.due.size,
      outbox: this.outbox.size,
      waiting: this.lanes.waiting,
      slots: this.lanes.views().reduce((sum, lane) => sum + lane.used, 0),
    }
  }

  /** A new task, or the next epoch of one. */
  add(task: Task): void {
    this.tasks.set(task.id, task)
    if (task.sessionID !== undefined) this.bySession.set(task.sessionID, task.id)
  }

  drop(task: Task): void {
    this.tasks.delete(task.id)
    if (task.sessionID !== undefined && this.bySession.get(task.sessionID) === task.id)
      this.bySession.delete(task.sessionID)
    this.outbox.drop(task)
  }
}
