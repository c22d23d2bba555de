import type { Clock, SessionApi } from "../src/coordinator/ports.ts"
import type { RunRef } from "../src/core/task.ts"
import type { driveSession } from "./drive-session.ts"
import type { CarriedFetch } from "./link.ts"

/** What a thread does with its runs: how it drives one, and how a run sees the server. */
export interface Role {
  readonly drive: typeof driveSession
  /** Called once per thread, so that its runs can share requests; gives each run a view that names it. */
  readonly connect: (options: { readonly fetch: CarriedFetch; readonly clock: Clock }) => (run: RunRef) => SessionApi
}

/** Loads what a role is made of, after the thread has begun to listen. */
export type LoadRole = () => Promise<Role>
