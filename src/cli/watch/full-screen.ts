/** A whole terminal for ourselves, given back as it was however we end. */

import type { Terminal } from "../output/screen.ts"
import type { Size } from "../output/size.ts"
import { sizeOf } from "../output/size.ts"

const ENTER = "\u001B[?1049h\u001B[?25l"
const LEAVE = "\u001B[?25h\u001B[?1049l"
/** What comes in between is shown at once by terminals that know it, and ignored by the others. */
const BEGIN = "\u001B[?2026h"
const END = "\u001B[?2026l"

interface Keyboard extends NodeJS.ReadableStream {
  readonly isTTY?: boolean
  setRawMode?(raw: boolean): unknown
}

export class FullScreen implements Disposable {
  readonly #terminal: Terminal
  readonly #keyboard: Keyboard
  readonly #onInput: (input: string) => void
  #shown: readonly string[] = []
  #size = ""
  #open = true

  constructor(terminal: Terminal, keyboard: Keyboard, onInput: (input: string) => void) {
    this.#terminal = terminal
    this.#keyboard = keyboard
    this.#onInput = onInput
    terminal.write(ENTER)
    // Nothing of a failing process may leave a terminal without a cursor, or without echo.
    process.on("exit", this.#restore)
    keyboard.setRawMode?.(true)
    keyboard.setEncoding("utf8")
    keyboard.on("data", this.#input)
    keyboard.resume()
  }

  get size(): Size {
    const { columns, rows } = sizeOf(this.#terminal)
    return { columns: Math.max(20, columns), rows: Math.max(5, rows) }
  }

  /** Writes the lines that changed, and nothing else: what stays does not flicker. */
  paint(lines: readonly string[]): void {
    if (!this.#open) return
    const { columns, rows } = this.size
    const size = `${columns}x${rows}`
    const all = size !== this.#size
    this.#size = size
    let text = all ? "\u001B[2J" : ""
    for (let at = 0; at < rows; at++) {
      const line = lines[at] ?? ""
      if (all || line !== (this.#shown[at] ?? "")) text += `\u001B[${at + 1};1H${line}\u001B[0m\u001B[K`
    }
    this.#shown = lines
    if (text !== "") this.#terminal.write(`${BEGIN}${text}${END}`)
  }

  close(): void {
    if (!this.#open) return
    this.#restore()
    process.off("exit", this.#restore)
    this.#keyboard.off("data", this.#input)
    this.#keyboard.pause()
  }

  [Symbol.dispose](): void {
    this.close()
  }

  readonly #input = (data: unknown): void => this.#onInput(String(data))

  readonly #restore = (): void => {
    if (!this.#open) return
    this.#open = false
    this.#keyboard.setRawMode?.(false)
    this.#terminal.write(LEAVE)
  }
}
