const LEVELS = "▁▂▃▄▅▆▇█"

/** How many of these moments lie in each of `columns` stretches of `stretchMs` before now, as a line of bars. */
export function spark(moments: Iterable<number>, columns: number, stretchMs: number, now: number): string {
  const counts = Array.from({ length: columns }, () => 0)
  for (const at of moments) {
    const column = columns - 1 - Math.floor((now - at) / stretchMs)
    if (column >= 0 && column < columns) counts[column] = (counts[column] ?? 0) + 1
  }
  const most = Math.max(1, ...counts)
  return counts.map((n) => (n === 0 ? " " : LEVELS[Math.ceil((n / most) * LEVELS.length) - 1])).join("")
}
