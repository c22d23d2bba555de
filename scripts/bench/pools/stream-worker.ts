import type { MessagePort } from "node:worker_threads"
import type { Assignment } from "../../../src/core/effects.ts"
import { threadClock } from "../../../workers/thread-clock.ts"
import { nullApi, nullRun } from "./null-run.ts"

const api = nullApi(threadClock)

/** The same run for other pools when each report is to be heard as it is made: by a port of the run's own. */
export default async function run({
  assignment,
  port,
}: {
  readonly assignment: Assignment
  readonly port: MessagePort
}): Promise<void> {
  await nullRun(assignment, api, threadClock, (report) => port.postMessage(report)).done
}
