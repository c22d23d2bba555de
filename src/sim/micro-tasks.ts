import type { drainMicrotasks } from "bun:jsc"

import { LanesError } from "../core/errors.ts"

// Not imported by name: what cannot be simulated in Node can be imported there.
const jsc = process.getBuiltinModule?.("bun:jsc") as { readonly drainMicrotasks: typeof drainMicrotasks } | undefined

/** Runs all promises that have settled to their end, at once. */
export const drain: () => void =
  jsc?.drainMicrotasks ??
  (() => {
    throw new LanesError("INVALID_INPUT", "The simulation needs Bun.", "Run this with Bun: https://bun.sh")
  })
