import { html } from "htm/preact"
import type { RefObject, VNode } from "preact"

import { Choose } from "./controls.ts"
import { whole } from "./format.ts"
import type { Filters, Order, StateFilter } from "./filters.ts"
import { NO_FILTERS, filtered } from "./filters.ts"
import { STATE_WORDS } from "./icons.ts"

const STATES: readonly StateFilter[] = ["running", "pending", "completed", "error", "cancelled"]
const ORDERS: Readonly<Record<Order, string>> = {
  newest: "newest first",
  oldest: "oldest first",
  longest: "longest first",
}

interface ToolbarProps {
  readonly filters: Filters
  readonly onFilters: (filters: Filters) => void
  readonly choices: {
    readonly agents: readonly string[]
    readonly models: readonly string[]
    readonly parents: readonly string[]
  }
  readonly counts: Readonly<Record<StateFilter, number>>
  readonly following: boolean
  readonly onFollow: () => void
  readonly onZoom: (factor: number) => void
  readonly onFit: () => void
  readonly search: RefObject<HTMLInputElement>
}

/** What is shown, and how much time of it. */
export function Toolbar({
  filters,
  onFilters,
  choices,
  counts,
  following,
  onFollow,
  onZoom,
  onFit,
  search,
}: ToolbarProps): VNode {
  const toggle = (state: StateFilter): void => {
    const states = new Set(filters.states)
    if (!states.delete(state)) states.add(state)
    onFilters({ ...filters, states })
  }
  const set = (key: "agent" | "model" | "parent" | "text") => (value: string) => onFilters({ ...filters, [key]: value })
  return html`<div class="toolbar" role="toolbar" aria-label="Filter and zoom">
    <div class="group chips">
      ${STATES.map(
        (state) =>
          html`<button
            key=${state}
            type="button"
            class=${`chip ${state}`}
            aria-pressed=${filters.states.has(state)}
            onClick=${() => toggle(state)}
          >
            ${STATE_WORDS[state]} <b>${whole(counts[state])}</b>
          </button>`,
      )}
    </div>
    <div class="group">
      <input
        ref=${search}
        type="search"
        class="search"
        placeholder="Filter  /"
        aria-label="Filter by words, id or tool"
        value=${filters.text}
        onInput=${(event: Event) => set("text")((event.target as HTMLInputElement).value)}
      />
      <${Choose}
        label="Agent"
        value=${filters.agent}
        all="all agents"
        options=${choices.agents}
        onChange=${set("agent")}
      />
      <${Choose}
        label="Model"
        value=${filters.model}
        all="all models"
        options=${choices.models}
        onChange=${set("model")}
      />
      <${Choose}
        label="Parent conversation"
        value=${filters.parent}
        all="all parents"
        options=${choices.parents}
        onChange=${set("parent")}
      />
      <select
        class="choose order"
        aria-label="Order"
        value=${filters.order}
        onChange=${(event: Event) => onFilters({ ...filters, order: (event.target as HTMLSelectElement).value as Order })}
      >
        ${Object.entries(ORDERS).map(([order, words]) => html`<option key=${order} value=${order}>${words}</option>`)}
      </select>
      ${filtered(filters) ? html`<button type="button" class="button quiet" onClick=${() => onFilters({ ...NO_FILTERS, order: filters.order })}>clear</button>` : null}
    </div>
    <div class="group zoom">
      <button type="button" class="button" aria-label="Show more time" onClick=${() => onZoom(1.5)}>−</button>
      <button type="button" class="button" aria-label="Look closer" onClick=${() => onZoom(1 / 1.5)}>+</button>
      <button type="button" class="button" onClick=${onFit}>Fit</button>
      <button type="button" class="button follow" aria-pressed=${following} onClick=${onFollow}>Follow now</button>
    </div>
  </div>`
}
