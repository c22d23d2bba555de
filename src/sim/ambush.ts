import type { CallKind } from "./calls.ts"
import { checkWhole, checkWord } from "./check.ts"
import type { FaultClass } from "./faults.ts"

/** A fault for the next so many of a kind. */
export interface Ambush {
  readonly on: CallKind | "delivery" | "journal"
  times: number
  readonly how: "slow" | "failed" | "garbled" | "lost" | "refused" | "unreachable"
}

/** What a call that went wrong counts as. */
const CLASSES: Readonly<Record<Ambush["how"], FaultClass>> = {
  slow: "call.slow",
  failed: "call.failed",
  garbled: "call.garbled",
  lost: "call.lost",
  refused: "call.refused",
  unreachable: "server.cut",
}

const TARGETS: Readonly<Record<Ambush["on"], true>> = {
  create: true,
  get: true,
  list: true,
  stamp: true,
  prompt: true,
  status: true,
  newest: true,
  messages: true,
  todos: true,
  asks: true,
  reject: true,
  abort: true,
  delete: true,
  delivery: true,
  journal: true,
}

/** Refuses what waits for nothing, or does nothing. */
export function checkAmbush({ on, how, times }: Ambush): void {
  checkWord(on, Object.keys(TARGETS), "what goes wrong")
  checkWord(how, Object.keys(CLASSES), "how it goes wrong")
  checkWhole(times, "how often it goes wrong", 1)
}

export function classOf({ on, how }: Ambush): FaultClass {
  return on === "journal" ? "journal.fails" : on === "delivery" ? "parent.failing" : CLASSES[how]
}
