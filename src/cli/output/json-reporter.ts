import type { Reporter, Streams, Watched } from "./reporter.ts"
import type { Summary } from "./summary.ts"

/** One JSON object per event on stdout and the summary last; words for people go to stderr. */
export class JsonReporter implements Reporter {
  readonly #streams: Streams

  constructor(streams: Streams) {
    this.#streams = streams
  }

  say(sentence: string): void {
    this.#streams.stderr.write(`${sentence}\n`)
  }

  status(): void {}

  follow(watched: Watched): void {
    watched.on("*", (event) => this.#print(event))
  }

  finish(summary: Summary): void {
    this.#print(summary)
  }

  #print(value: object): void {
    this.#streams.stdout.write(`${JSON.stringify(value)}\n`)
  }

  [Symbol.dispose](): void {}
}
