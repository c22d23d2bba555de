import { Component, html } from "htm/preact"
import type { VNode } from "preact"

import type { WireHistory, WireTask } from "../wire.ts"
import { Bars } from "./bars.ts"
import { duration } from "./format.ts"
import { STATE_WORDS, stateIcon } from "./icons.ts"
import type { Span } from "./scale.ts"

export interface RowProps {
  readonly task: WireTask
  readonly history: WireHistory
  readonly span: Span
  readonly width: number
  readonly barHeight: number
  readonly height: number
  readonly now: number
  readonly index: number
  readonly size: number
  readonly active: boolean
  readonly open: boolean
  readonly onOpen: (id: string) => void
}

/** What the right end of a label says: the time that matters in this state. */
function timeOf(task: WireTask, now: number): string {
  if (task.state === "pending") return duration(now - task.queuedAt)
  if (task.startedAt === undefined) return ""
  return duration((task.settledAt ?? now) - task.startedAt)
}

/** One task: its label, and its bars. Drawn again only when something of it changed. */
export class Row extends Component<RowProps> {
  override shouldComponentUpdate(next: RowProps): boolean {
    const { props } = this
    const live = next.task.state === "running" || next.task.state === "pending"
    return (
      next.task !== props.task ||
      next.history !== props.history ||
      next.span !== props.span ||
      next.width !== props.width ||
      next.height !== props.height ||
      next.active !== props.active ||
      next.open !== props.open ||
      next.index !== props.index ||
      next.size !== props.size ||
      (live && next.now !== props.now)
    )
  }

  override render({
    task,
    history,
    span,
    width,
    barHeight,
    height,
    now,
    index,
    size,
    active,
    open,
    onOpen,
  }: RowProps): VNode {
    const time = timeOf(task, now)
    const detail = task.state === "running" && task.tool !== undefined ? task.tool : (task.agent ?? "")
    return html`<div
      id=${`row-${task.id}`}
      class=${`row ${task.state} ${active ? "active" : ""} ${open ? "open" : ""}`}
      role="option"
      aria-selected=${open}
      aria-posinset=${index + 1}
      aria-setsize=${size}
      data-task=${task.id}
      data-state=${task.state}
      style=${{ transform: `translateY(${index * height}px)`, height: `${height}px` }}
      onClick=${() => onOpen(task.id)}
    >
      <div class="label">
        ${stateIcon(task.state)}<span class="spoken">${STATE_WORDS[task.state]}</span>
        <span class="what">${task.description}</span>
        <span class="who">${detail}</span>
        <span class="time">${time}</span>
      </div>
      <${Bars} task=${task} history=${history} span=${span} width=${width} height=${barHeight} now=${now} />
    </div>`
  }
}
