import type { Composed } from "../compose.ts"

/** A start that takes longer has other troubles than ours. */
const LONGEST_MS = 400

/**
 * Until no task is between its slot and its model's first step. OpenCode serves one request after the other: what could
 * as well be said a moment later would keep a slot that has just come free from its next use.
 */
export async function startsFirst({ coordinator, lanes, clock }: Composed, signal: AbortSignal): Promise<void> {
  const starting = (): boolean => coordinator.list().some(({ state, steps }) => state === "running" && steps === 0)
  if (!starting()) return
  const { promise, resolve } = Promise.withResolvers<void>()
  const undos = [
    clock.setTimer(LONGEST_MS, resolve),
    lanes.on("task:progress", () => starting() || resolve()),
    lanes.on("task:settled", () => starting() || resolve()),
  ]
  signal.addEventListener("abort", () => resolve(), { once: true })
  await promise
  for (const undo of undos) undo()
}
