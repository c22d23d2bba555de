/** Loops that poll, on whatever clock they are given. */
export const SESSIONS = 20
const POLL_MS = 2_000

interface Timers {
  now(): number
  setTimer(ms: number, callback: () => void): unknown
}

/** Starts them; answers how often they have polled so far. */
export function pollAll(timers: Timers): () => number {
  let polls = 0
  const ask = async (): Promise<number> => timers.now()
  const loop = async (): Promise<never> => {
    for (;;) {
      await ask()
      await ask()
      polls++
      await new Promise<void>((resolve) => void timers.setTimer(POLL_MS - (timers.now() % POLL_MS), resolve))
    }
  }
  for (let i = 0; i < SESSIONS; i++) void loop()
  return () => polls
}
