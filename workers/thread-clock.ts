import type { Clock, Undo } from "../src/coordinator/ports.ts"

/**
 * The clock of a thread: it spaces polls and decides nothing, so that a machine's sleep need not be told from time. The
 * coordinator's clock, which decides, is told apart in its own adapter.
 */
export const threadClock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  setTimer(ms: number, callback: () => void): Undo {
    const timer = setTimeout(callback, ms)
    return () => clearTimeout(timer)
  },
}
