import { resolve } from "node:path"

import type { HostFact, HostOptions, HostOrder } from "./host-words.ts"

type FactOf<T extends HostFact["type"]> = Extract<HostFact, { type: T }>

/** The host program as its killer sees it. */
export class HostProcess implements AsyncDisposable {
  readonly facts: HostFact[] = []
  readonly #child: Bun.Subprocess<"pipe", "pipe", "pipe">
  readonly #watchers = new Set<() => void>()
  #errors = ""
  #ended = false

  constructor(options: HostOptions) {
    this.#child = Bun.spawn([process.execPath, resolve(import.meta.dir, "host.ts"), JSON.stringify(options)], {
      stdin: "pipe",
      stdout: "pipe",
      stderr: "pipe",
    })
    void this.#listen()
    void this.#complain()
  }

  get pid(): number {
    return this.#child.pid
  }

  get errors(): string {
    return this.#errors
  }

  order(order: HostOrder): void {
    void this.#child.stdin.write(`${JSON.stringify(order)}\n`)
    void this.#child.stdin.flush()
  }

  /** The first fact of a kind that fits, said from now on or before. */
  async until<T extends HostFact["type"]>(
    type: T,
    fits: (fact: FactOf<T>) => boolean = () => true,
    from = 0,
    limitMs = 120_000,
  ): Promise<FactOf<T>> {
    const { promise, resolve: found, reject } = Promise.withResolvers<FactOf<T>>()
    const look = (): void => {
      const fact = this.facts
        .slice(from)
        .find((each): each is FactOf<T> => each.type === type && fits(each as FactOf<T>))
      if (fact !== undefined) found(fact)
      else if (this.#ended) reject(new Error(`The host ended before it said "${type}". ${this.#errors}`))
    }
    const timer = setTimeout(
      () => reject(new Error(`The host has not said "${type}" for ${limitMs} ms. ${this.#errors}`)),
      limitMs,
    )
    this.#watchers.add(look)
    look()
    try {
      return await promise
    } finally {
      clearTimeout(timer)
      this.#watchers.delete(look)
    }
  }

  /** Asks, and waits for the answer. */
  ask<T extends HostFact["type"]>(order: HostOrder, type: T): Promise<FactOf<T>> {
    const from = this.facts.length
    this.order(order)
    return this.until(type, () => true, from)
  }

  /** kill -9, and everything it had said before. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL")
    await this.#child.exited
    while (!this.#ended) await Bun.sleep(1)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
  }

  async #listen(): Promise<void> {
    const decoder = new TextDecoder()
    let rest = ""
    for await (const chunk of this.#child.stdout) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n")
      rest = lines.pop() ?? ""
      for (const line of lines) this.facts.push(JSON.parse(line) as HostFact)
      for (const look of this.#watchers) look()
    }
    this.#ended = true
    for (const look of this.#watchers) look()
  }

  async #complain(): Promise<void> {
    const decoder = new TextDecoder()
    for await (const chunk of this.#child.stderr)
      this.#errors = (this.#errors + decoder.decode(chunk, { stream: true })).slice(-4_000)
  }
}
