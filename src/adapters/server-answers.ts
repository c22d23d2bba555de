/** Whether a server is there, whoever may use it: any HTTP answer is one. */
export async function serverAnswers(server: string): Promise<boolean> {
  if (!/^https?:/.test(server)) return false
  try {
    await fetch(`${server}/global/health`, { signal: AbortSignal.timeout(PROBE_MS) })
    return true
  } catch {
    return false
  }
}

/** A starting OpenCode lets connections hang for less. */
const PROBE_MS = 1_000
