/** A command in a terminal of its own, without a screen: all that it wrote counts. */

import type { Ended } from "./command.ts"

export interface InTerminal {
  readonly columns?: number
  readonly rows?: number
  readonly cwd?: string
  readonly env?: Record<string, string | undefined>
}

/** Runs a line of a shell to its end; its output and its errors are both in `stdout`, as the terminal gets them. */
export async function inTerminal(line: string, options: InTerminal = {}): Promise<Ended> {
  const { columns = 80, rows = 24, cwd = process.cwd(), env = process.env } = options
  const decoder = new TextDecoder()
  let stdout = ""
  const over = Promise.withResolvers<void>()
  const child = Bun.spawn(["sh", "-c", `stty cols ${columns} rows ${rows}; ${line}`], {
    cwd,
    env,
    terminal: {
      data: (_terminal, bytes) => void (stdout += decoder.decode(bytes, { stream: true })),
      exit: () => over.resolve(),
    },
  })
  const exitCode = await child.exited
  await over.promise
  child.terminal?.close()
  return { exitCode, stdout: stdout.replaceAll("\r\n", "\n"), stderr: "" }
}
