import { html } from "htm/preact"
import type { VNode } from "preact"
import { useState } from "preact/hooks"

import type { SourceMessage } from "../source.ts"
import type { WireDetail } from "../wire.ts"
import { ask } from "./connection.ts"
import { clock } from "./format.ts"

/** A task's result, or its last words. */
export function Result({ detail, live }: { detail: WireDetail; live: boolean }): VNode | null {
  if (detail.text === undefined || detail.text === "") return null
  return html`<section>
    <h3>
      ${live ? "Last words" : "Result"}${detail.truncated === true ? html` <span class="muted">(cut)</span>` : null}
    </h3>
    <pre class="text result" tabindex="0">${detail.text}</pre>
  </section>`
}

/** Every prompt it got, and those it never got. */
export function Prompts({ detail }: { detail: WireDetail }): VNode {
  return html`<div class="prompts">
    ${detail.prompts.map(
      ({ kind, text, sent }, at) =>
        html`<details key=${at} open=${at === 0 && detail.text === undefined}>
          <summary>
            ${kind === "first" ? "Prompt" : kind === "follow-up" ? "Follow-up" : kind === "nudge" ? "Nudge" : "Resume"}${sent ? "" : html` <span class="muted">(not sent yet)</span>`}
          </summary>
          <pre class="text">${text}</pre>
        </details>`,
    )}
    ${(detail.unsent ?? []).map(
      (text, at) =>
        html`<details key=${`u${at}`}>
          <summary>Follow-up <span class="muted">(never sent)</span></summary>
          <pre class="text">${text}</pre>
        </details>`,
    )}
  </div>`
}

/** The conversation, read from OpenCode when it is asked for. */
export function Transcript({ path }: { path: string }): VNode {
  const [messages, setMessages] = useState<readonly SourceMessage[] | string | undefined>(undefined)
  const read = (): void => {
    setMessages("Reading…")
    ask<readonly SourceMessage[]>(`${path}/messages`).then(setMessages, (failure: Error) =>
      setMessages(failure.message),
    )
  }
  return html`<section class="transcript">
    <h3>
      Transcript
      <button type="button" class="button quiet" onClick=${read}>
        ${messages === undefined ? "show" : "read again"}
      </button>
    </h3>
    ${typeof messages === "string" ? html`<p class="muted" role="status">${messages}</p>` : null}
    ${
      typeof messages === "object"
        ? messages.map(
            ({ id, role, text, tools, error, created }) =>
              html`<article key=${id} class=${role}>
                <h4>${role} <span class="muted">${clock(created)}</span></h4>
                ${tools.length === 0 ? null : html`<p class="tools">${tools.map(({ name, state }, at) => html`<span key=${at} class=${`tool ${state}`}>${name}</span>`)}</p>`}
                ${text === "" ? null : html`<pre class="text">${text}</pre>`}
                ${error === undefined ? null : html`<p class="wrong">${error}</p>`}
              </article>`,
          )
        : null
    }
  </section>`
}
