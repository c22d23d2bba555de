/** What a request to the scripted model is about, and what to answer. */

import type { CallKind } from "./call-log.ts"
import { choose, locate, newestUserText, scripted } from "./script.ts"
import type { ChosenTurn, ModelMessage, Position } from "./script.ts"

/** The answer to one request. */
export interface Plan {
  kind: CallKind
  position: Position | undefined
  chosen: ChosenTurn
}

/**
 * @param last where the session's script stood after its last turn. A request for a summary quotes the
 *   conversation as prose, so that its turns cannot be counted.
 */
export function plan(messages: readonly ModelMessage[], hasTools: boolean, last: Position | undefined): Plan {
  const newest = newestUserText(messages)
  const kind = hasTools ? "turn" : kindWithoutTools(messages, newest)
  if (kind === "title") return { kind, position: undefined, chosen: fixed("Scripted conversation") }
  const position = (kind === "summary" ? last : undefined) ?? locate(messages)
  if (!position) {
    if (kind === "summary") return { kind, position, chosen: fixed("A conversation without a script.") }
    return { kind: "other", position, chosen: fixed(`Noted: ${newest.slice(0, 200)}`) }
  }
  const { script, progress } = position
  if (kind !== "summary") return { kind, position, chosen: choose(script, progress, newest) }
  const turn = script.onSummary ?? {}
  const text = scripted(turn.text ?? "The work so far, in short.", script, progress)
  return { kind, position, chosen: { turn: { ...turn, text }, key: `${script.id}/summary` } }
}

/** OpenCode asks for titles and summaries without offering tools. */
function kindWithoutTools(messages: readonly ModelMessage[], newest: string): CallKind {
  const system = messages.find((message) => message.role === "system")?.text ?? ""
  if (/title generator/i.test(system)) return "title"
  return newest.startsWith("Here is the conversation so far") ? "summary" : "turn"
}

function fixed(text: string): ChosenTurn {
  return { turn: { text }, key: "" }
}
