/** What `run` and `batch` have in common: launch, show, wait, and end in order when a signal comes. */

import type { Lanes, LaunchInput, TaskHandle } from "../lanes.ts"
import type { Interrupt } from "./interrupt.ts"
import { codeOf } from "./output/errors.ts"
import { EXIT } from "./output/exit-codes.ts"
import type { Reporter } from "./output/reporter.ts"
import { Tally } from "./output/summary.ts"
import type { Summary } from "./output/summary.ts"

/**
 * Launches all tasks, as many as the queue takes at a time, and waits for their ends; a signal cancels them. Nothing is
 * left to wait for when it answers, but the sessions of cancelled tasks are aborted by closing the lanes.
 */
export async function carryOut(
  lanes: Lanes,
  tasks: readonly LaunchInput[],
  reporter: Reporter,
  interrupt: Interrupt,
): Promise<Summary> {
  interrupt.signal.throwIfAborted()
  const tally = new Tally()
  const launched: TaskHandle[] = []
  const own = new Set<string>()
  // The lanes may have taken over tasks of an earlier process: those are shown, but are not this command's result.
  lanes.on("*", (event) => tally.apply(event))
  reporter.follow(lanes)
  const stop = (): void => {
    reporter.status("Stopping: tasks are cancelled, their sessions aborted. Ctrl-C again leaves at once")
    for (const task of launched) task.cancel()
  }
  interrupt.signal.addEventListener("abort", stop)
  try {
    for (const task of tasks) {
      const handle = await launchWithRoom(lanes, task, interrupt.signal)
      if (handle === undefined) break
      own.add(handle.id)
      launched.push(handle)
      if (interrupt.signal.aborted) handle.cancel()
    }
    await Promise.all(launched.map(({ done }) => done))
  } catch (thrown) {
    for (const task of launched) task.cancel()
    throw thrown
  } finally {
    interrupt.signal.removeEventListener("abort", stop)
  }
  return tally.summary(own)
}

/** Launches as soon as the queue has room for it; not at all once a signal has come. */
async function launchWithRoom(lanes: Lanes, task: LaunchInput, signal: AbortSignal): Promise<TaskHandle | undefined> {
  while (!signal.aborted) {
    try {
      return await lanes.launch(task)
    } catch (thrown) {
      if (codeOf(thrown) !== "QUEUE_FULL") throw thrown
    }
    for await (const { type } of lanes.events({ signal })) {
      if (type === "lane:granted" || type === "task:settled") break
    }
  }
  return undefined
}

/** The code for what became of them. */
export function exitCodeFor(summary: Summary, wanted: number, interrupt: Interrupt): number {
  if (interrupt.exitCode !== undefined) return interrupt.exitCode
  return summary.completed === wanted ? EXIT.ok : EXIT.failed
}
