import { html } from "htm/preact"
import type { VNode } from "preact"
import { useState } from "preact/hooks"

import { ask } from "./connection.ts"
import { SureButton } from "./controls.ts"
import { count, money, whole } from "./format.ts"
import { icon } from "./icons.ts"
import type { Store } from "./store.ts"

const WORDS = {
  connecting: "connecting",
  live: "live",
  lost: "connection lost, trying again",
  locked: "locked",
} as const
const THEMES = ["auto", "light", "dark"] as const
type Theme = (typeof THEMES)[number]
const THEME_ICONS: Readonly<Record<Theme, string>> = { auto: "auto", light: "sun", dark: "moon" }

function remembered(): Theme {
  const kept = localStorage.getItem("theme")
  return THEMES.find((theme) => theme === kept) ?? "auto"
}

export function applyTheme(theme: Theme = remembered()): void {
  document.documentElement.dataset["theme"] = theme
}

/** Whose lanes these are, whether the page hears them, and the totals. */
export function Header({ store }: { store: Store }): VNode {
  const [theme, setTheme] = useState<Theme>(remembered())
  const [link, setLink] = useState("")
  const totals = store.totals()
  const live = totals.running + totals.queued
  const turn = (): void => {
    const next = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length] ?? "auto"
    localStorage.setItem("theme", next)
    applyTheme(next)
    setTheme(next)
  }
  const share = async (): Promise<void> => {
    try {
      const { link: fresh } = await ask<{ link: string }>("/api/link", {})
      await navigator.clipboard.writeText(fresh)
      setLink("copied")
    } catch {
      setLink("failed")
    }
    window.setTimeout(() => setLink(""), 2_000)
  }
  const figures: [string, string, string][] = [
    ["running", whole(totals.running), "running"],
    ["queued", whole(totals.queued), "pending"],
    ["done", whole(totals.done), "completed"],
    ["failed", whole(totals.failed), "error"],
    ["cost", money(totals.cost), ""],
    ["tokens", count(totals.tokens), ""],
  ]
  return html`<header class="top">
    <div class="name">
      <h1>${store.title}</h1>
      <span class=${`connection ${store.connection}`} role="status" title=${store.directory}
        >${WORDS[store.connection]}</span
      >
    </div>
    <dl class="totals" aria-label="Totals">
      ${figures.map(
        ([name, value, look]) =>
          html`<div key=${name} class=${look} data-total=${name}>
            <dt>${name}</dt>
            <dd>${value}</dd>
          </div>`,
      )}
    </dl>
    <div class="tools">
      ${store.can.has("cancelAll") ? html`<${SureButton} label="Cancel all" sure=${`Really cancel ${live}?`} kind="danger" disabled=${live === 0} onSure=${() => void ask("/api/cancel-all", {}).catch((failure: Error) => store.connect(store.connection, failure.message))} />` : null}
      <button
        type="button"
        class="button quiet"
        title="Copy a link that opens this page once, in another browser"
        aria-label="Copy a link for another browser"
        onClick=${() => void share()}
      >
        ${icon("link")} <span role="status">${link}</span>
      </button>
      <button
        type="button"
        class="button quiet"
        aria-label=${`Colours: ${theme}`}
        title=${`Colours: ${theme}`}
        onClick=${turn}
      >
        ${icon(THEME_ICONS[theme])}
      </button>
    </div>
  </header>`
}
