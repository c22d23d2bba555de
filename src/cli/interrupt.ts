/**
 * Ctrl-C and its like. The first signal asks a command to end in order; the next one leaves at once.
 *
 *   running ─ signal ─→ stopping (`signal` aborted) ─ signal, half a second later or more ─→ exit
 */

/** A signal's reason to stop. */
export interface Interrupt extends Disposable {
  readonly signal: AbortSignal
  /** Undefined while nothing has come; else what the process is to exit with. */
  readonly exitCode: number | undefined
  /** As a signal would, with another code: for output that nobody reads any more. */
  stop(exitCode: number): void
}

const NUMBERS = { SIGINT: 2, SIGTERM: 15, SIGHUP: 1 } as const
/** One Ctrl-C reaches the whole foreground group, and whoever started us may pass it on. */
const SAME_MS = 500

/** Listens for signals until disposed. */
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
  return {
    signal: controller.signal,
    get exitCode() {
      return exitCode
    },
    stop,
    [Symbol.dispose]: () => undo.forEach((off) => off()),
  }
}
