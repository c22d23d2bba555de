import type { Assignment } from "../../../src/core/effects.ts"
import type { RunReport } from "../../../src/core/inputs.ts"
import { threadClock } from "../../../workers/thread-clock.ts"
import { nullApi, nullRun } from "./null-run.ts"

const api = nullApi(threadClock)

/** The same run for pools that answer once: all its reports together, at its end. */
export default async function run(assignment: Assignment): Promise<RunReport[]> {
  const said: RunReport[] = []
  await nullRun(assignment, api, threadClock, (report) => said.push(report)).done
  return said
}
