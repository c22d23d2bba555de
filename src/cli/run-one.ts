/** One task from its launch to its result on stdout, in this process. */

import type { Outcome } from "../core/task.ts"
import type { LaunchInput } from "../lanes.ts"
import { carryOut, exitCodeFor } from "./carry-out.ts"
import { chooseServer } from "./choose-server.ts"
import { interruptible } from "./interrupt.ts"
import { launchOnly } from "./launch-only.ts"
import { openLanes } from "./open-lanes.ts"
import { UsageError } from "./output/errors.ts"
import { progressFor } from "./output/reporter-for.ts"
import type { Reporter } from "./output/reporter.ts"
import { resultText } from "./output/result-text.ts"

/** What to run, and where. */
export interface OneTask {
  readonly input: LaunchInput
  readonly directory: string
  /** As the option --server says it. */
  readonly server?: string | undefined
  readonly json: boolean
  /** For its end; else it is left to its server. Default true. */
  readonly wait?: boolean
}

/** Runs it, shows it on stderr, prints its text; answers with the exit code. */
export function runOne({ input, directory, server, json, wait = true }: OneTask): Promise<number> {
  return interruptible(async (interrupt) => {
    using reporter = progressFor({ json })
    const chosen = await chooseServer(server, (sentence) => reporter.say(sentence))
    if (!wait && chosen.whose === "spawned")
      throw new UsageError("--no-wait needs a server that stays: start `opencode serve` and name it with --server.")
    await using lanes = (await openLanes(chosen, { directory }, reporter, interrupt)).lanes
    if (!wait) return await launchOnly(lanes, input, json, reporter, interrupt)
    reporter.status(`One task in ${directory}`)
    const summary = await carryOut(lanes, [input], reporter, interrupt)
    await lanes.close()
    reporter.finish(summary)
    const [result] = summary.results
    if (result !== undefined) tell(result.outcome, json, reporter)
    return exitCodeFor(summary, 1, interrupt)
  })
}

function tell({ state, text, reason, sentence }: Outcome, json: boolean, reporter: Reporter): void {
  if (state !== "completed") return reporter.say(`${reason}: ${sentence}`)
  if (!json) process.stdout.write(resultText(text, process.stdout))
}
