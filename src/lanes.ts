import { checkClose, checkLaunch, checkLimits, checkPrompt, checkTtl } from "./check-input.ts"
import type { Bus, ListenOptions } from "./coordinator/bus.ts"
import type { Coordinator, Launched } from "./coordinator/coordinator.ts"
import type { Catalog, PlainMessage, SessionApi, Undo } from "./coordinator/ports.ts"
import { LanesError } from "./core/errors.ts"
import type { EventType, LaneEvent } from "./core/events.ts"
import type { LaneLimits, LaneView } from "./core/lanes.ts"
import type { Outcome, ParentRef, TaskId, TaskRow, TaskSpec } from "./core/task.ts"
import { isTerminal } from "./core/task.ts"
import type { Todo } from "./core/todos.ts"
import { BOUNDS } from "./core/options.ts"
import { oneLine } from "./core/text.ts"

/** What to run. */
export interface LaunchInput {
  readonly prompt: string
  /** 3–5 words for lists; made from the prompt if missing. */
  readonly description?: string
  /** Name of one of the server's sub-agents, case ignored; `general` if missing. */
  readonly agent?: string
  /** `provider/model`; else the agent's, the parent's, the server's default. */
  readonly model?: string
  /** Default: the directory of `createLanes`. */
  readonly directory?: string
  /** Run time bound in ms ≥ 1000; null = none. Default `taskTtlMs`. */
  readonly ttlMs?: number | null
  /** The conversation that asks, if one does. */
  readonly parent?: ParentRef
  /** Default true: the parent is told when it settles. */
  readonly background?: boolean
  /** Run in this session instead of a new one. */
  readonly sessionID?: string
}

/** What `continue` may change. */
export type ContinueInput = Pick<LaunchInput, "model" | "ttlMs" | "background"> & { readonly batch?: string }

/** A launched task. */
export interface TaskHandle {
  readonly id: TaskId
  readonly epoch: number
  /** Its lane, and how many wait before it. */
  readonly lane: LaneView & { readonly ahead: number }
  /** How it ends; never rejects. */
  readonly done: Promise<Outcome>
  /** Its row now. */
  row(): TaskRow | undefined
  cancel(): TaskRow
}

export interface CloseOptions {
  /** Runs may finish for so long; ms, default 0. */
  readonly drainMs?: number
}

/** What a `Lanes` is made of; see `createLanes`. */
export interface LanesParts {
  readonly coordinator: Coordinator
  readonly catalog: Catalog
  readonly api: SessionApi
  readonly directory: string
  readonly server: string
  /** Runs outlive this coordinator: a server not ours, and a journal somebody will read. */
  readonly detach: boolean
  /** Warnings of the configuration files. */
  readonly warnings: readonly string[]
  /** The live page, if one is served. */
  readonly page: () => PageAddress | undefined
  readonly dispose: () => Promise<void>
}

/** Where a live page is: its address, and one-time links that open it in one browser. */
export interface PageAddress {
  readonly url: string
  link(): string
}

/** The handle of a running coordinator: launch, look, steer, listen, close. */
export class Lanes implements AsyncDisposable {
  readonly #parts: LanesParts
  #closing: Promise<void> | undefined

  /** @internal Made by `createLanes`. */
  constructor(parts: LanesParts) {
    this.#parts = parts
  }

  /**
   * Stores a task and answers at once, however full its lane is. Rejects with a LanesError: INVALID_INPUT, AGENT_UNKNOWN,
   * AGENT_PRIMARY, MODEL_UNKNOWN, CATALOG_UNAVAILABLE, QUEUE_FULL, PARENT_LIMIT, JOURNAL_FAILED, CLOSED.
   */
  async launch(input: LaunchInput): Promise<TaskHandle> {
    const resolved = await this.check(input)
    const { directory = this.#parts.directory, parent } = input
    const spec: TaskSpec = {
      prompt: input.prompt,
      description: oneLine(
        input.description ?? input.prompt,
        input.description === undefined ? 60 : BOUNDS.descriptionChars,
      ),
      ...resolved,
      directory,
      server: this.#parts.server,
      background: input.background ?? true,
      ...(parent === undefined ? {} : { parent }),
      ...(input.ttlMs === undefined ? {} : { ttlMs: input.ttlMs }),
      ...(input.sessionID === undefined ? {} : { sessionID: input.sessionID }),
    }
    return this.#handle(this.#parts.coordinator.launch(spec))
  }

  /** What `launch` would make of its agent and model, without launching. Rejects as `launch` would, short of the queue. */
  async check(input: LaunchInput): Promise<{ readonly agent?: string; readonly model?: string }> {
    checkLaunch(input)
    const { directory = this.#parts.directory, parent } = input
    return this.#parts.catalog.resolve({
      directory,
      ...(input.agent === undefined ? {} : { agent: input.agent }),
      ...(input.model === undefined ? {} : { model: input.model }),
      ...(parent?.model === undefined ? {} : { parentModel: parent.model }),
    })
  }

  /** A settled task runs again in its session; an unsettled one gets the prompt as a follow-up. Rejects as `launch`. */
  async continue(id: TaskId, prompt: string, how: ContinueInput = {}): Promise<TaskHandle> {
    checkPrompt(prompt)
    checkTtl(how.ttlMs)
    const { spec } = this.#known(id)
    if (how.model !== undefined) {
      await this.#parts.catalog.resolve({
        directory: spec.directory,
        model: how.model,
        ...(spec.agent === undefined ? {} : { agent: spec.agent }),
      })
    }
    return this.#handle(this.#parts.coordinator.continue(id, prompt, how))
  }

  /** Cancels at once; a settled task stays as it is. Throws TASK_UNKNOWN. */
  cancel(id: TaskId): TaskRow {
    return this.#parts.coordinator.cancel(id)
  }

  /** Cancels all unsettled tasks; returns them as they were. */
  cancelAll(): TaskRow[] {
    const live = this.list().filter((row) => !isTerminal(row.state))
    for (const { id } of live) this.#parts.coordinator.cancel(id)
    return live
  }

  get(id: TaskId): TaskRow | undefined {
    return this.#parts.coordinator.get(id)
  }

  list(): TaskRow[] {
    return this.#parts.coordinator.list()
  }

  /** How a task ends, whoever launched it. Rejects with TASK_UNKNOWN. */
  done(id: TaskId): Promise<Outcome> {
    return this.#parts.coordinator.done(id)
  }

  /** The messages of a task's session, oldest first, read from the server. */
  async messages(id: TaskId, options: { readonly limit?: number } = {}): Promise<readonly PlainMessage[]> {
    const { sessionID, spec } = this.#known(id)
    return sessionID === undefined ? [] : this.#parts.api.messages(spec.directory, sessionID, options)
  }

  /** The TODO list of a task's session, read from the server; empty before it has a session. */
  async todos(id: TaskId): Promise<readonly Todo[]> {
    const { sessionID, spec } = this.#known(id)
    return sessionID === undefined ? [] : this.#parts.api.todoList(spec.directory, sessionID)
  }

  /** Changes limits now, key by key; 0 lifts one. Lowering one stops nobody. */
  setLimits(limits: Partial<LaneLimits>): void {
    checkLimits(limits)
    this.#parts.coordinator.feed({ type: "limits", limits })
  }

  /** Per lane: slots in use, the limit (null = none), and how many wait. */
  usage(): LaneView[] {
    return this.#parts.coordinator.lanes()
  }

  /** What was odd in the configuration files. */
  get warnings(): readonly string[] {
    return this.#parts.warnings
  }

  /** The live page, if `createLanes` was asked for one. */
  get page(): PageAddress | undefined {
    return this.#parts.page()
  }

  on<T extends EventType>(type: T, handler: (event: LaneEvent<T>) => unknown, options?: ListenOptions): Undo
  on(type: "*", handler: (event: LaneEvent) => unknown, options?: ListenOptions): Undo
  on(type: EventType | "*", handler: (event: never) => unknown, options?: ListenOptions): Undo {
    return this.#bus.on(type as "*", handler as (event: LaneEvent) => unknown, options)
  }

  once<T extends EventType>(type: T, handler: (event: LaneEvent<T>) => unknown, options?: ListenOptions): Undo {
    return this.#bus.once(type, handler, options)
  }

  waitFor<T extends EventType>(
    type: T,
    predicate?: (event: LaneEvent<T>) => boolean,
    options?: ListenOptions,
  ): Promise<LaneEvent<T>> {
    return this.#bus.waitFor(type, predicate, options)
  }

  events(options?: ListenOptions): AsyncGenerator<LaneEvent, void, undefined> {
    return this.#bus.events(options)
  }

  /** Refuses launches, lets runs finish for `drainMs`, then leaves them to the next coordinator or aborts them. */
  async close(options: CloseOptions = {}): Promise<void> {
    checkClose(options)
    this.#closing ??= this.#close(options)
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close({ drainMs = 0 }: CloseOptions): Promise<void> {
    const { coordinator, detach, dispose } = this.#parts
    try {
      await coordinator.close({ drainMs, detach })
    } finally {
      await dispose()
    }
  }

  get #bus(): Bus {
    return this.#parts.coordinator.bus
  }

  #known(id: TaskId): TaskRow {
    const row = this.get(id)
    if (row === undefined)
      throw new LanesError("TASK_UNKNOWN", `There is no task ${id}.`, "list() shows those there are.")
    return row
  }

  #handle({ id, epoch, lane, done }: Launched): TaskHandle {
    return { id, epoch, lane, done, row: () => this.get(id), cancel: () => this.cancel(id) }
  }
}
