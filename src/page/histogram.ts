/** A Prometheus histogram of one quantity: counts per bound, cumulative when printed. */
export class Histogram {
  readonly #bounds: readonly number[]
  readonly #counts: number[]
  #sum = 0

  /** `bounds` ascending; what is above the last one counts as +Inf. */
  constructor(bounds: readonly number[]) {
    this.#bounds = bounds
    this.#counts = Array.from({ length: bounds.length + 1 }, () => 0)
  }

  observe(value: number): void {
    const at = this.#bounds.findIndex((bound) => value <= bound)
    const index = at < 0 ? this.#bounds.length : at
    this.#counts[index] = (this.#counts[index] ?? 0) + 1
    this.#sum += value
  }

  lines(name: string, labels: string = ""): string[] {
    const comma = labels === "" ? "" : `${labels},`
    let sum = 0
    const buckets = this.#counts.map((count, at) => {
      sum += count
      return `${name}_bucket{${comma}le="${this.#bounds[at] ?? "+Inf"}"} ${sum}`
    })
    const braces = labels === "" ? "" : `{${labels}}`
    return [...buckets, `${name}_sum${braces} ${this.#sum}`, `${name}_count${braces} ${sum}`]
  }
}
