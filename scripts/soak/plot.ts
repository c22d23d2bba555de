import type { Sample } from "./flat.ts"

/** One line of the plot. */
interface Line {
  readonly of: Exclude<keyof Sample, "atMs">
  readonly title: string
  readonly unit: string
}

const LINES: readonly Line[] = [
  { of: "rssMb", title: "memory", unit: "MB" },
  { of: "heapMb", title: "heap", unit: "MB" },
  { of: "handles", title: "handles", unit: "" },
  { of: "threads", title: "threads", unit: "" },
  { of: "tasks", title: "tasks kept", unit: "" },
  { of: "entries", title: "map entries", unit: "" },
  { of: "walKb", title: "log of the journal", unit: "kB" },
  { of: "fileKb", title: "journal", unit: "kB" },
]

const WIDTH = 640
const HEIGHT = 46
const LEFT = 130
const RIGHT = 90

/** Small plots, one above the other, each from zero to its own highest. */
export function plot(samples: readonly Sample[]): string {
  const end = samples.at(-1)?.atMs ?? 1
  const rows = LINES.map(({ of, title, unit }, i) => {
    const values = samples.map((sample) => sample[of])
    const top = Math.max(1, ...values)
    const y = (value: number): number => HEIGHT - 8 - (value / top) * (HEIGHT - 16)
    const points = samples.map(
      (sample) => `${(LEFT + (sample.atMs / end) * (WIDTH - LEFT - RIGHT)).toFixed(1)},${y(sample[of]).toFixed(1)}`,
    )
    const last = values.at(-1) ?? 0
    return [
      `<g transform="translate(0 ${i * HEIGHT + 20})">`,
      `<text x="0" y="${HEIGHT / 2 + 4}">${title}</text>`,
      `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${HEIGHT - 8}" y2="${HEIGHT - 8}" stroke="#ccc"/>`,
      `<polyline fill="none" stroke="#0a7" stroke-width="1.5" points="${points.join(" ")}"/>`,
      `<text x="${WIDTH - RIGHT + 8}" y="${HEIGHT / 2 + 4}">${last.toLocaleString("en")} ${unit}</text>`,
      "</g>",
    ].join("")
  })
  const height = LINES.length * HEIGHT + 40
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" font-family="sans-serif" font-size="12">`,
    `<rect width="100%" height="100%" fill="white"/>`,
    `<text x="0" y="14" font-weight="bold">${(end / 60_000).toFixed(1)} minutes, ${samples.at(-1)?.live ?? 0} tasks in flight, ${samples.at(-1)?.settled ?? 0} done</text>`,
    ...rows,
    "</svg>",
    "",
  ].join("\n")
}

/** The middle value of the second quarter and of the last: what grew after warm-up. */
export function growth(
  samples: readonly Sample[],
): { readonly title: string; readonly early: number; readonly late: number }[] {
  const quarter = Math.max(1, Math.floor(samples.length / 4))
  const middle = (of: Line["of"], part: readonly Sample[]): number =>
    part.map((sample) => sample[of]).toSorted((a, b) => a - b)[Math.floor(part.length / 2)] ?? 0
  return LINES.map(({ of, title, unit }) => ({
    title: unit === "" ? title : `${title} (${unit})`,
    early: middle(of, samples.slice(quarter, 2 * quarter)),
    late: middle(of, samples.slice(-quarter)),
  }))
}
