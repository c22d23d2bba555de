/** Rounds taken in turns, and what is said of them. */

/** The value below which the fraction `p` lies. */
export function quantile(values: readonly number[], p: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(p * sorted.length))] ?? Number.NaN
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5)
}

/** Half the distance between the quartiles. */
export function halfSpread(values: readonly number[]): number {
  return (quantile(values, 0.75) - quantile(values, 0.25)) / 2
}

/** The same in percent of the median. */
export function spread(values: readonly number[]): string {
  return `± ${((halfSpread(values) / median(values)) * 100).toFixed(0)} %`
}

/** Contenders by name; each measures once and answers a number, or what it measured. */
export type Contenders<T> = Readonly<Record<string, () => T | Promise<T>>>

/**
 * All contenders in turns, so that a slow minute of the machine hits all of them; each round begins with another one. The
 * first round warms up and does not count.
 */
export async function inTurns<T>(
  contenders: Contenders<T>,
  rounds: number,
  warmUp = true,
): Promise<Readonly<Record<string, Exclude<T, undefined>[]>>> {
  const names = Object.keys(contenders)
  const results: Record<string, Exclude<T, undefined>[]> = Object.fromEntries(names.map((name) => [name, []]))
  for (let round = warmUp ? -1 : 0; round < rounds; round++) {
    for (let i = 0; i < names.length; i++) {
      const name = names[(i + round + names.length) % names.length] ?? ""
      Bun.gc(true)
      const result = await contenders[name]?.()
      if (round >= 0 && result !== undefined) results[name]?.push(result as Exclude<T, undefined>)
    }
  }
  return results
}

export function ms(value: number): string {
  if (!Number.isFinite(value)) return "–"
  if (value < 10) return `${value.toFixed(2)} ms`
  return value < 10_000 ? `${value.toFixed(0)} ms` : `${(value / 1_000).toFixed(1)} s`
}

export function count(value: number): string {
  if (!Number.isFinite(value)) return "–"
  return value < 10 ? value.toFixed(2) : Math.round(value).toLocaleString("en")
}

export function times(value: number): string {
  return `${value < 10 ? value.toFixed(2) : value.toFixed(0)} ×`
}
