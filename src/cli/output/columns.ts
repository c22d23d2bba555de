/** Text in columns: measured as a terminal shows it. */

/** The text in exactly `width` cells: cut with an ellipsis, or filled up with blanks on the side `align` leaves free. */
export function fit(text: string, width: number, align: "left" | "right" = "left"): string {
  const shown = cut(text, width)
  const blanks = " ".repeat(Math.max(0, width - Bun.stringWidth(shown)))
  return align === "left" ? shown + blanks : blanks + shown
}

/** The text in at most `width` cells. */
export function cut(text: string, width: number): string {
  if (Bun.stringWidth(text) <= width) return text
  let shown = ""
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    if (Bun.stringWidth(shown + segment) > width - 1) break
    shown += segment
  }
  return width > 0 ? `${shown}…` : ""
}

/** The text in lines of at most `width` cells, broken between words, and within a longer one. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  let line = ""
  for (const word of text.split(/\s+/).filter((part) => part !== "")) {
    const longer = line === "" ? word : `${line} ${word}`
    if (Bun.stringWidth(longer) <= width) line = longer
    else {
      if (line !== "") lines.push(line)
      const parts = broken(word, width)
      line = parts.pop() ?? ""
      lines.push(...parts)
    }
  }
  return line === "" ? lines : [...lines, line]
}

function broken(word: string, width: number): string[] {
  const parts: string[] = []
  let part = ""
  for (const { segment } of new Intl.Segmenter().segment(word)) {
    if (part !== "" && Bun.stringWidth(part + segment) > width) {
      parts.push(part)
      part = ""
    }
    part += segment
  }
  return [...parts, part]
}

/** Text from a model or a user as harmless printable text on one line. */
export function printable(text: string): string {
  return Bun.stripANSI(text)
    .replace(/\s+/g, " ")
    .replace(/\p{Cc}|\p{Cf}/gu, "")
    .trim()
}
