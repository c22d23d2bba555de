import { Board } from "./board.ts"
import { boardLines } from "./board-view.ts"
import type { Colors } from "./colors.ts"
import { colorsFor } from "./colors.ts"
import { cut, wrap } from "./columns.ts"
import { duration } from "./durations.ts"
import type { Reporter, Watched } from "./reporter.ts"
import { Screen } from "./screen.ts"
import type { Terminal } from "./screen.ts"
import type { Size } from "./size.ts"
import { sizeOf } from "./size.ts"
import type { Summary } from "./summary.ts"
import { resultLines, verdictLine } from "./summary.ts"

/** The board, painted over and over; what was said before stays above it, the results come below. */
export class LiveReporter implements Reporter {
  readonly #terminal: Terminal
  readonly #results: boolean
  readonly #colors: Colors
  readonly #start = performance.now()
  #screen: Screen | undefined
  #status = ""
  #board: Board | undefined
  #watched: Watched | undefined

  /** `results` false: the command prints them itself, elsewhere. */
  constructor(terminal: Terminal, { results = true }: { readonly results?: boolean } = {}) {
    this.#terminal = terminal
    this.#results = results
    this.#colors = colorsFor(terminal)
  }

  say(sentence: string): void {
    const text = wrap(sentence, this.#width)
      .map((line) => this.#colors.dim(line))
      .join("\n")
    if (this.#screen === undefined) this.#terminal.write(`${text}\n`)
    else this.#screen.print(text)
  }

  status(sentence: string): void {
    this.#status = sentence
    this.#screen ??= new Screen(this.#terminal, (size) => this.#lines(size))
    this.#screen.repaint()
  }

  follow(watched: Watched): void {
    const board = new Board(watched.usage())
    this.#board = board
    this.#watched = watched
    watched.on("*", (event) => board.apply(event))
  }

  finish(summary: Summary): void {
    this.#screen?.close()
    const width = this.#width
    const verdict = wrap(verdictLine(summary, this.#colors), width)
    const results = this.#results ? resultLines(summary, width, this.#colors) : []
    const lines = ["", ...results, ...(results.length > 0 ? [""] : []), ...verdict]
    this.#terminal.write(`${lines.join("\n")}\n`)
  }

  [Symbol.dispose](): void {
    this.#screen?.close()
  }

  get #width(): number {
    return Math.max(20, sizeOf(this.#terminal).columns - 1)
  }

  #lines({ columns, rows }: Size): string[] {
    const time = duration(performance.now() - this.#start)
    const status = `${cut(this.#status, columns - time.length - 2)}  ${this.#colors.dim(time)}`
    if (this.#board === undefined) return ["", status]
    for (const row of this.#watched?.list() ?? []) this.#board.look(row)
    const frame = { columns, rows: rows - 3, now: Date.now(), colors: this.#colors }
    return ["", status, "", ...boardLines(this.#board, frame)]
  }
}
