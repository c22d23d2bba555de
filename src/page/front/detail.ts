import { html } from "htm/preact"
import type { VNode } from "preact"
import { useEffect, useRef, useState } from "preact/hooks"

import type { SourceMessage } from "../source.ts"
import type { WireDetail, WireHistory, WireTask } from "../wire.ts"
import { ask } from "./connection.ts"
import { CopyButton, SureButton } from "./controls.ts"
import { clock, count, duration, money, plural } from "./format.ts"
import { STATE_WORDS, icon, stateIcon } from "./icons.ts"
import type { Store } from "./store.ts"

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
  useEffect(() => {
    let current = true
    setWrong("")
    ask<WireDetail>(`/api/tasks/${encodeURIComponent(task.id)}`).then(
      (found) => current && setDetail(found),
      (failure: Error) => current && setWrong(failure.message),
    )
    return () => void (current = false)
  }, [task.id, task.epoch, task.state, task.sessionID, task.steps])
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
      <p class="kicker">${stateIcon(task.state)} ${STATE_WORDS[task.state]}${task.reason === undefined ? "" : html` · <span class="mono">${task.reason}</span>`}</p>
      <button type="button" class="button quiet close" aria-label="Close the detail" onClick=${onClose}>${icon("close")}</button>
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
    <${Facts} task=${task} detail=${shown} history=${store.history.get(task.id)} now=${now} />
    ${shown === undefined ? null : html`<${Texts} detail=${shown} live=${live} />`}
    ${store.can.has("continue") ? html`<${Continue} key=${task.id} live=${live} onSend=${(prompt: string) => act("continue", { prompt })} />` : null}
    ${
      store.can.has("messages") && task.sessionID !== undefined
        ? html`<${Transcript} key=${`t-${task.id}`} path=${path} />`
        : html`<p class="muted small">The transcript is in OpenCode: <code>opencode -s ${task.sessionID ?? "…"}</code></p>`
    }
    <${Own} store=${store} id=${task.id} />
  </aside>`
}

function Facts({ task, detail, history, now }: { task: WireTask; detail: WireDetail | undefined; history: WireHistory; now: number }): VNode {
  const facts: [string, unknown][] = [
    ["Lane", task.lane],
    ["Agent", task.agent ?? "the server's default"],
    ["Model", task.model ?? "the server's default"],
    ["Queued", `${clock(task.queuedAt)}, waited ${duration((task.startedAt ?? task.settledAt ?? now) - task.queuedAt)}`],
  ]
  if (task.startedAt !== undefined) facts.push(["Ran", `${duration((task.settledAt ?? now) - task.startedAt)} from ${clock(task.startedAt)}`])
  if (detail?.ttlMs !== undefined) facts.push(["Bound", detail.ttlMs === null ? "none" : duration(detail.ttlMs)])
  facts.push(["Cost", `${money(task.cost)}, ${count(task.tokens)} tokens in ${plural(task.steps, "step")}`])
  if (detail !== undefined && task.tokens > 0) {
    const { input, output, reasoning, cacheRead } = detail.tokens
    facts.push(["Tokens", `${count(input)} in, ${count(output)} out${reasoning > 0 ? `, ${count(reasoning)} reasoning` : ""}${cacheRead > 0 ? `, ${count(cacheRead)} cached` : ""}`])
  }
  if (task.tool !== undefined) facts.push([task.state === "running" ? "Tool" : "Last tool", task.tool])
  if (history.todosOpen !== undefined) facts.push(["TODOs", history.todosOpen === 0 ? "all done" : `${history.todosOpen} open`])
  if (history.retrying !== undefined) facts.push(["Retrying", history.retrying])
  const attempts = [
    `epoch ${task.epoch}, attempt ${task.attempt}`,
    ...(detail !== undefined && detail.crashes > 0 ? [plural(detail.crashes, "lost worker")] : []),
    ...(task.nudges > 0 ? [plural(task.nudges, "nudge")] : []),
    ...(detail !== undefined && detail.resumes > 0 ? [plural(detail.resumes, "resume")] : []),
  ]
  facts.push(["Attempts", attempts.join(", ")])
  if (task.parent !== undefined) facts.push(["Parent", html`<span class="mono">${task.parent}</span>${detail === undefined ? "" : ` (${NOTICES[detail.notice] ?? detail.notice})`}`])
  if (detail !== undefined) facts.push(["Directory", detail.directory])
  return html`<dl class="facts">${facts.map(([name, value]) => html`<div key=${name}><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`
}

const NOTICES: Readonly<Record<string, string>> = { none: "not told", owed: "will be told", told: "told", dead: "could not be told" }

function Texts({ detail, live }: { detail: WireDetail; live: boolean }): VNode {
  return html`<div>
    ${
      detail.text === undefined || detail.text === ""
        ? null
        : html`<section><h3>${live ? "Last words" : "Result"}${detail.truncated === true ? html` <span class="muted">(cut)</span>` : null}</h3><pre class="text result">${detail.text}</pre></section>`
    }
    ${detail.prompts.map(
      ({ kind, text, sent }, at) =>
        html`<details key=${at} open=${at === 0 && detail.text === undefined}>
          <summary>${kind === "first" ? "Prompt" : kind === "follow-up" ? "Follow-up" : kind === "nudge" ? "Nudge" : "Resume"}${sent ? "" : html` <span class="muted">(not sent yet)</span>`}</summary>
          <pre class="text">${text}</pre>
        </details>`,
    )}
    ${(detail.unsent ?? []).map((text, at) => html`<details key=${`u${at}`}><summary>Follow-up <span class="muted">(never sent)</span></summary><pre class="text">${text}</pre></details>`)}
  </div>`
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
      <textarea rows="3" value=${prompt} placeholder=${live ? "Goes into the running session" : "Runs again in the same session"} onInput=${(e: Event) => setPrompt((e.target as HTMLTextAreaElement).value)}></textarea>
    </label>
    <button type="submit" class="button primary" disabled=${sending || prompt.trim() === ""}>${live ? "Send" : "Continue"}</button>
  </form>`
}

function Transcript({ path }: { path: string }): VNode {
  const [messages, setMessages] = useState<readonly SourceMessage[] | string | undefined>(undefined)
  const read = (): void => {
    setMessages("Reading…")
    ask<readonly SourceMessage[]>(`${path}/messages`).then(setMessages, (failure: Error) => setMessages(failure.message))
  }
  return html`<section class="transcript">
    <h3>Transcript <button type="button" class="button quiet" onClick=${read}>${messages === undefined ? "show" : "read again"}</button></h3>
    ${typeof messages === "string" ? html`<p class="muted" role="status">${messages}</p>` : null}
    ${
      typeof messages === "object"
        ? messages.map(
            ({ id, role, text, tools, error, created }) =>
              html`<article key=${id} class=${role}>
                <h4>${role} <span class="muted">${clock(created)}</span></h4>
                ${tools.length === 0 ? null : html`<p class="tools">${tools.map(({ name, state }, at) => html`<span key=${at} class=${`tool ${state}`}>${name}</span>`)}</p>`}
                ${text === "" ? null : html`<pre class="text">${text}</pre>`} ${error === undefined ? null : html`<p class="wrong">${error}</p>`}
              </article>`,
          )
        : null
    }
  </section>`
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
