import type { HostConfig } from "../host-shapes.ts"

/** How much text there may be. */
export interface Room {
  /** In UTF-8. */
  readonly bytes: number
  /** Line breaks: one less than lines. */
  readonly breaks: number
}

/**
 * What OpenCode lets through of a tool's answer: up to 51,200 bytes and 2,000 lines, or what `tool_output` in its
 * configuration says (1.18.33: measured to the byte and the line). Of a longer one it keeps the first whole lines: of one
 * long line nothing.
 */
export function roomOf({ tool_output: limits }: HostConfig): Room {
  // With less an answer of ours is little more than its frame.
  return {
    bytes: Math.max(2_000, limits?.max_bytes ?? 51_200),
    breaks: Math.max(50, limits?.max_lines ?? 2_000) - 1,
  }
}

/** What a text leaves of a room. */
export function less({ bytes, breaks }: Room, text: string): Room {
  return { bytes: bytes - Buffer.byteLength(text), breaks: breaks - (text.split("\n").length - 1) }
}

export function fits(text: string, room: Room): boolean {
  const { bytes, breaks } = less(room, text)
  return bytes >= 0 && breaks >= 0
}

const GAP = "\n\n[… the middle is left out …]\n\n"

/** A text as it is, or its beginning and its end around a marked gap. */
export function within(text: string, room: Room): string {
  if (fits(text, room)) return text
  const { bytes, breaks } = less(room, GAP)
  const half = { bytes: Math.floor(bytes / 2), breaks: Math.floor(breaks / 2) }
  const tail = taken(Array.from(text.slice(-bytes)).toReversed(), half)
  return `${text.slice(0, endIn(text, 0, half))}${GAP}${text.slice(text.length - tail)}`
}

/** Where what begins there must end. */
export function endIn(text: string, at: number, room: Room): number {
  return at + taken(text.slice(at, at + Math.max(0, room.bytes)), room)
}

/** Length of the first characters that have room; none is halved. */
function taken(characters: Iterable<string>, { bytes, breaks }: Room): number {
  let length = 0
  for (const character of characters) {
    bytes -= Buffer.byteLength(character)
    if (character === "\n") breaks -= 1
    if (bytes < 0 || breaks < 0) break
    length += character.length
  }
  return length
}
