import { html } from "htm/preact"
import type { VNode } from "preact"

import type { TaskState } from "../../core/task.ts"

const PATHS: Readonly<Record<string, string>> = {
  running: "M5 3.2v9.6L13 8z",
  pending: "M8 2.6a5.4 5.4 0 100 10.8 5.4 5.4 0 000-10.8zM8 5.2V8l2 1.4",
  completed: "M3.5 8.5l3 3 6-7",
  error: "M4.5 4.5l7 7M11.5 4.5l-7 7",
  cancelled: "M4 8h8",
  open: "M8 3.4a4.6 4.6 0 100 9.2 4.6 4.6 0 000-9.2z",
  close: "M4 4l8 8M12 4l-8 8",
  copy: "M6 6h7v7H6zM10 6V3H3v7h3",
  out: "M6 4H4v8h8v-2M8.5 3.5H12.5V7.5M12 4L7.5 8.5",
  sun: "M8 5.2a2.8 2.8 0 100 5.6 2.8 2.8 0 000-5.6zM8 1.5v1.4M8 13.1v1.4M1.5 8h1.4M13.1 8h1.4M3.4 3.4l1 1M11.6 11.6l1 1M12.6 3.4l-1 1M4.4 11.6l-1 1",
  moon: "M12.8 9.6A5.4 5.4 0 016.4 3.2a5.4 5.4 0 106.4 6.4z",
  auto: "M8 2.5a5.5 5.5 0 100 11zM8 2.5a5.5 5.5 0 010 11",
  down: "M8 3v7M5 7.5L8 10.5l3-3M3.5 13h9",
  link: "M6.8 9.2l2.4-2.4M7 5l1.6-1.6a2.7 2.7 0 013.9 3.9L11 9M9 11l-1.6 1.6a2.7 2.7 0 01-3.9-3.9L5 7",
}
const FILLED = new Set(["running"])

export function icon(name: keyof typeof PATHS): VNode {
  return html`<svg class=${`icon ${FILLED.has(name) ? "filled" : ""}`} viewBox="0 0 16 16" aria-hidden="true">
    <path d=${PATHS[name]} />
  </svg>`
}

export function stateIcon(state: TaskState): VNode {
  return html`<span class=${`state ${state}`}>${icon(state)}</span>`
}

/** As people say it. */
export const STATE_WORDS: Readonly<Record<TaskState, string>> = {
  pending: "queued",
  running: "running",
  completed: "done",
  error: "failed",
  cancelled: "cancelled",
}
