import type { Coordinator } from "../coordinator/coordinator.ts"
import type { Assignment, Delivery } from "../core/effects.ts"
import type { LaneEvent } from "../core/events.ts"
import type { Options } from "../core/options.ts"
import type { RunRef, TaskId, TaskRow, TaskSpec } from "../core/task.ts"
import type { Act } from "./agent.ts"
import type { CallKind } from "./calls.ts"
import type { Loop } from "./clock.ts"
import type { FaultClass, FaultRates } from "./faults.ts"
import type { SimDisk } from "./journal.ts"
import type { SimConversation } from "./parents.ts"
import type { ServerFact, SimServer } from "./server.ts"

/** What the simulation itself knows of a task: what it asked for, not what the runtime says. */
export interface TaskTruth {
  readonly id: TaskId
  /** The how manieth launch; chance is thrown for this number. */
  readonly of: number
  readonly spec: TaskSpec
  /** What each prompt of it asks the agent to do. */
  readonly scripts: Map<string, readonly Act[]>
  /** The launch was answered: from now on it may not be lost. */
  acknowledged: boolean
  readonly launchedAt: number
  /** Calls made for it, by kind. */
  readonly calls: Partial<Record<CallKind, number>>
  throws: number
}

/** All there is to see for oracles. */
export interface Scene {
  readonly loop: Loop
  readonly server: SimServer
  readonly disk: SimDisk
  /** With the limits as they are now. */
  readonly options: Options
  readonly rates: FaultRates
  readonly tasks: ReadonlyMap<TaskId, TaskTruth>
  readonly conversations: ReadonlyMap<string, SimConversation>
  /** Kinds of faults that have struck so far. */
  readonly struck: ReadonlySet<FaultClass>
  readonly coordinator: Coordinator | undefined
  /** Server events have reached the coordinator since this moment; undefined = they do not now. */
  readonly eventsSince: number | undefined
  /** Runs that live in threads now. */
  readonly running: number
  /** Says that an invariant does not hold; the first one said ends the simulation. */
  fail(invariant: number, sentence: string): void
}

/** What an oracle may hear. Each checks one promise by its own count. */
export interface Witness {
  event?(event: LaneEvent): void
  wrote?(rows: readonly TaskRow[], forget: readonly TaskId[]): void
  /** The coordinator is about to take this in. */
  input?(type: string): void
  /** Everything that one event of the loop led to has happened. */
  settled?(): void
  assigned?(assignment: Assignment): void
  /** What comes now is late, or comes again: it may do nothing. Then it was heard. */
  stray?(words: string): void
  heard?(): void
  lives?(run: RunRef, alive: boolean): void
  launched?(task: TaskTruth): void
  fact?(fact: ServerFact): void
  delivering?(delivery: Delivery, rows: readonly TaskRow[]): void
  /** A conversation takes it now. */
  telling?(delivery: Delivery): void
  /** The coordinator has heard that a conversation was deleted. */
  orphaned?(conversation: string): void
  started?(recovered: boolean): void
  crashed?(): void
  limits?(): void
  /** Nothing is left to be done. */
  quiet?(): void
  /** And everything retained is forgotten. */
  rest?(): void
}

/** Makes an oracle for one simulation. */
export type Oracle = (scene: Scene) => Witness
