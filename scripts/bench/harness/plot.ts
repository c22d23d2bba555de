import type { Plot } from "./answer.ts"

const WIDTH = 720
const LEFT = 250
const RIGHT = 110
const LINE = 26

/** Horizontal bars; ours in green. */
export function svg({ title, unit, log, bars }: Plot): string {
  const values = bars.map(({ value }) => value)
  const top = Math.max(...values)
  const least = Math.min(...values.filter((value) => value > 0))
  const from = log ? Math.log10(least) - 0.3 : 0
  const to = log ? Math.log10(top) : top
  const wide = (value: number): number => {
    if (!(value > 0)) return 1
    return Math.max(1, (((log ? Math.log10(value) : value) - from) / (to - from || 1)) * (WIDTH - LEFT - RIGHT))
  }
  const height = bars.length * LINE + 44
  const lines = bars.map(({ name, value, ours }, i) => {
    const y = 34 + i * LINE
    const width = wide(value)
    return [
      `<text x="${LEFT - 8}" y="${y + 13}" text-anchor="end">${escaped(name)}</text>`,
      `<rect x="${LEFT}" y="${y}" width="${width.toFixed(1)}" height="${LINE - 8}" fill="${ours ? "#0a7" : "#999"}"/>`,
      `<text x="${(LEFT + width + 6).toFixed(1)}" y="${y + 13}">${value.toLocaleString("en", { maximumSignificantDigits: 3 })} ${escaped(unit)}</text>`,
    ].join("")
  })
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" font-family="sans-serif" font-size="13">`,
    `<rect width="100%" height="100%" fill="white"/>`,
    `<text x="8" y="20" font-weight="bold">${escaped(title)}${log ? " (logarithmic)" : ""}</text>`,
    ...lines,
    "</svg>",
    "",
  ].join("\n")
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;")
}
