import { html } from "htm/preact"
import type { VNode } from "preact"
import { useMemo } from "preact/hooks"

import type { WireTask } from "../wire.ts"
import { clock } from "./format.ts"
import type { Span } from "./scale.ts"
import { lengthOf, ticks } from "./scale.ts"

const COLUMN = 3
/** A time nearer to the edge would be cut. */
const EDGE = 26

/** How many ran, and how many waited, at `columns` times of a span. Each task adds at two places; the sums do the rest. */
function levels(
  tasks: readonly WireTask[],
  span: Span,
  columns: number,
  now: number,
): { running: number[]; waiting: number[] } {
  const running = Array.from({ length: columns + 1 }, () => 0)
  const waiting = Array.from({ length: columns + 1 }, () => 0)
  const column = (at: number): number =>
    Math.min(columns, Math.max(0, Math.floor(((at - span.from) / lengthOf(span)) * columns)))
  const add = (to: number[], from: number, until: number): void => {
    if (until < span.from || from > span.to || until <= from) return
    const [first, last] = [column(from), Math.max(column(from) + 1, column(until))]
    to[first] = (to[first] ?? 0) + 1
    if (last <= columns) to[last] = (to[last] ?? 0) - 1
  }
  for (const { queuedAt, startedAt, settledAt } of tasks) {
    add(waiting, queuedAt, startedAt ?? settledAt ?? now)
    if (startedAt !== undefined) add(running, startedAt, settledAt ?? now)
  }
  for (const of of [running, waiting]) for (let at = 1; at < columns; at++) of[at] = (of[at] ?? 0) + (of[at - 1] ?? 0)
  return { running: running.slice(0, columns), waiting: waiting.slice(0, columns) }
}

interface LoadProps {
  readonly tasks: readonly WireTask[]
  readonly span: Span
  readonly width: number
  readonly height: number
  readonly now: number
}

/** The axis: times, and above them how many ran and how many waited. */
export function Load({ tasks, span, width, height, now }: LoadProps): VNode {
  const columns = Math.max(1, Math.floor(width / COLUMN))
  const { running, waiting } = useMemo(() => levels(tasks, span, columns, now), [tasks, span, columns])
  const most = Math.max(1, ...running.map((n, at) => n + (waiting[at] ?? 0)))
  const room = height - 20
  const area = (of: (at: number) => number): string => {
    let path = `M0 ${room}`
    for (let at = 0; at < columns; at++) {
      const y = room - (of(at) / most) * (room - 12)
      path += `L${at * COLUMN} ${y.toFixed(1)}L${(at + 1) * COLUMN} ${y.toFixed(1)}`
    }
    return `${path}L${columns * COLUMN} ${room}Z`
  }
  const { at: times, step } = ticks(span, Math.max(2, width / 110))
  const x = (at: number): number => ((at - span.from) / lengthOf(span)) * width
  return html`<svg
    class="load"
    width=${width}
    height=${height}
    role="img"
    aria-label=${`At most ${Math.max(0, ...running)} tasks at once in the time shown`}
  >
    <path class="waiting" d=${area((at) => (running[at] ?? 0) + (waiting[at] ?? 0))} />
    <path class="running" d=${area((at) => running[at] ?? 0)} />
    ${most > 1 ? html`<text class="most" x="4" y="10">${most}</text>` : null}
    ${times.map((at) => html`<g key=${at}><line x1=${x(at)} x2=${x(at)} y1=${room} y2=${room + 4} />${x(at) < EDGE || x(at) > width - EDGE ? null : html`<text x=${x(at)} y=${height - 4} text-anchor="middle">${clock(at, step < 60_000)}</text>`}</g>`)}
  </svg>`
}

/** Lines through all rows at the axis's times, and one for now. */
export function Grid({ span, width, height, now }: Omit<LoadProps, "tasks">): VNode {
  const x = (at: number): number => ((at - span.from) / lengthOf(span)) * width
  const { at: times } = ticks(span, Math.max(2, width / 110))
  return html`<svg class="grid" width=${width} height=${height} aria-hidden="true">
    ${times.map((at) => html`<line key=${at} x1=${x(at)} x2=${x(at)} y1="0" y2=${height} />`)}
    ${now < span.to && now > span.from ? html`<line class="now" x1=${x(now)} x2=${x(now)} y1="0" y2=${height} />` : null}
  </svg>`
}
