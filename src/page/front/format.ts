/** `Xh Ym Zs`, the larger two of them; tenths below ten seconds. */
export function duration(ms: number): string {
  const given = Math.max(0, ms)
  if (given < 50) return "0s"
  if (given < 10_000) return `${(given / 1000).toFixed(1)}s`
  const seconds = Math.round(given / 1000)
  const h = Math.floor(seconds / 3600)
  const m = Math.floor((seconds % 3600) / 60)
  const s = seconds % 60
  if (h > 0) return m > 0 ? `${h}h ${m}m` : `${h}h`
  return m > 0 ? (s > 0 ? `${m}m ${s}s` : `${m}m`) : `${s}s`
}

/** With its thousands apart. */
export function whole(n: number): string {
  return n.toLocaleString("en")
}

export function count(n: number): string {
  if (n < 1_000) return String(n)
  if (n < 1_000_000) return `${trim(n / 1_000)}k`
  return `${trim(n / 1_000_000)}M`
}

const trim = (n: number): string => (n < 10 ? n.toFixed(1).replace(/\.0$/, "") : String(Math.round(n)))

export function money(cost: number): string {
  if (cost === 0) return "$0"
  if (cost < 0.0001) return "<$0.0001"
  return cost < 0.01 ? `$${cost.toFixed(4)}` : `$${cost.toFixed(2)}`
}

/** Time of day, of the reader's clock and zone. */
export function clock(at: number, withSeconds: boolean = true): string {
  const date = new Date(at)
  const two = (n: number): string => String(n).padStart(2, "0")
  return `${two(date.getHours())}:${two(date.getMinutes())}${withSeconds ? `:${two(date.getSeconds())}` : ""}`
}

export function plural(n: number, word: string): string {
  return `${n} ${word}${n === 1 ? "" : "s"}`
}
