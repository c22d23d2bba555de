/** Four unsigned 32-bit words. */
export type Words = readonly [number, number, number, number]

/**
 * 128 bits of a text: spread evenly, the same on every machine and in every version. Names and comparisons only, it keeps
 * no secret. Every step can be undone for a given character, so that no two texts meet by losing bits on the way.
 */
export function hash128(text: string): Words {
  let a = 0x9e37_79b9
  let b = 0x243f_6a88
  let c = 0xb7e1_5162
  let d = 0x6a09_e667
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    a = (turn(Math.imul(a ^ unit, 0x85eb_ca6b), 13) + b) | 0
    b = (turn(Math.imul(b ^ a, 0xc2b2_ae35), 17) + c) | 0
    c = (turn(Math.imul(c ^ unit, 0x27d4_eb2f), 11) + d) | 0
    d = (turn(Math.imul(d ^ c, 0x1656_67b1), 19) + a) | 0
  }
  a ^= text.length
  // What the last characters changed must reach every bit of every word.
  for (let round = 0; round < 3; round++) {
    a = stir(a + d)
    b = stir(b + a)
    c = stir(c + b)
    d = stir(d + c)
  }
  return [a >>> 0, b >>> 0, c >>> 0, d >>> 0]
}

/** A text in 32 hexadecimal characters, to see whether it changed. */
export function digestOf(text: string): string {
  return hash128(text)
    .map((word) => word.toString(16).padStart(8, "0"))
    .join("")
}

function turn(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits))
}

function stir(word: number): number {
  let mixed = word | 0
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x7feb_352d)
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x846c_a68b)
  return mixed ^ (mixed >>> 16)
}
