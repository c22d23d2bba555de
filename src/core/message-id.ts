/*
 * OpenCode's ascending ids:
 *
 *   msg_ 204e40264 001 gy923rC4YUEvV9
 *        │         │   └ tail: 14 base62 characters
 *        │         └ counter within the millisecond, 12 bits
 *        └ epoch ms, its lowest 36 bits
 *
 * OpenCode compares them as text to tell what was said later. The 48 bits wrap every 2.18 years (next in October 2028),
 * for OpenCode's own ids and for these alike.
 */
const COUNTERS = 4096
const MS_WRAP = 2 ** 36
const WRAP = MS_WRAP * COUNTERS
const TAIL = 14

/** An id that sorts before all that the server makes in the same millisecond. */
export function messageID(timeMs: number, tail: string): string {
  return `msg_${hex(stampOf(timeMs))}${tail}`
}

/** The same for the message's text part. */
export function partID(timeMs: number, tail: string): string {
  return `prt_${hex(stampOf(timeMs))}${tail}`
}

/** Epoch ms modulo 2^36. */
export function timeOf(id: string): number {
  return Math.floor(stamp(id) / COUNTERS)
}

/** The smallest id with this tail after a given one. */
export function after(id: string, tail: string): string {
  const next = tail > id.slice(-TAIL) ? stamp(id) : (stamp(id) + 1) % WRAP
  return `msg_${hex(next)}${tail}`
}

function stampOf(timeMs: number): number {
  return (Math.floor(timeMs) % MS_WRAP) * COUNTERS
}

function stamp(id: string): number {
  return Number.parseInt(id.slice(4, 16), 16)
}

function hex(value: number): string {
  return value.toString(16).padStart(12, "0")
}
