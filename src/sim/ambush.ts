import type { CallKind } from "./calls.ts"

/** A fault for the next so many of a kind. */
export interface Ambush {
  readonly on: CallKind | "delivery" | "journal"
  times: number
  readonly how: "slow" | "failed" | "garbled" | "lost" | "refused" | "unreachable"
}
