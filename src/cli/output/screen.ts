/** One part of a terminal that is painted over and over, and a cursor that comes back however we end. */

import { createLogUpdate } from "log-update"
import type { Size } from "./size.ts"
import { sizeOf } from "./size.ts"

/** A terminal to paint on. */
export interface Terminal extends NodeJS.WritableStream {
  readonly isTTY?: boolean
  readonly columns?: number
  readonly rows?: number
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
    // The library would take a size of 0 at its word, and hide the cursor of stderr, which may be somebody else's.
    const sized = {
      isTTY: terminal.isTTY,
      write: (text: string) => terminal.write(text),
      get columns() {
        return sizeOf(terminal).columns
      },
      get rows() {
        return sizeOf(terminal).rows
      },
    }
    this.#paint = createLogUpdate(sized as unknown as Terminal, { showCursor: true })
    terminal.write(HIDE_CURSOR)
    process.on("exit", this.#showCursor)
    terminal.on("resize", this.repaint)
    this.#timer = setInterval(this.repaint, REPAINT_MS)
    this.repaint()
  }

  readonly repaint = (): void => {
    if (!this.#open) return
    const { columns, rows } = sizeOf(this.#terminal)
    // The last column and row stay free: some terminals wrap or scroll when they are written.
    const lines = this.#lines({ columns: Math.max(20, columns - 1), rows: Math.max(4, rows - 1) })
    this.#paint(lines.join("\n"))
  }

  /** Writes what is to stay above the picture. */
  print(text: string): void {
    if (!this.#open) return void this.#terminal.write(`${text}\n`)
    this.#paint.persist(text)
    this.repaint()
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
