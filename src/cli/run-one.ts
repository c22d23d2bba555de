/** One task from its launch to its result on stdout, in this process. */

import { createLanes } from "../compose.ts"
import type { LaunchInput } from "../lanes.ts"
import { carryOut, exitCodeFor } from "./carry-out.ts"
import { chooseServer } from "./choose-server.ts"
import type { ChosenServer } from "./choose-server.ts"
import { onInterrupt } from "./interrupt.ts"
import type { Interrupt } from "./interrupt.ts"
import { EXIT } from "./output/exit-codes.ts"
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
  /** Instead of waiting for the end, once the server is chosen. */
  readonly instead?: (server: ChosenServer) => Promise<number>
}

/** Runs it, shows it on stderr, prints its text; answers with the exit code. */
export async function runOne({ input, directory, server, json, instead }: OneTask): Promise<number> {
  using interrupt = onInterrupt()
  using reporter = progressFor({ json })
  process.stdout.on("error", () => interrupt.stop(EXIT.failed))
  const chosen = await chooseServer(server, (sentence) => reporter.say(sentence))
  if (instead !== undefined) return instead(chosen)
  const { code, text } = await waited(chosen, directory, input, reporter, interrupt)
  if (!json) process.stdout.write(text)
  return code
}

async function waited(
  server: ChosenServer,
  directory: string,
  input: LaunchInput,
  reporter: Reporter,
  interrupt: Interrupt,
): Promise<{ code: number; text: string }> {
  reporter.status(server.whose === "spawned" ? "Starting OpenCode" : `Reaching the OpenCode at ${server.address}`)
  await using lanes = await createLanes({ ...server.lanes, directory, log: (warning) => reporter.say(warning) })
  reporter.status(`One task in ${directory}`)
  const summary = await carryOut(lanes, [input], reporter, interrupt)
  await lanes.close()
  reporter.finish(summary)
  const code = exitCodeFor(summary, 1, interrupt)
  const [result] = summary.results
  if (result?.outcome.state === "completed") return { code, text: resultText(result.outcome.text, process.stdout) }
  if (result !== undefined) reporter.say(`${result.outcome.reason}: ${result.outcome.sentence}`)
  return { code, text: "" }
}
