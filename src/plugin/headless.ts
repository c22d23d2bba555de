import type { Composed } from "../compose.ts"
import { isLive, tasksOf } from "./desk.ts"

/** Before the command OpenCode takes the word after any other option for its value (measured on 1.18.33). */
const WITHOUT_VALUE = /^(?:-[hv]|--(?:help|version|print-logs|pure|no-.*)|.*=.*)$/

/** `opencode run` without `--attach`: the process ends with the turn, and what runs in it ends too. */
export function isHeadlessRun(argv: readonly string[]): boolean {
  const words = argv.slice(2)
  const command = words.find((word, at) => !word.startsWith("-") && !takesValue(words[at - 1] ?? ""))
  return command === "run" && !words.some((word) => word === "--attach" || word.startsWith("--attach="))
}

function takesValue(word: string): boolean {
  return word.startsWith("-") && !WITHOUT_VALUE.test(word)
}

/** After the last task has ended its notice must get into the session; then the turn may go on without. */
const TELL_MS = 20_000

export interface Hold {
  /** Ends it from outside: the session was aborted. */
  readonly release: () => void
  readonly over: Promise<void>
}

/**
 * Holds a turn until every background task of its conversation has ended and was told. Undefined when there is none:
 * then nothing is held. Bounded by the limits of the tasks.
 */
export function holdFor({ coordinator, lanes, clock }: Composed, sessionID: string): Hold | undefined {
  const waiting = (): boolean => tasksOf(coordinator, sessionID).some((row) => isLive(row) && row.spec.background)
  const owed = (): boolean => coordinator.owed(sessionID).length > 0
  if (!waiting() && !owed()) return undefined
  let resolve = (): void => {}
  const over = new Promise<void>((done) => (resolve = done))
  let undoTimer: (() => void) | undefined
  const look = (): void => {
    if (waiting()) return
    if (!owed()) return release()
    undoTimer ??= clock.setTimer(TELL_MS, release)
  }
  const undos = [lanes.on("task:settled", look), lanes.on("task:notified", look)]
  const release = (): void => {
    undoTimer?.()
    for (const undo of undos) undo()
    resolve()
  }
  look()
  return { release, over }
}
