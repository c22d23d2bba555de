import type { Composed } from "../compose.ts"

/** A start that takes longer has other troubles than ours. */
const LONGEST_MS = 400

/**
 * Until no task is between its slot and its model's first step. OpenCode serves one request after the other: what could
 * as well be said a moment later would keep a slot that has just come free from its next use.
 */
export async function startsFirst({ coordinator, lanes, clock }: Composed, signal: AbortSignal): Promise<void> {
  const starting = (): boolean => coordinator.running().some(({ steps }) => steps === 0)
  if (!starting()) return
  // Not `withResolvers`: Node has it from 22 on.
  await new Promise<void>((resolve) => {
    const look = (): void => {
      if (!starting()) over()
    }
    const undos = [
      clock.setTimer(LONGEST_MS, () => over()),
      lanes.on("task:progress", look),
      lanes.on("task:settled", look),
    ]
    const over = (): void => {
      for (const undo of undos) undo()
      resolve()
    }
    signal.addEventListener("abort", over, { once: true })
  })
}
