import type { Witness } from "./truth.ts"

type Heard = keyof Witness
type Words<What extends Heard> = Parameters<Required<Witness>[What]>

/** Everybody who listens in a simulation, by what they listen to: most are told of little, and there is much to tell. */
export class Audience {
  readonly #listeners = new Map<Heard, ((...words: never[]) => void)[]>()

  constructor(witnesses: readonly Witness[]) {
    for (const witness of witnesses) {
      for (const what of Object.keys(witness) as Heard[]) {
        const listens = witness[what]
        if (listens === undefined) continue
        const others = this.#listeners.get(what)
        if (others === undefined) this.#listeners.set(what, [listens])
        else others.push(listens)
      }
    }
  }

  tell<What extends Heard>(what: What, ...words: Words<What>): void {
    const listeners = this.#listeners.get(what)
    if (listeners === undefined) return
    for (const listens of listeners as ((...words: Words<What>) => void)[]) listens(...words)
  }
}
