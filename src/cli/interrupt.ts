/**
 * Ctrl-C and its like. The first signal asks a command to end in order; the next one leaves at once.
 *
 *   running ─ signal ─→ stopping (`signal` aborted) ─ signal, half a second later or more ─→ exit
 */

import { EXIT } from "./output/exit-codes.ts"

/** A signal's reason to stop. */
export interface Interrupt extends Disposable {
  readonly signal: AbortSignal
  /** Undefined while nothing has come; else what the process is to exit with. */
  readonly exitCode: number | undefined
}

const NUMBERS = { SIGINT: 2, SIGTERM: 15, SIGHUP: 1 } as const
/** One Ctrl-C reaches the whole foreground group, and whoever started us may pass it on. */
const SAME_MS = 500

/** Does the work of a command, which ends in order when a signal comes; answers with its exit code. */
export async function interruptible(work: (interrupt: Interrupt) => Promise<number>): Promise<number> {
  using interrupt = onInterrupt()
  try {
    return await work(interrupt)
  } catch (thrown) {
    // What fails while we stop fails because we stop.
    if (interrupt.exitCode === undefined) throw thrown
    return interrupt.exitCode
  }
}

/** Listens for signals until disposed. Output that cannot be written any more stops like one. */
export function onInterrupt(): Interrupt {
  const controller = new AbortController()
  let exitCode: number | undefined
  let since = 0
  const stop = (code: number): void => {
    if (exitCode !== undefined) return
    exitCode = code
    since = performance.now()
    controller.abort(new Error("Interrupted."))
  }
  const undo = (Object.keys(NUMBERS) as (keyof typeof NUMBERS)[]).map((name) => {
    const listener = (): void => {
      if (exitCode === undefined) stop(128 + NUMBERS[name])
      else if (performance.now() - since > SAME_MS) process.exit(exitCode)
    }
    process.on(name, listener)
    return () => process.off(name, listener)
  })
  const unwritten = (): void => stop(EXIT.failed)
  process.stdout.on("error", unwritten)
  return {
    signal: controller.signal,
    get exitCode() {
      return exitCode
    },
    [Symbol.dispose]: () => {
      process.stdout.off("error", unwritten)
      undo.forEach((off) => off())
    },
  }
}
