import { hash128 } from "./digest.ts"

const BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
const LENGTH = 14
const WORD = 2 ** 32

/**
 * The last 14 characters of an OpenCode id (83 bits), made from a name instead of chance: whoever sends the same thing
 * again, on whatever machine, sends it under the same id.
 */
export function tailOf(seed: string): string {
  const words = [...hash128(seed)]
  let tail = ""
  while (tail.length < LENGTH) tail += BASE62.charAt(divide(words, BASE62.length))
  return tail
}

/** Divides a number of 32-bit words, most significant first, in place; returns the rest. Big integers take much longer. */
function divide(words: number[], by: number): number {
  let rest = 0
  for (let i = 0; i < words.length; i++) {
    const whole = rest * WORD + (words[i] ?? 0)
    words[i] = Math.floor(whole / by)
    rest = whole % by
  }
  return rest
}
