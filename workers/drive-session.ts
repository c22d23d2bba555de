import type { Clock, SessionApi } from "../src/coordinator/ports.ts"
import type { Assignment, RunCommand } from "../src/core/effects.ts"
import type { RunReport } from "../src/core/inputs.ts"

/** What one run needs of the world. */
export interface RunPorts {
  readonly api: SessionApi
  readonly clock: Clock
  /** One way, in order, never throws. */
  readonly report: (report: RunReport) => void
}

/** A run under way. */
export interface DrivenRun {
  command(command: RunCommand): void
  /** Resolves when the run has left its session (after `stop`, or after `failed` was reported). Never rejects. */
  readonly done: Promise<void>
}

/** The loop of one run. */
export declare function driveSession(assignment: Assignment, ports: RunPorts): DrivenRun
