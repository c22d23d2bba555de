import { Board } from "./board.ts"
import { laneBar } from "./lane-bar.ts"
import type { Colors, MaybeTerminal } from "./colors.ts"
import { colorsFor } from "./colors.ts"
import { plainLine, toolLine } from "./plain-lines.ts"
import type { Reporter, Watched } from "./reporter.ts"
import type { Summary } from "./summary.ts"
import { resultLines, verdictLine } from "./summary.ts"

const WIDTH = 100

/** A line for each thing that happens, with the time since the beginning in front. */
export class PlainReporter implements Reporter {
  readonly #out: NodeJS.WritableStream
  readonly #results: boolean
  readonly #colors: Colors
  readonly #start = performance.now()

  /** `results` false: the command prints them itself, elsewhere. */
  constructor(out: NodeJS.WritableStream & MaybeTerminal, { results = true }: { readonly results?: boolean } = {}) {
    this.#out = out
    this.#results = results
    this.#colors = colorsFor(out)
  }

  say(sentence: string): void {
    this.#out.write(`${sentence}\n`)
  }

  status(sentence: string): void {
    this.#stamped(sentence)
  }

  follow(watched: Watched): void {
    const board = new Board(watched.usage())
    const lanes = board.lanes.map((lane) => `${lane.lane} ${laneBar(lane, this.#colors)}`)
    this.#stamped(`lanes: ${lanes.join(", ")}`)
    const tools = new Map<string, string>()
    watched.on("*", (event) => {
      board.apply(event)
      const row = event.type === "task:progress" || event.type === "task:snapshot" ? watched.get(event.id) : undefined
      if (row?.lastTool !== undefined && row.lastTool !== tools.get(row.id)) {
        tools.set(row.id, row.lastTool)
        this.#stamped(toolLine(row.id, row.lastTool, board))
      }
      const line = plainLine(event, board)
      if (line !== undefined) this.#stamped(line)
    })
  }

  finish(summary: Summary): void {
    const results = this.#results ? resultLines(summary, WIDTH, this.#colors) : []
    const head = results.length > 0 ? ["", "Results", ...results] : []
    const lines = [...head, "", verdictLine(summary, this.#colors)]
    this.#out.write(`${lines.join("\n")}\n`)
  }

  #stamped(line: string): void {
    const seconds = ((performance.now() - this.#start) / 1000).toFixed(1)
    this.#out.write(`${seconds.padStart(5)}s  ${line}\n`)
  }

  [Symbol.dispose](): void {}
}
