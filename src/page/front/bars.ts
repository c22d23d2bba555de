import { html } from "htm/preact"
import type { VNode } from "preact"

import type { TaskState } from "../../core/task.ts"
import type { MarkKind, WireHistory, WireTask } from "../wire.ts"
import { clock, duration } from "./format.ts"
import { STATE_WORDS } from "./icons.ts"
import type { Span } from "./scale.ts"
import { lengthOf } from "./scale.ts"

export interface BarsProps {
  readonly task: WireTask
  readonly history: WireHistory
  readonly span: Span
  readonly width: number
  readonly height: number
  readonly now: number
}

const THICK = 12
const THIN = 3
/** A run of no time is still seen. */
const LEAST = 3

/** Marks are shapes as well as colours. */
const SHAPES: Readonly<Record<MarkKind, (x: number, y: number) => string>> = {
  tool: (x, y) => `M${x} ${y - 3}v6`,
  nudge: (x, y) => `M${x} ${y - 4}l4 4-4 4-4-4z`,
  retry: (x, y) => `M${x} ${y - 4}l4 7h-8z`,
  permission: (x, y) => `M${x - 3.5} ${y - 3.5}h7v7h-7z`,
  attempt: (x, y) => `M${x - 3.5} ${y - 3.5}l7 7M${x + 3.5} ${y - 3.5}l-7 7`,
}
const ENDS: Partial<Record<TaskState, (x: number, y: number) => string>> = {
  completed: (x, y) => `M${x + 4} ${y}l3 3 5-6`,
  error: (x, y) => `M${x + 5} ${y - 3}l6 6M${x + 11} ${y - 3}l-6 6`,
  cancelled: (x, y) => `M${x + 5} ${y}h6`,
}

/** A task on the time-line: thin while it waited, thick while it ran, marks for what happened, and how it ended. */
export function Bars({ task, history, span, width, height, now }: BarsProps): VNode {
  const x = (at: number): number => ((at - span.from) / lengthOf(span)) * width
  const y = Math.round(height / 2)
  const end = task.settledAt ?? now
  const parts: VNode[] = []
  const stretch = (from: number, to: number, thick: number, look: string, title: string): void => {
    const left = Math.max(-4, x(from))
    const right = Math.min(width + 4, Math.max(x(to), x(from) + LEAST))
    if (right < 0 || left > width) return
    parts.push(
      html`<rect
        class=${look}
        x=${left}
        y=${y - thick / 2}
        width=${Math.max(LEAST, right - left)}
        height=${thick}
        rx=${Math.min(3, thick / 2)}
        ><title>${title}</title></rect
      >`,
    )
  }
  const run = (queued: number, started: number | undefined, over: number, state: TaskState, past: string): void => {
    stretch(queued, started ?? over, THIN, `wait ${past}`, `waited ${duration((started ?? over) - queued)}`)
    if (started === undefined) return
    stretch(
      started,
      over,
      THICK,
      `run ${state} ${past}`,
      `${STATE_WORDS[state]}, ${duration(over - started)} from ${clock(started)}`,
    )
  }
  for (const [queued, started, settled, state] of history.past)
    run(queued, started ?? undefined, settled, state, "past")
  run(task.queuedAt, task.startedAt, end, task.state, "")

  let last = Number.NEGATIVE_INFINITY
  for (const [at, kind, word] of history.marks) {
    const mark = x(at)
    // Marks that would lie on one another say no more than one.
    if (mark < -4 || mark > width + 4 || (kind === "tool" && mark - last < 3)) continue
    if (kind === "tool") last = mark
    parts.push(
      html`<path class=${`mark ${kind}`} d=${SHAPES[kind](mark, y)}><title>${`${word}, ${clock(at)}`}</title></path>`,
    )
  }
  const ending = ENDS[task.state]
  if (ending !== undefined) {
    const at = Math.max(x(end), x(task.startedAt ?? task.queuedAt) + LEAST)
    if (at > -16 && at < width) parts.push(html`<path class=${`end ${task.state}`} d=${ending(at, y)} />`)
  }
  if (x(end) < -12)
    parts.push(
      html`<path class="beyond" d=${`M8 ${y - 4}l-4 4 4 4`}><title>earlier: ended ${clock(end)}</title></path>`,
    )
  if (x(task.queuedAt) > width + 4)
    parts.push(html`<path class="beyond" d=${`M${width - 8} ${y - 4}l4 4-4 4`}><title>later</title></path>`)
  return html`<svg class="bars" width=${width} height=${height} aria-hidden="true">${parts}</svg>`
}
