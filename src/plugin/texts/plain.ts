/** Pieces all answers are made of. */

/** `2h 3m 4s`, without what is zero in front. */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000))
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60]
  if (h > 0) return `${h}h ${m}m ${s}s`
  return m > 0 ? `${m}m ${s}s` : `${s}s`
}

/** A foreign text on one line that ends no table cell, code span or element. */
export function inert(text: string, max = 200): string {
  const flat = text
    .replace(/[\s\p{Cc}\p{Cf}]+/gu, " ")
    .trim()
    .replaceAll("`", "'")
    .replaceAll("<", "‹")
    .replaceAll(">", "›")
  return shortened(flat, max)
}

/** The same for a cell of a Markdown table. */
export function cell(text: string, max = 200): string {
  return inert(text, max).replaceAll("\\", "\\\\").replaceAll("|", "\\|")
}

/** The beginning of a text; never half a character. */
export function shortened(text: string, max: number): string {
  return text.length <= max ? text : `${text.slice(0, whole(text, max - 1))}…`
}

/** Where to cut at or just before a place, between two characters. */
function whole(text: string, at: number): number {
  const code = text.charCodeAt(at - 1)
  return code >= 0xd800 && code <= 0xdbff ? at - 1 : at
}
