/** How a command that shows its progress comes to lanes of its own. */

import { compose } from "../compose.ts"
import type { Composed, CreateOptions } from "../compose.ts"
import type { ChosenServer } from "./choose-server.ts"
import type { Interrupt } from "./interrupt.ts"
import type { Reporter } from "./output/reporter.ts"

/** Starts or reaches the chosen server; a signal gives up starting. */
export async function openLanes(
  server: ChosenServer,
  options: Pick<CreateOptions, "directory" | "config" | "recover">,
  reporter: Reporter,
  { signal }: Interrupt,
): Promise<Composed> {
  const stop = (): void => reporter.status("Stopping; Ctrl-C again leaves at once")
  reporter.status(server.whose === "spawned" ? "Starting OpenCode" : `Reaching the OpenCode at ${server.address}`)
  signal.addEventListener("abort", stop)
  try {
    return await compose({ ...server.lanes, ...options, log: (warning) => reporter.say(warning) }, signal)
  } finally {
    signal.removeEventListener("abort", stop)
  }
}
