/** One part of a terminal that is painted over and over, and a cursor that comes back however we end. */

import { createLogUpdate } from "log-update"

/** A terminal to paint on. */
export interface Terminal extends NodeJS.WritableStream {
  readonly isTTY?: boolean
  readonly columns?: number
  readonly rows?: number
}

/** The size lines must fit into. */
export interface Size {
  readonly columns: number
  readonly rows: number
}

const HIDE_CURSOR = "\u001B[?25l"
const SHOW_CURSOR = "\u001B[?25h"
/** Often enough for tenths of a second to run, seldom enough to be calm. */
const REPAINT_MS = 200

export class Screen implements Disposable {
  readonly #terminal: Terminal
  readonly #lines: (size: Size) => readonly string[]
  readonly #paint: ReturnType<typeof createLogUpdate>
  readonly #timer: ReturnType<typeof setInterval>
  readonly #showCursor = (): void => void this.#terminal.write(SHOW_CURSOR)
  #open = true

  /** Paints what `lines` answers, now and several times a second. */
  constructor(terminal: Terminal, lines: (size: Size) => readonly string[]) {
    this.#terminal = terminal
    this.#lines = lines
    // The library would hide the cursor of stderr, which may be somebody else's.
    this.#paint = createLogUpdate(terminal, { showCursor: true })
    terminal.write(HIDE_CURSOR)
    process.on("exit", this.#showCursor)
    terminal.on("resize", this.repaint)
    this.#timer = setInterval(this.repaint, REPAINT_MS)
    this.repaint()
  }

  readonly repaint = (): void => {
    if (!this.#open) return
    const { columns = 80, rows = 24 } = this.#terminal
    // The last column and row stay free: some terminals wrap or scroll when they are written.
    const lines = this.#lines({ columns: Math.max(20, columns - 1), rows: Math.max(4, rows - 1) })
    this.#paint(lines.join("\n"))
  }

  /** Paints a last time and leaves the picture where it is. Safe to call twice. */
  close(): void {
    if (!this.#open) return
    this.repaint()
    this.#open = false
    clearInterval(this.#timer)
    this.#terminal.off("resize", this.repaint)
    process.off("exit", this.#showCursor)
    this.#paint.done()
    this.#showCursor()
  }

  [Symbol.dispose](): void {
    this.close()
  }
}
