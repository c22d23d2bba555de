import { html } from "htm/preact"
import type { VNode } from "preact"
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks"

import type { WireTask } from "../wire.ts"
import { whole } from "./format.ts"
import { Grid, Load } from "./load.ts"
import { Row } from "./row.ts"
import type { Span } from "./scale.ts"
import { lengthOf, moved, zoomed } from "./scale.ts"
import type { Store } from "./store.ts"

/** A label takes a share of the width, within these bounds. */
const LABEL = { least: 260, share: 0.28, most: 460 }
/** A narrower one has no room beside the description. */
const TIGHT = 300
const AXIS = 58
/** Below this width a label stands above its bars. */
const NARROW = 640
const BEYOND = 6
/** A pointer that moved less was a click. */
const CLICK_PX = 4

interface TimelineProps {
  readonly store: Store
  readonly tasks: readonly WireTask[]
  readonly span: Span
  readonly now: number
  readonly openID: string | undefined
  readonly onOpen: (id: string) => void
  readonly onSpan: (span: Span) => void
}

/** Rows of tasks over time. Only those in sight exist, so that thousands cost no more than a screenful. */
export function Timeline({ store, tasks, span, now, openID, onOpen, onSpan }: TimelineProps): VNode {
  const scroller = useRef<HTMLDivElement>(null)
  const [box, setBox] = useState({ width: 0, height: 0 })
  const [top, setTop] = useState(0)
  const [activeID, setActive] = useState<string | undefined>(undefined)
  const narrow = box.width < NARROW
  const height = narrow ? 46 : 28
  const label = Math.round(Math.min(LABEL.most, Math.max(LABEL.least, box.width * LABEL.share)))
  const width = Math.max(60, narrow ? box.width : box.width - label)
  const latest = useRef({ span, width, onSpan })
  latest.current = { span, width, onSpan }

  useLayoutEffect(() => {
    const element = scroller.current
    if (element === null) return
    const measure = (): void => setBox({ width: element.clientWidth, height: element.clientHeight })
    measure()
    const observer = new ResizeObserver(measure)
    observer.observe(element)
    return () => observer.disconnect()
  }, [])

  useEffect(() => {
    const element = scroller.current
    if (element === null) return
    const wheel = (event: WheelEvent): void => {
      const { span: shown, width: wide, onSpan: show } = latest.current
      const zoom = event.ctrlKey || event.metaKey || event.altKey
      const across = event.shiftKey
        ? event.deltaY || event.deltaX
        : Math.abs(event.deltaX) > Math.abs(event.deltaY)
          ? event.deltaX
          : 0
      if (!zoom && across === 0) return
      event.preventDefault()
      const share = Math.min(
        1,
        Math.max(0, (event.clientX - element.getBoundingClientRect().left - (element.clientWidth - wide)) / wide),
      )
      show(zoom ? zoomed(shown, Math.exp(event.deltaY / 300), share) : moved(shown, (across / wide) * lengthOf(shown)))
    }
    // Passive listeners cannot keep the browser from zooming the whole page.
    element.addEventListener("wheel", wheel, { passive: false })
    return () => element.removeEventListener("wheel", wheel)
  }, [])

  const drag = useRef<{ x: number; span: Span; moved: boolean } | undefined>(undefined)
  const pointer = {
    onPointerDown: (event: PointerEvent) => {
      if (event.button === 0 && event.pointerType !== "touch") drag.current = { x: event.clientX, span, moved: false }
    },
    onPointerMove: (event: PointerEvent) => {
      const from = drag.current
      if (from === undefined || event.buttons === 0) return
      if (!from.moved && Math.abs(event.clientX - from.x) < CLICK_PX) return
      from.moved = true
      onSpan(moved(from.span, ((from.x - event.clientX) / width) * lengthOf(from.span)))
    },
    onPointerUp: () => {
      // The click that ends a drag opens nothing.
      window.setTimeout(() => (drag.current = undefined))
    },
  }
  const choose = (id: string): void => {
    if (drag.current?.moved === true) return
    setActive(id)
    onOpen(id)
  }

  const go = (to: number): void => {
    const at = Math.min(tasks.length - 1, Math.max(0, to))
    const task = tasks[at]
    const element = scroller.current
    if (task === undefined || element === null) return
    setActive(task.id)
    if (openID !== undefined) onOpen(task.id)
    const [upper, lower] = [at * height, (at + 1) * height + AXIS]
    if (upper < element.scrollTop) element.scrollTop = upper
    else if (lower > element.scrollTop + element.clientHeight) element.scrollTop = lower - element.clientHeight
  }
  const page = Math.max(1, Math.floor((box.height - AXIS) / height) - 1)
  const active = activeID === undefined ? -1 : tasks.findIndex((task) => task.id === activeID)
  const keys: Readonly<Record<string, () => void>> = {
    ArrowDown: () => go(active + 1),
    ArrowUp: () => go(active - 1),
    PageDown: () => go(active + page),
    PageUp: () => go(active - page),
    Home: () => go(0),
    End: () => go(tasks.length - 1),
    Enter: () => activeID !== undefined && onOpen(activeID),
    ArrowLeft: () => onSpan(moved(span, -lengthOf(span) / 8)),
    ArrowRight: () => onSpan(moved(span, lengthOf(span) / 8)),
    "+": () => onSpan(zoomed(span, 0.7, 1)),
    "-": () => onSpan(zoomed(span, 1.4, 1)),
  }
  const press = (event: KeyboardEvent): void => {
    const act = keys[event.key]
    if (act === undefined || event.ctrlKey || event.metaKey || event.altKey) return
    event.preventDefault()
    act()
  }

  const first = Math.max(0, Math.floor(top / height) - BEYOND)
  const last = Math.min(tasks.length, Math.ceil((top + box.height) / height) + BEYOND)
  const shown = tasks.slice(first, last)
  const activeShown = shown.some((task) => task.id === activeID)
  return html`<div
    class=${`timeline ${narrow ? "narrow" : label < TIGHT ? "tight" : ""}`}
    ref=${scroller}
    style=${{ "--label": `${label}px` }}
    onScroll=${(event: Event) => setTop((event.target as HTMLElement).scrollTop)}
    ...${pointer}
  >
    <div class="axis">
      ${narrow ? null : html`<div class="label muted">${tasks.length === 1 ? "1 task" : `${whole(tasks.length)} tasks`}</div>`}
      <${Load} tasks=${tasks} span=${span} width=${width} height=${AXIS} now=${now} />
    </div>
    <div class="grid-holder">
      <${Grid} span=${span} width=${width} height=${Math.max(0, box.height - AXIS)} now=${now} />
    </div>
    <div
      class="rows"
      role="listbox"
      aria-label="Tasks"
      tabindex="0"
      aria-activedescendant=${activeShown ? `row-${activeID ?? ""}` : undefined}
      style=${{ height: `${tasks.length * height}px` }}
      onKeyDown=${press}
      onFocus=${() => active < 0 && tasks[0] !== undefined && setActive(tasks[0].id)}
    >
      ${shown.map(
        (task, at) =>
          html`<${Row}
            key=${task.id}
            task=${task}
            history=${store.history.get(task.id)}
            span=${span}
            width=${width}
            height=${height}
            barHeight=${narrow ? 20 : height}
            now=${now}
            index=${first + at}
            size=${tasks.length}
            active=${task.id === activeID}
            open=${task.id === openID}
            onOpen=${choose}
          />`,
      )}
    </div>
  </div>`
}
