import { html } from "htm/preact"
import type { VNode } from "preact"
import { useState } from "preact/hooks"

import type { WireEvent } from "../wire.ts"
import { clock, duration, plural } from "./format.ts"
import { icon } from "./icons.ts"
import type { Store } from "./store.ts"

const SHOWN = 200

/** An event as one line. */
function words(event: WireEvent): string {
  const of = (key: string): string => {
    const value = event[key]
    return typeof value === "string" || typeof value === "number" ? String(value) : ""
  }
  const type: string = event.type
  switch (type) {
    case "task:queued":
      return `${of("lane")}${event["ahead"] === 0 ? "" : `, ${of("ahead")} ahead`}`
    case "task:started":
      return `after ${duration(Number(event["queuedMs"]))}${event["attempt"] === 1 ? "" : `, attempt ${of("attempt")}`}`
    case "task:settled": {
      const { state, reason, sentence } = event["outcome"] as { state: string; reason: string; sentence: string }
      return `${state} ${reason}: ${sentence}`
    }
    case "task:progress":
      return `${plural(Number(event["steps"]), "step")}${event["tool"] === undefined ? "" : `, ${of("tool")}`}`
    case "task:session":
      return of("sessionID")
    case "task:nudged":
      return of("kind")
    case "task:permission":
      return `${of("permission")} ${of("action")}`
    case "task:continued":
      return of("prompt")
    case "lane:granted":
    case "lane:released":
    case "lane:limit":
      return `${of("lane")} ${event["used"] === undefined ? "" : `${of("used")}/`}${event["limit"] === null ? "∞" : of("limit")}`
    case "worker:lost":
      return `${of("worker")} ${of("cause")}`
    case "worker:started":
      return of("worker")
    default:
      return of("message")
  }
}

/** What was said lately, newest first, and all of it as a file. */
export function Events({ store, onOpen }: { store: Store; onOpen: (id: string) => void }): VNode {
  const [open, setOpen] = useState(false)
  const events = open ? store.events.slice(-SHOWN).toReversed() : []
  const last = store.events.at(-1)
  return html`<section class=${`events ${open ? "open" : ""}`} aria-label="Events">
    <h3>
      <button type="button" class="link" aria-expanded=${open} onClick=${() => setOpen(!open)}>Events</button>
      ${open || last === undefined ? null : html`<span class="last mono muted">${clock(last.at)} ${last.type} ${words(last)}</span>`}
      <a class="button quiet" href="/api/events.jsonl" download="lanes-events.jsonl">${icon("down")} JSONL</a>
    </h3>
    ${
      open
        ? html`<div class="lines mono" tabindex="0" role="log" aria-label="Event lines" aria-live="off">
            ${events.length === 0 ? html`<p class="muted">Nothing yet since this page was opened.</p>` : null}
            ${events.map(
              (event) =>
                html`<p key=${`${event.at}-${event.seq}`}>
                  <time>${clock(event.at)}</time> <b>${event.type}</b>${" "}
                  ${event.id === undefined ? null : html`<button type="button" class="link" onClick=${() => onOpen(event.id ?? "")}>${store.tasks.get(event.id)?.description ?? event.id}</button>`}${" "}
                  <span class="muted">${words(event)}</span>
                </p>`,
            )}
          </div>`
        : null
    }
  </section>`
}
