/** `lanes run --no-wait`: a task that is left to its server as soon as it works there. */

import { createLanes } from "../compose.ts"
import type { LaunchInput, TaskHandle } from "../lanes.ts"
import type { ChosenServer } from "./choose-server.ts"
import { EXIT } from "./output/exit-codes.ts"

/** Launches, waits until the server has taken the prompt, says the id, and leaves. */
export async function launchOnly(
  { lanes: { server } }: ChosenServer,
  directory: string,
  input: LaunchInput,
  json: boolean,
): Promise<number> {
  await using lanes = await createLanes({ server, directory, log: (warning) => process.stderr.write(`${warning}\n`) })
  const task = await lanes.launch(input)
  await new Promise<void>((resolve) => {
    const look = (): void => (prompted(task) ? resolve() : undefined)
    lanes.on("*", look)
    look()
  })
  const row = task.row()
  const said = { id: task.id, sessionID: row?.sessionID, lane: row?.lane, state: row?.state }
  process.stdout.write(json ? `${JSON.stringify({ type: "launched", ...said })}\n` : `${task.id}\n`)
  if (!json) process.stderr.write(`It works in session ${row?.sessionID}. Read it with: lanes output ${task.id}\n`)
  return row?.state === "error" ? EXIT.failed : EXIT.ok
}

/** The server has the first prompt, or there is nothing more to come. */
function prompted(task: TaskHandle): boolean {
  const row = task.row()
  return row?.outcome !== undefined || row?.prompts[0]?.messageID !== undefined
}
