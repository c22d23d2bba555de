/** Results as stdout carries them: whole, with nothing else in between. */

import { stateWord } from "./task-line.ts"
import type { MaybeTerminal } from "./colors.ts"
import { printable } from "./columns.ts"
import { duration } from "./durations.ts"
import type { Summary } from "./summary.ts"

/** The text of one result; a terminal gets it without the characters that could command it. */
export function resultText(text: string, out: MaybeTerminal): string {
  const shown = out.isTTY === true ? harmless(text) : text
  return shown === "" || shown.endsWith("\n") ? shown : `${shown}\n`
}

/** All results in the order of their launch, each under a heading. */
export function resultsText({ results }: Summary, out: MaybeTerminal): string {
  const parts = results.map(({ id, description, outcome }, index) => {
    const { state, durationMs, sentence, text } = outcome
    const heading = `## ${index + 1}. ${printable(description)} (${id}, ${stateWord(state)} in ${duration(durationMs)})\n`
    const body = state === "completed" ? resultText(text, out) || "(no text)\n" : `${printable(sentence)}\n`
    return `${heading}\n${body}`
  })
  return parts.join("\n")
}

function harmless(text: string): string {
  return Bun.stripANSI(text).replace(/[^\P{Cc}\n\t]|\p{Bidi_Control}/gu, "")
}
