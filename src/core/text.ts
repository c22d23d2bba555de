/** Keeps head and tail of a long text around a marked gap; the result has at most `max` characters plus the mark. */
export function cutMiddle(text: string, max: number): { text: string; cut: boolean } {
  if (text.length <= max) return { text, cut: false }
  const head = wholeEnd(text, Math.ceil(max / 2))
  const tail = wholeStart(text, text.length - Math.floor(max / 2))
  return {
    text: `${text.slice(0, head)}\n\n[… ${tail - head} characters left out …]\n\n${text.slice(tail)}`,
    cut: true,
  }
}

/** The first line or so of a text, on one line. */
export function oneLine(text: string, max: number): string {
  const flat = text.replace(/\s+/g, " ").trim()
  return flat.length <= max ? flat : `${flat.slice(0, wholeEnd(flat, max - 1))}…`
}

/** Never between the halves of a surrogate pair. */
function wholeEnd(text: string, at: number): number {
  return isHigh(text, at - 1) ? at - 1 : at
}

function wholeStart(text: string, at: number): number {
  return isHigh(text, at - 1) ? at + 1 : at
}

function isHigh(text: string, at: number): boolean {
  const code = text.charCodeAt(at)
  return code >= 0xd800 && code <= 0xdbff
}
