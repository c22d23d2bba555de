/** A stretch of time that is shown, epoch ms. */
export interface Span {
  readonly from: number
  readonly to: number
}

const SHORTEST = 2_000
const LONGEST = 30 * 86_400_000
/** Follow leaves this share of the width free, so that the newest end is seen. */
const AHEAD = 0.04

/** The last `length` ms, with a little room for what comes. */
export function ending(now: number, length: number): Span {
  const to = now + length * AHEAD
  return { from: to - length, to }
}

export function lengthOf({ from, to }: Span): number {
  return to - from
}

/** `factor` < 1 looks closer; the time at `share` of the width stays where it is. */
export function zoomed(span: Span, factor: number, share: number): Span {
  const length = clampLength(lengthOf(span) * factor)
  const fixed = span.from + lengthOf(span) * share
  return { from: fixed - length * share, to: fixed + length * (1 - share) }
}

export function clampLength(length: number): number {
  return Math.min(LONGEST, Math.max(SHORTEST, length))
}

export function moved(span: Span, ms: number): Span {
  return { from: span.from + ms, to: span.to + ms }
}

const STEPS = [
  1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 21_600, 43_200, 86_400, 172_800, 604_800,
].map((s) => s * 1_000)

/** Round times to draw lines at, about `wanted` of them. */
export function ticks(span: Span, wanted: number): { readonly at: readonly number[]; readonly step: number } {
  const step = STEPS.find((one) => lengthOf(span) / one <= wanted) ?? STEPS.at(-1) ?? 1
  const zone = new Date(span.from).getTimezoneOffset() * 60_000
  const at: number[] = []
  for (let time = Math.ceil((span.from - zone) / step) * step + zone; time <= span.to; time += step) at.push(time)
  return { at, step }
}
