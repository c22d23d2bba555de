import { html } from "htm/preact"
import type { VNode } from "preact"
import { useEffect, useRef, useState } from "preact/hooks"

import type { WireDetail, WireTask } from "../wire.ts"
import { ask } from "./connection.ts"
import { CopyButton, SureButton } from "./controls.ts"
import { Facts } from "./facts.ts"
import { clock } from "./format.ts"
import { STATE_WORDS, icon, stateIcon } from "./icons.ts"
import type { Store } from "./store.ts"
import { Prompts, Result, Transcript } from "./texts.ts"
import { Todos } from "./todos.ts"

interface DetailProps {
  readonly store: Store
  readonly task: WireTask
  readonly now: number
  readonly onClose: () => void
}

/** All of one task. Every text of an agent is shown as text: nothing of it is markup here. */
export function Detail({ store, task, now, onClose }: DetailProps): VNode {
  const heading = useRef<HTMLHeadingElement>(null)
  const [detail, setDetail] = useState<WireDetail | undefined>(undefined)
  const [wrong, setWrong] = useState("")
  useEffect(() => heading.current?.focus({ preventScroll: true }), [task.id])
  // What is read on demand is read again when the task has moved.
  const version = [task.epoch, task.state, task.sessionID, task.steps, task.tool].join()
  useEffect(() => {
    let current = true
    setWrong("")
    ask<WireDetail>(`/api/tasks/${encodeURIComponent(task.id)}`).then(
      (found) => current && setDetail(found),
      (failure: Error) => current && setWrong(failure.message),
    )
    return () => void (current = false)
  }, [task.id, version])
  const shown = detail?.task.id === task.id ? detail : undefined
  const live = task.state === "running" || task.state === "pending"
  const path = `/api/tasks/${encodeURIComponent(task.id)}`
  const act = async (what: string, body: unknown): Promise<boolean> => {
    try {
      setWrong("")
      await ask(`${path}/${what}`, body)
      return true
    } catch (failure) {
      setWrong((failure as Error).message)
      return false
    }
  }
  return html`<aside class="detail" aria-label="Task detail">
    <header>
      <p class="kicker">
        ${stateIcon(task.state)}
        ${STATE_WORDS[task.state]}${task.reason === undefined ? "" : html` · <span class="mono">${task.reason}</span>`}
      </p>
      <button type="button" class="button quiet close" aria-label="Close the detail" onClick=${onClose}>
        ${icon("close")}
      </button>
      <h2 ref=${heading} tabindex="-1">${task.description}</h2>
      ${task.sentence === undefined ? null : html`<p class="sentence">${task.sentence}</p>`}
      <div class="actions">
        ${live && store.can.has("cancel") ? html`<${SureButton} label="Cancel" sure="Really cancel?" kind="danger" onSure=${() => void act("cancel", {})} />` : null}
        ${shown?.open === undefined ? null : html`<a class="button" href=${shown.open} target="_blank" rel="noreferrer">${icon("out")} Open in OpenCode</a>`}
        <${CopyButton} text=${task.id} label="Copy the task's id">${icon("copy")} ${task.id}<//>
        ${task.sessionID === undefined ? null : html`<${CopyButton} text=${task.sessionID} label="Copy the session's id">${icon("copy")} ${task.sessionID.slice(0, 12)}…<//>`}
      </div>
      ${wrong === "" ? null : html`<p class="wrong" role="alert">${wrong}</p>`}
    </header>
    ${shown === undefined ? null : html`<${Result} detail=${shown} live=${live} />`}
    ${
      store.can.has("todos") && task.sessionID !== undefined
        ? html`<${Todos} key=${`d-${task.id}`} path=${path} version=${version} />`
        : null
    }
    <${Facts}
      task=${task}
      detail=${shown}
      history=${store.history.get(task.id)}
      counted=${!store.can.has("todos")}
      now=${now}
    />
    ${shown === undefined ? null : html`<${Prompts} detail=${shown} />`}
    ${store.can.has("continue") ? html`<${Continue} key=${task.id} live=${live} onSend=${(prompt: string) => act("continue", { prompt })} />` : null}
    ${
      store.can.has("messages") && task.sessionID !== undefined
        ? html`<${Transcript} key=${`t-${task.id}`} path=${path} />`
        : html`<p class="muted small">
            The transcript is in OpenCode: <code>opencode -s ${task.sessionID ?? "…"}</code>
          </p>`
    }
    <${Own} store=${store} id=${task.id} />
  </aside>`
}

function Continue({ live, onSend }: { live: boolean; onSend: (prompt: string) => Promise<boolean> }): VNode {
  const [prompt, setPrompt] = useState("")
  const [sending, setSending] = useState(false)
  const send = async (event: Event): Promise<void> => {
    event.preventDefault()
    setSending(true)
    if (await onSend(prompt)) setPrompt("")
    setSending(false)
  }
  return html`<form class="continue" onSubmit=${(event: Event) => void send(event)}>
    <label>
      <h3>${live ? "Say more" : "Continue"}</h3>
      <textarea
        rows="3"
        value=${prompt}
        placeholder=${live ? "Goes into the running session" : "Runs again in the same session"}
        onInput=${(e: Event) => setPrompt((e.target as HTMLTextAreaElement).value)}
      ></textarea>
    </label>
    <button type="submit" class="button primary" disabled=${sending || prompt.trim() === ""}>
      ${live ? "Send" : "Continue"}
    </button>
  </form>`
}

function Own({ store, id }: { store: Store; id: string }): VNode {
  const marks = store.history.get(id).marks
  if (marks.length === 0) return html`<div></div>`
  return html`<details class="own">
    <summary>What happened <span class="muted">(${marks.length})</span></summary>
    <ol>
      ${marks.map(([at, kind, word], n) => html`<li key=${n}><time>${clock(at)}</time> <span class="muted">${kind}</span> ${word}</li>`)}
    </ol>
  </details>`
}
