/** Whether to use colours, and which. */

import picocolors from "picocolors"

export type Colors = ReturnType<typeof picocolors.createColors>

/** The part of a stream that decides. */
export interface MaybeTerminal {
  readonly isTTY?: boolean
}

type Environment = Readonly<Record<string, string | undefined>>

/** Colours for a terminal that can show them. `NO_COLOR` (not empty) says no, then `FORCE_COLOR` says yes, to anybody. */
export function colorsFor(stream: MaybeTerminal, env: Environment = process.env): Colors {
  return picocolors.createColors(wantsColors(stream, env))
}

/** A terminal on which lines can be painted over. */
export function canRepaint(stream: MaybeTerminal, env: Environment = process.env): boolean {
  return stream.isTTY === true && env["TERM"] !== "dumb"
}

function wantsColors(stream: MaybeTerminal, env: Environment): boolean {
  if (env["NO_COLOR"]) return false
  const forced = env["FORCE_COLOR"]
  if (forced !== undefined) return forced !== "0" && forced !== "false"
  return canRepaint(stream, env)
}
