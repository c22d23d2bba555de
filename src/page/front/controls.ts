import { html } from "htm/preact"
import type { ComponentChildren, VNode } from "preact"
import { useEffect, useRef, useState } from "preact/hooks"

const SURE_MS = 4_000

interface SureProps {
  readonly label: string
  readonly sure: string
  readonly kind?: string
  readonly disabled?: boolean
  readonly onSure: () => unknown
  readonly children?: ComponentChildren
}

/** A button that asks once more before it does what cannot be undone. */
export function SureButton({ label, sure, kind = "", disabled = false, onSure }: SureProps): VNode {
  const [asking, setAsking] = useState(false)
  useEffect(() => {
    if (!asking) return
    const timer = window.setTimeout(() => setAsking(false), SURE_MS)
    return () => window.clearTimeout(timer)
  }, [asking])
  const press = (): void => {
    setAsking(!asking)
    if (asking) onSure()
  }
  return html`<button
    type="button"
    class=${`button ${kind} ${asking ? "asking" : ""}`}
    disabled=${disabled}
    onClick=${press}
    onBlur=${() => setAsking(false)}
  >
    ${asking ? sure : label}
  </button>`
}

/** Copies a text and says so. */
export function CopyButton({
  text,
  label,
  children,
}: {
  text: string
  label: string
  children?: ComponentChildren
}): VNode {
  const [said, setSaid] = useState("")
  const timer = useRef(0)
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(text)
      setSaid("copied")
    } catch {
      // Browsers keep the clipboard from pages that came over plain HTTP from another machine.
      setSaid("not allowed here")
    }
    window.clearTimeout(timer.current)
    timer.current = window.setTimeout(() => setSaid(""), 1_500)
  }
  return html`<button type="button" class="button quiet mono" title=${label} onClick=${() => void copy()}>
    <span class="spoken">${label}</span>${children} <span class="copied" role="status">${said}</span>
  </button>`
}

interface ChooseProps {
  readonly label: string
  readonly value: string
  readonly all: string
  readonly options: readonly string[]
  readonly onChange: (value: string) => void
}

/** One of a few values, or all. */
export function Choose({ label, value, all, options, onChange }: ChooseProps): VNode | null {
  if (options.length === 0) return null
  return html`<select
    class="choose"
    aria-label=${label}
    value=${value}
    onChange=${(e: Event) => onChange((e.target as HTMLSelectElement).value)}
  >
    ${all === "" ? null : html`<option value="">${all}</option>`}
    ${options.map((option) => html`<option key=${option} value=${option}>${option}</option>`)}
  </select>`
}
