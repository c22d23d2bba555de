/** What a benchmark hands in; tables and plots are made of it. */

/** One line of a table; numbers were formatted by whoever measured them. */
type Row = readonly string[]

interface Table {
  readonly title: string
  /** What was done, so that a stranger could do it again. */
  readonly how: string
  readonly head: Row
  readonly rows: readonly Row[]
}

/** A bound that was set before measuring. */
interface Goal {
  readonly goal: string
  readonly measured: string
  readonly reached: boolean
}

/** Bars of one unit, on a linear scale unless `log`. */
export interface Plot {
  readonly title: string
  readonly unit: string
  readonly log?: boolean
  readonly bars: readonly { readonly name: string; readonly value: number; readonly ours: boolean }[]
}

export interface Answer {
  readonly tables: readonly Table[]
  readonly goals: readonly Goal[]
  /** What limits it, what is odd. */
  readonly notes: readonly string[]
  readonly plot?: Plot
  /** Numbers that other documents quote, by name. */
  readonly facts?: Readonly<Record<string, number>>
}

export interface Question {
  readonly title: string
  ask(how: { readonly quick: boolean }): Promise<Answer>
}

/** A check that the work really happened; a benchmark that fails it has no result. */
export function verify(truth: boolean, what: string): asserts truth {
  if (!truth) throw new Error(`The work did not happen: ${what}`)
}
