import { hash128 } from "./digest.ts"

const BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
const LENGTH = 14

/**
 * The last 14 characters of an OpenCode id (83 bits), made from a name instead of chance: whoever sends the same thing
 * again, on whatever machine, sends it under the same id.
 */
export function tailOf(seed: string): string {
  const [a, b, c, d] = hash128(seed)
  let rest = (BigInt(a) << 96n) | (BigInt(b) << 64n) | (BigInt(c) << 32n) | BigInt(d)
  let tail = ""
  for (let i = 0; i < LENGTH; i++) {
    tail += BASE62.charAt(Number(rest % 62n))
    rest /= 62n
  }
  return tail
}
