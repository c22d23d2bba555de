import { html } from "htm/preact"
import type { VNode } from "preact"
import { useEffect, useMemo, useRef, useState } from "preact/hooks"

import { Detail } from "./detail.ts"
import { Events } from "./events.ts"
import { NO_FILTERS, apply, choices, filtered } from "./filters.ts"
import type { Filters, StateFilter } from "./filters.ts"
import { Header } from "./header.ts"
import { Lanes } from "./lanes.ts"
import type { Span } from "./scale.ts"
import { clampLength, ending, lengthOf, zoomed } from "./scale.ts"
import type { Store } from "./store.ts"
import { Timeline } from "./timeline.ts"
import { Toolbar } from "./toolbar.ts"

/** How often bars grow while something runs, and how often clocks are read when nothing does. */
const MOVING_MS = 200
const STILL_MS = 1_000
const FIRST_LENGTH = 300_000
/** An automatic length grows in steps: the axis would otherwise never rest. */
const LENGTHS = [15, 20, 30, 45, 60, 90, 120, 180, 240, 300, 420, 600, 780, 960, 1_200, 1_500].map((s) => s * 1_000)
const LONGEST = 1_800_000

/** A number that changes with the store. */
function useVersion(store: Store): number {
  const [version, setVersion] = useState(0)
  useEffect(() => store.listen(() => setVersion((n) => n + 1)), [store])
  return version
}

function useNow(store: Store, moving: boolean): number {
  const [now, setNow] = useState(store.now())
  useEffect(() => {
    const timer = window.setInterval(
      () => document.visibilityState === "visible" && setNow(store.now()),
      moving ? MOVING_MS : STILL_MS,
    )
    return () => window.clearInterval(timer)
  }, [store, moving])
  return now
}

export function App({ store }: { store: Store }): VNode {
  const version = useVersion(store)
  const [filters, setFilters] = useState<Filters>(NO_FILTERS)
  const [openID, setOpen] = useState<string | undefined>(undefined)
  /** A fixed stretch, or how much of the time until now. */
  const [view, setView] = useState<Span | number | undefined>(undefined)
  const search = useRef<HTMLInputElement>(null)
  const totals = useMemo(() => store.totals(), [store, version])
  const now = useNow(store, totals.running + totals.queued > 0 && typeof view !== "object")
  const tasks = useMemo(() => apply(store.tasks.values(), filters, store.now()), [store, version, filters])
  const lists = useMemo(() => choices(store.tasks.values()), [store, version])

  const earliest = useMemo(
    () => tasks.reduce((first, task) => Math.min(first, task.createdAt), Number.POSITIVE_INFINITY),
    [tasks],
  )
  const live = totals.running + totals.queued
  const latest = useMemo(
    () => tasks.reduce((last, { settledAt }) => Math.max(last, settledAt ?? Number.POSITIVE_INFINITY), 0),
    [tasks],
  )
  // Until somebody chooses, the window follows now; when the last thing has left it, it rests there.
  const resting = view === undefined && tasks.length > 0 && now - latest > LONGEST
  const length = typeof view === "number" ? view : automatic(earliest, resting ? latest : now)
  const span = typeof view === "object" ? view : ending(resting ? latest : now, length)
  const doing = live > 0 ? `${totals.running} running, ${totals.queued} queued · ` : ""
  const title = `${doing}${store.title} · lanes`
  useEffect(() => void (document.title = title), [title])
  const zoom = (factor: number): void =>
    setView(typeof view === "object" || resting ? zoomed(span, factor, 0.5) : clampLength(length * factor))
  const following = typeof view !== "object" && !resting
  const follow = (): void => setView(following ? span : lengthOf(span))
  const fit = (): void => {
    if (!Number.isFinite(earliest)) return setView(undefined)
    const until = Number.isFinite(latest) ? latest : now
    const room = clampLength(until - earliest) * 0.04
    setView({ from: earliest - room, to: Math.max(until, earliest + 2_000) + room })
  }
  const close = (): void => {
    setOpen(undefined)
    document.querySelector<HTMLElement>(".rows")?.focus({ preventScroll: true })
  }

  const press = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return
    const typing =
      event.target instanceof HTMLElement && event.target.matches("input, textarea, select") ? event.target : undefined
    if (event.key === "Escape") {
      if (typing !== undefined) typing.blur()
      else if (openID !== undefined) close()
    } else if (typing === undefined && event.key === "/") {
      event.preventDefault()
      search.current?.focus()
    } else if (typing === undefined && event.key === "f" && !following) follow()
  }
  // Effects come after the paint: a key pressed before would meet what was shown a moment ago.
  const pressed = useRef(press)
  pressed.current = press
  useEffect(() => {
    const listen = (event: KeyboardEvent): void => pressed.current(event)
    window.addEventListener("keydown", listen)
    return () => window.removeEventListener("keydown", listen)
  }, [])
  if (store.connection === "locked") return html`<${Locked} why=${store.why} />`
  const open = openID === undefined ? undefined : store.tasks.get(openID)
  const counts: Record<StateFilter, number> = {
    running: totals.running,
    pending: totals.queued,
    completed: totals.done,
    error: totals.failed,
    cancelled: totals.cancelled,
  }
  return html`<div class=${`app ${open === undefined ? "" : "with-detail"}`}>
    <${Header} store=${store} />
    <${Lanes} store=${store} version=${version} onOpen=${setOpen} />
    <main>
      <${Toolbar}
        filters=${filters}
        onFilters=${setFilters}
        choices=${lists}
        counts=${counts}
        following=${following}
        onFollow=${follow}
        onZoom=${zoom}
        onFit=${fit}
        search=${search}
      />
      ${
        tasks.length === 0
          ? html`<${Nothing} filtered=${filtered(filters)} connecting=${store.connection === "connecting"} />`
          : html`<${Timeline}
              store=${store}
              tasks=${tasks}
              span=${span}
              now=${now}
              openID=${openID}
              onOpen=${setOpen}
              onSpan=${setView}
            />`
      }
      <${Events} store=${store} onOpen=${setOpen} />
    </main>
    ${open === undefined ? null : html`<${Detail} store=${store} task=${open} now=${now} onClose=${close} />`}
    <div class="spoken" role="status" aria-live="polite">${store.spoken}</div>
  </div>`
}

/** How much before a moment is shown until somebody chooses: all there is, up to half an hour. */
function automatic(earliest: number, until: number): number {
  if (!Number.isFinite(earliest)) return FIRST_LENGTH
  return LENGTHS.find((step) => step >= (until - earliest) * 1.1) ?? LONGEST
}

function Nothing({ filtered: some, connecting }: { filtered: boolean; connecting: boolean }): VNode {
  if (connecting) return html`<div class="nothing"><p>Connecting…</p></div>`
  return html`<div class="nothing">
    <p><b>${some ? "No task fits the filter." : "No tasks yet."}</b></p>
    ${some ? null : html`<p class="muted">They appear here as they are launched, by an agent's <code>delegate_task</code> or by <code>lanes.launch()</code>.</p>`}
  </div>`
}

function Locked({ why }: { why: string }): VNode {
  return html`<main class="locked">
    <h1>This page is locked</h1>
    ${why === "" ? null : html`<p class="wrong" role="alert">${why}</p>`}
    <p>
      Open it by the link that was printed when it was started. A link opens one browser, once; a new one is printed
      when the page starts again, and the page copies one for another browser.
    </p>
  </main>`
}
