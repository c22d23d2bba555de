import type { TaskRow } from "../../core/task.ts"
import type { Desk } from "../desk.ts"
import { isLive, ownTask, Refusal, refuseTasks, tasksOf } from "../desk.ts"
import type { ToolCall } from "../host-shapes.ts"
import { cancelled } from "../texts/answers.ts"
import type { CancelInput } from "./arguments.ts"

export const describeCancel = (delegate: string): string =>
  `Stop background tasks of this conversation that are no longer needed: one by task_id, or all unfinished ones with all=true. What they have done so far stays in their sessions, which ${delegate}(session_id="…") can go on with.`

export async function cancel(desk: Desk, input: CancelInput, call: ToolCall): Promise<string> {
  const composed = await desk.open()
  refuseTasks(composed, call, desk.names)
  const { coordinator } = composed
  if (input.all !== true && input.task_id === undefined) {
    throw new Refusal(
      `Name one task, ${desk.names.cancel}(task_id="bg_…"), or all of them, ${desk.names.cancel}(all=true).`,
    )
  }
  const chosen =
    input.all === true ? tasksOf(coordinator, call.sessionID) : [ownTask(composed, input.task_id ?? "", call)]
  const live = chosen.filter(isLive)
  const [only] = chosen
  if (live.length === 0) {
    return input.all !== true && only !== undefined ? over(only) : "No running or pending background tasks to cancel."
  }
  // Waiting ones first: none of them is to start because another one's slot comes back.
  for (const { id } of live.toSorted((a, b) => Number(b.state === "pending") - Number(a.state === "pending"))) {
    coordinator.cancel(id, { silent: true })
  }
  return cancelled(live, desk.names)
}

function over({ id, state, outcome }: TaskRow): string {
  return `The task ${id} has ended already: ${state}${outcome === undefined ? "" : ` (${outcome.reason})`}. Nothing was cancelled.`
}
