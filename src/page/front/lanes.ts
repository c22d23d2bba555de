import { html } from "htm/preact"
import type { VNode } from "preact"
import { useMemo, useState } from "preact/hooks"

import type { LaneView } from "../../core/lanes.ts"
import type { WireTask } from "../wire.ts"
import { ask } from "./connection.ts"
import { duration, plural } from "./format.ts"
import type { Store } from "./store.ts"

/** More slots than this are told as a bar. */
const SQUARES = 24
/** And more than this are small. */
const SMALL = 6

interface LaneTasks {
  readonly held: WireTask[]
  readonly head: WireTask | undefined
}

function byLane(tasks: Iterable<WireTask>): Map<string, { held: WireTask[]; waiting: WireTask[] }> {
  const lanes = new Map<string, { held: WireTask[]; waiting: WireTask[] }>()
  for (const task of tasks) {
    if (task.state !== "running" && task.state !== "pending") continue
    let lane = lanes.get(task.lane)
    if (lane === undefined) lanes.set(task.lane, (lane = { held: [], waiting: [] }))
    lane[task.state === "running" ? "held" : "waiting"].push(task)
  }
  return lanes
}

/** All lanes, the busy ones first, with what the head of each queue waits for. */
export function Lanes({
  store,
  version,
  onOpen,
}: {
  store: Store
  version: number
  onOpen: (id: string) => void
}): VNode {
  const tasks = useMemo(() => byLane(store.tasks.values()), [store, version])
  const lanes = [...store.lanes].sort((a, b) => b.queued - a.queued || b.used - a.used || a.lane.localeCompare(b.lane))
  return html`<section class="lanes" aria-label="Lanes">
    ${lanes.map((lane) => {
      const of = tasks.get(lane.lane)
      const head = of?.waiting.sort((a, b) => a.queuedAt - b.queuedAt || a.order - b.order)[0]
      return html`<${Lane}
        key=${lane.lane}
        lane=${lane}
        held=${of?.held ?? []}
        head=${head}
        now=${store.now()}
        canLimit=${store.can.has("setLimits")}
        onOpen=${onOpen}
      />`
    })}
  </section>`
}

interface LaneProps extends LaneTasks {
  readonly lane: LaneView
  readonly now: number
  readonly canLimit: boolean
  readonly onOpen: (id: string) => void
}

function Lane({ lane, held, head, now, canLimit, onOpen }: LaneProps): VNode {
  const [kind, name] = lane.lane.includes(":")
    ? [lane.lane.slice(0, lane.lane.indexOf(":")), lane.lane.slice(lane.lane.indexOf(":") + 1)]
    : ["", lane.lane]
  const oldest = held.reduce<WireTask | undefined>(
    (first, task) => (first === undefined || (task.startedAt ?? now) < (first.startedAt ?? now) ? task : first),
    undefined,
  )
  const [wrong, setWrong] = useState("")
  const full = lane.limit !== null && lane.used >= lane.limit
  return html`<article class=${`lane ${full ? "full" : ""}`} aria-label=${`Lane ${lane.lane}`}>
    <div class="head">
      <div class="what">
        <h3 title=${lane.lane}>${kind === "" ? null : html`<span class="kind">${kind}</span> `}${name}</h3>
        <div class="slots-line">
          <${Slots} lane=${lane} />
          <span class="num" data-used=${lane.used}>${lane.used}/${lane.limit ?? "∞"}</span>
          ${lane.queued > 0 ? html`<span class="queue">queue ${lane.queued}</span>` : null}
        </div>
      </div>
      ${canLimit ? html`<${Limit} lane=${lane} onWrong=${setWrong} />` : null}
    </div>
    ${wrong === "" ? null : html`<p class="wrong small" role="alert">${wrong}</p>`}
    ${
      head === undefined
        ? html`<p class="next muted">${lane.used === 0 ? "free" : "nobody waits"}</p>`
        : html`<p class="next">
            <button type="button" class="link" onClick=${() => onOpen(head.id)}>${head.description}</button>
            <span class="muted">${waits(head, held, oldest, now)}</span>
          </p>`
    }
  </article>`
}

/** What the head of a queue waits for. */
function waits(head: WireTask, held: readonly WireTask[], oldest: WireTask | undefined, now: number): string {
  const before =
    oldest === undefined
      ? ""
      : `; ${plural(held.length, "run")} before it, the oldest ${duration(now - (oldest.startedAt ?? now))}`
  return ` is next, for ${duration(now - head.queuedAt)}${before}`
}

function Slots({ lane }: { lane: LaneView }): VNode {
  const slots = lane.limit ?? lane.used
  if (slots > SQUARES || lane.used > SQUARES) {
    return html`<span class="slots" aria-hidden="true"
      ><meter min="0" max=${Math.max(1, slots)} value=${lane.used} aria-label="slots used"></meter
    ></span>`
  }
  const shown = Math.max(slots, lane.used)
  return html`<span class=${`slots ${shown > SMALL ? "small" : ""}`} aria-hidden="true">
    ${Array.from({ length: shown }, (_, at) => html`<i class=${at < lane.used ? (at >= slots ? "over" : "on") : ""} key=${at}></i>`)}
  </span>`
}

function Limit({ lane, onWrong }: { lane: LaneView; onWrong: (why: string) => void }): VNode {
  const set = async (limit: number): Promise<void> => {
    try {
      await ask("/api/limits", { lane: lane.lane, limit })
      onWrong("")
    } catch (failure) {
      onWrong((failure as Error).message)
    }
  }
  const limit = lane.limit
  return html`<span class="limit" role="group" aria-label=${`Limit of ${lane.lane}`}>
    <button
      type="button"
      aria-label=${`Lower the limit of ${lane.lane}`}
      disabled=${limit === null || limit <= 1}
      onClick=${() => void set((limit ?? 2) - 1)}
    >
      −
    </button>
    <button
      type="button"
      aria-label=${`Raise the limit of ${lane.lane}`}
      onClick=${() => void set(limit === null ? Math.max(1, lane.used) : limit + 1)}
    >
      ${limit === null ? "limit" : "+"}
    </button>
    ${
      limit === null || lane.lane === "default"
        ? null
        : html`<button
            type="button"
            title="No limit"
            aria-label=${`Lift the limit of ${lane.lane}`}
            onClick=${() => void set(0)}
          >
            ∞
          </button>`
    }
  </span>`
}
