import type { Oracle } from "../truth.ts"

/** Every promise, watched by its own count. */
export const ORACLES: readonly Oracle[] = []
