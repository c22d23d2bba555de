/**
 * Chance that can be asked again: a throw depends on the seed and on what it is for, never on what was thrown before. Leaving
 * a task or a kind of fault out of a simulation changes no other throw, which is what makes shrinking work.
 */
export class Dice {
  readonly #seed: number
  readonly #kinds = new Map<string, number>()

  constructor(seed: number) {
    this.#seed = stir(seed ^ 0x9e37_79b9)
  }

  /** In [0, 1). */
  unit(kind: string, of: number, n = 0): number {
    let hash = this.#kind(kind)
    hash = stir(hash ^ Math.imul(of + 1, 0x85eb_ca6b))
    hash = stir(hash ^ Math.imul(n + 1, 0xc2b2_ae35))
    return (hash >>> 0) / 4_294_967_296
  }

  /** In [min, max]; a whole number. */
  whole(min: number, max: number, kind: string, of: number, n = 0): number {
    return min + Math.floor(this.unit(kind, of, n) * (max - min + 1))
  }

  chance(probability: number, kind: string, of: number, n = 0): boolean {
    return probability > 0 && this.unit(kind, of, n) < probability
  }

  pick<T>(from: readonly [T, ...T[]], kind: string, of: number, n = 0): T {
    return from[this.whole(0, from.length - 1, kind, of, n)] ?? from[0]
  }

  #kind(kind: string): number {
    let hash = this.#kinds.get(kind)
    if (hash !== undefined) return hash
    hash = this.#seed
    for (let i = 0; i < kind.length; i++) hash = stir(hash ^ kind.charCodeAt(i))
    this.#kinds.set(kind, hash)
    return hash
  }
}

function stir(word: number): number {
  let mixed = word | 0
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x7feb_352d)
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x846c_a68b)
  return mixed ^ (mixed >>> 16)
}
