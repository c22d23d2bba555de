import { html } from "htm/preact"
import type { VNode } from "preact"

import type { WireDetail, WireHistory, WireTask } from "../wire.ts"
import { clock, count, duration, money, plural } from "./format.ts"

/** What is known of a task in names and values. */
export function Facts({
  task,
  detail,
  history,
  counted,
  now,
}: {
  task: WireTask
  detail: WireDetail | undefined
  history: WireHistory
  /** How many TODOs are open is told here, because the list itself cannot be read. */
  counted: boolean
  now: number
}): VNode {
  const facts: [string, unknown][] = [
    ["Lane", task.lane],
    ["Agent", task.agent ?? "the server's default"],
    ["Model", task.model ?? "the server's default"],
    [
      "Queued",
      `${clock(task.queuedAt)}, waited ${duration((task.startedAt ?? task.settledAt ?? now) - task.queuedAt)}`,
    ],
  ]
  if (task.startedAt !== undefined)
    facts.push(["Ran", `${duration((task.settledAt ?? now) - task.startedAt)} from ${clock(task.startedAt)}`])
  if (detail?.ttlMs !== undefined) facts.push(["Bound", detail.ttlMs === null ? "none" : duration(detail.ttlMs)])
  facts.push(["Cost", `${money(task.cost)}, ${count(task.tokens)} tokens in ${plural(task.steps, "step")}`])
  if (detail !== undefined && task.tokens > 0) {
    const { input, output, reasoning, cacheRead } = detail.tokens
    facts.push([
      "Tokens",
      `${count(input)} in, ${count(output)} out${reasoning > 0 ? `, ${count(reasoning)} reasoning` : ""}${cacheRead > 0 ? `, ${count(cacheRead)} cached` : ""}`,
    ])
  }
  if (task.tool !== undefined) facts.push([task.state === "running" ? "Tool" : "Last tool", task.tool])
  if (counted && history.todosOpen !== undefined)
    facts.push(["TODOs", history.todosOpen === 0 ? "all done" : `${history.todosOpen} open`])
  if (history.retrying !== undefined) facts.push(["Retrying", history.retrying])
  const attempts = [
    `epoch ${task.epoch}, attempt ${task.attempt}`,
    ...(detail !== undefined && detail.crashes > 0 ? [plural(detail.crashes, "lost worker")] : []),
    ...(task.nudges > 0 ? [plural(task.nudges, "nudge")] : []),
    ...(detail !== undefined && detail.resumes > 0 ? [plural(detail.resumes, "resume")] : []),
  ]
  facts.push(["Attempts", attempts.join(", ")])
  if (task.parent !== undefined)
    facts.push([
      "Parent",
      html`<span class="mono">${task.parent}</span
        >${detail === undefined ? "" : ` (${NOTICES[detail.notice] ?? detail.notice})`}`,
    ])
  if (detail !== undefined) facts.push(["Directory", detail.directory])
  return html`<dl class="facts">
    ${facts.map(
      ([name, value]) =>
        html`<div key=${name}>
          <dt>${name}</dt>
          <dd>${value}</dd>
        </div>`,
    )}
  </dl>`
}

const NOTICES: Readonly<Record<string, string>> = {
  none: "not told",
  owed: "will be told",
  told: "told",
  dead: "could not be told",
}
