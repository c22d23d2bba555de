/** A strict reader of Prometheus' text format: what it would refuse or misread is thrown. */

export interface Family {
  readonly type: string
  readonly help: string
  /** Value by series: name and labels as `name{a="b"}`, labels unescaped and sorted. */
  readonly series: Map<string, number>
}

const NAME = "[a-zA-Z_:][a-zA-Z0-9_:]*"
const LABEL = `[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\\\\n]|\\\\["\\\\n])*"`
const SAMPLE = new RegExp(`^(${NAME})(?:\\{(${LABEL}(?:,${LABEL})*)\\})? (\\S+)$`)

export function readMetrics(text: string): Map<string, Family> {
  const families = new Map<string, Family>()
  let help: readonly [string, string] | undefined
  let name = ""
  if (!text.endsWith("\n")) throw new Error("The last line does not end")
  for (const line of text.slice(0, -1).split("\n")) {
    const [, kind, of = "", rest = ""] = new RegExp(`^# (HELP|TYPE) (${NAME}) (.+)$`).exec(line) ?? []
    if (kind === "HELP") {
      help = [of, rest]
    } else if (kind === "TYPE") {
      if (help?.[0] !== of) throw new Error(`No HELP before ${line}`)
      if (families.has(of)) throw new Error(`${of} comes twice`)
      if (!/^(counter|gauge|histogram)$/.test(rest)) throw new Error(`Unknown type: ${line}`)
      if ((rest === "counter") !== of.endsWith("_total")) throw new Error(`Counters alone end in _total: ${line}`)
      families.set((name = of), { type: rest, help: help[1], series: new Map() })
    } else sample(line, name, families.get(name))
  }
  for (const [of, family] of families) {
    if (family.series.size === 0) throw new Error(`${of} has no samples`)
    if (family.type === "histogram") checkHistogram(of, family)
  }
  return families
}

function sample(line: string, name: string, family: Family | undefined): void {
  const [, of = "", labels = "", value = ""] = SAMPLE.exec(line) ?? []
  const own = family?.type === "histogram" ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name]
  if (family === undefined || !own.includes(of)) throw new Error(`Not a sample of ${name}: ${line}`)
  const number = value === "+Inf" ? Number.POSITIVE_INFINITY : Number(value)
  if (Number.isNaN(number)) throw new Error(`Not a number: ${line}`)
  const series = `${of}{${[...labels.matchAll(new RegExp(LABEL, "g"))]
    .map(([label]) => label)
    .toSorted()
    .join()}}`
  if (family.series.has(series)) throw new Error(`Twice: ${series}`)
  family.series.set(series, number)
}

function checkHistogram(name: string, { series }: Family): void {
  const buckets = [...series].filter(([key]) => key.startsWith(`${name}_bucket{`))
  const bounds = buckets.map(([key]) => Number((/le="([^"]+)"/.exec(key)?.[1] ?? "").replace("+Inf", "Infinity")))
  if (bounds.some((bound, at) => at > 0 && bound <= (bounds[at - 1] ?? 0))) throw new Error(`${name}: bounds fall`)
  if (bounds.at(-1) !== Number.POSITIVE_INFINITY) throw new Error(`${name} has no bucket +Inf`)
  const counts = buckets.map(([, count]) => count)
  if (counts.some((count, at) => at > 0 && count < (counts[at - 1] ?? 0))) throw new Error(`${name}: counts fall`)
  if (counts.at(-1) !== series.get(`${name}_count{}`)) throw new Error(`${name}: count is not its last bucket`)
  if (!series.has(`${name}_sum{}`)) throw new Error(`${name} has no sum`)
}
