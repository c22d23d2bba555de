/** A prompt as a command takes it: the word given, or what is piped in. */

import { UsageError } from "./output/errors.ts"

/** `command` is what stands before the prompt. */
export async function promptOf(given: string | undefined, command: string): Promise<string> {
  if (given === undefined && process.stdin.isTTY) {
    throw new UsageError(`${command}: there is no prompt. Write ${command} "…", or pipe it in.`)
  }
  const prompt = given === undefined || given === "-" ? await Bun.stdin.text() : given
  if (prompt.trim() === "") throw new UsageError(`${command}: the prompt is empty.`)
  return prompt
}
