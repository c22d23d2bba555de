/** `lanes run --no-wait`: a task that is left to its server as soon as it works there. */

import type { Lanes, LaunchInput, TaskHandle } from "../lanes.ts"
import type { Interrupt } from "./interrupt.ts"
import { EXIT } from "./output/exit-codes.ts"
import type { Reporter } from "./output/reporter.ts"

/** Launches, waits until the server has taken the prompt, says the id, and leaves; a signal before that cancels. */
export async function launchOnly(
  lanes: Lanes,
  input: LaunchInput,
  json: boolean,
  reporter: Reporter,
  interrupt: Interrupt,
): Promise<number> {
  const task = await lanes.launch(input)
  const stop = (): void => void task.cancel()
  await new Promise<void>((resolve) => {
    const look = (): void => (prompted(task) ? resolve() : undefined)
    lanes.on("*", look)
    interrupt.signal.addEventListener("abort", stop)
    if (interrupt.signal.aborted) stop()
    look()
  })
  interrupt.signal.removeEventListener("abort", stop)
  if (interrupt.exitCode !== undefined) return interrupt.exitCode
  const row = task.row()
  const said = { id: task.id, sessionID: row?.sessionID, lane: row?.lane, state: row?.state }
  process.stdout.write(json ? `${JSON.stringify({ type: "launched", ...said })}\n` : `${task.id}\n`)
  if (!json) reporter.say(`It works in session ${row?.sessionID}. Read it with: lanes output ${task.id}`)
  return row?.state === "error" ? EXIT.failed : EXIT.ok
}

/** The server has the first prompt, or there is nothing more to come. */
function prompted(task: TaskHandle): boolean {
  const row = task.row()
  return row?.outcome !== undefined || row?.prompts[0]?.messageID !== undefined
}
