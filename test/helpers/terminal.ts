/** A real terminal of a chosen size: a tmux server on a socket of its own, gone after use. */

import { until } from "./processes.ts"

let count = 0

export class TestTerminal implements Disposable {
  readonly #socket = `lanes-test-${process.pid}-${(count += 1)}`

  constructor(size: { columns: number; rows: number }, env: Record<string, string | undefined>) {
    const shell = ["env", "PS1=", "TERM=screen-256color", "LC_ALL=C.UTF-8", "sh"]
    const box = ["-x", String(size.columns), "-y", String(size.rows)]
    this.#tmux(["-u", "-f", "/dev/null", "new-session", "-d", ...box, ...shell], env)
  }

  /** Types a line and presses return. */
  type(line: string): void {
    this.#tmux(["send-keys", "-l", line])
    this.#tmux(["send-keys", "Enter"])
  }

  /** Presses a key by tmux's name for it, such as `C-c`. */
  press(key: string): void {
    this.#tmux(["send-keys", key])
  }

  /** The lines to be seen now; with `all` also those that have scrolled away. */
  screen(all = false): string[] {
    const text = this.#tmux(["capture-pane", "-p", ...(all ? ["-S", "-500"] : [])])
    return text.trimEnd().split("\n")
  }

  get cursorVisible(): boolean {
    return this.#tmux(["display-message", "-p", "#{cursor_flag}"]).trim() === "1"
  }

  /** Waits until the screen shows a line like this. */
  async shows(pattern: RegExp, limitMs = 30_000): Promise<void> {
    try {
      await until(() => this.screen().some((line) => pattern.test(line)), limitMs)
    } catch {
      throw new Error(`The terminal never showed ${pattern}, but:\n${this.screen().join("\n")}`)
    }
  }

  [Symbol.dispose](): void {
    this.#tmux(["kill-server"])
  }

  #tmux(args: readonly string[], env: Record<string, string | undefined> = process.env): string {
    const { stdout, stderr, exitCode } = Bun.spawnSync(["tmux", "-L", this.#socket, ...args], { env })
    if (exitCode !== 0) throw new Error(`tmux ${args[0]}: ${stderr.toString()}`)
    return stdout.toString()
  }
}
