import type { Clock, SessionApi } from "../src/coordinator/ports.ts"
import type { RunReport } from "../src/core/inputs.ts"

/** What one run needs of the world. */
export interface RunPorts {
  readonly api: SessionApi
  readonly clock: Clock
  /** One way, in order, never throws. */
  readonly report: (report: RunReport) => void
}
