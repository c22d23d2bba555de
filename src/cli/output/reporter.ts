/** How a command shows its tasks; `reporter-for.ts` knows the ways there are. */

import type { LaneEvent } from "../../core/events.ts"
import type { LaneView } from "../../core/lanes.ts"
import type { TaskRow } from "../../core/task.ts"
import type { Terminal } from "./screen.ts"
import type { Summary } from "./summary.ts"

/** What a reporter needs of the running lanes. */
export interface Watched {
  usage(): LaneView[]
  list(): TaskRow[]
  get(id: string): TaskRow | undefined
  on(type: "*", handler: (event: LaneEvent) => unknown): () => void
}

/** Shows one command from its beginning to its end. */
export interface Reporter extends Disposable {
  /** A sentence for people. */
  say(sentence: string): void
  /** What is going on while there is nothing else to see. */
  status(sentence: string): void
  /** Shows every event from now on. */
  follow(watched: Watched): void
  /** The last word. */
  finish(summary: Summary): void
}

/** Where to write. */
export interface Streams {
  readonly stdout: Terminal
  readonly stderr: NodeJS.WritableStream
}
