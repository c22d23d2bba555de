export type { JournalChoice, JournalFile } from "./adapters/open-journal.ts"
export { createLanes } from "./compose.ts"
export type { CreateOptions, SpawnServer } from "./compose.ts"
export { jsonSchema, parseConfig } from "./config.ts"
export type { Config } from "./config.ts"
export type { ListenOptions } from "./coordinator/bus.ts"
export type { Journal, Parent, PlainMessage, Undo } from "./coordinator/ports.ts"
export { LanesError } from "./core/errors.ts"
export type { ErrorCode } from "./core/errors.ts"
export type { EventMap, EventType, LaneEvent, Stamp } from "./core/events.ts"
export type { LaneLimits, LaneView } from "./core/lanes.ts"
export { DEFAULTS } from "./core/options.ts"
export type { Options } from "./core/options.ts"
export type { Ask, NewestMessage, SessionStatus, Snapshot, Todos, Tokens } from "./core/snapshot.ts"
export type {
  Notice,
  Outcome,
  ParentRef,
  Prompt,
  Reason,
  TaskId,
  TaskRow,
  TaskSpec,
  TaskState,
  TerminalState,
} from "./core/task.ts"
export type { Todo } from "./core/todos.ts"
export { Lanes } from "./lanes.ts"
export type { CloseOptions, ContinueInput, LaunchInput, PageAddress, TaskHandle } from "./lanes.ts"
