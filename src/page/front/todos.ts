import { html } from "htm/preact"
import type { VNode } from "preact"
import { useEffect, useState } from "preact/hooks"

import type { SourceTodo } from "../source.ts"
import { ask } from "./connection.ts"
import { icon } from "./icons.ts"

/** How people say a TODO's status, and its picture; one we do not know is shown by its own word. */
const LOOKS: Readonly<Record<string, readonly [word: string, picture: string]>> = {
  completed: ["done", "completed"],
  in_progress: ["in progress", "running"],
  pending: ["open", "open"],
  cancelled: ["cancelled", "cancelled"],
}

/** The task's TODO list as OpenCode has it now, read again whenever `version` changes; why not, where it cannot be read. */
export function Todos({ path, version }: { path: string; version: string }): VNode | null {
  const [todos, setTodos] = useState<readonly SourceTodo[] | string>([])
  useEffect(() => {
    let current = true
    ask<readonly SourceTodo[]>(`${path}/todos`).then(
      (found) => current && setTodos(found),
      (failure: Error) => current && setTodos(failure.message),
    )
    return () => void (current = false)
  }, [path, version])
  if (typeof todos === "string") {
    return html`<section class="todos">
      <h3>TODOs</h3>
      <p class="muted small" role="status">They cannot be read: ${todos}</p>
    </section>`
  }
  if (todos.length === 0) return null
  const done = todos.filter(({ status }) => status === "completed").length
  return html`<section class="todos">
    <h3>TODOs <span class="muted">${done} of ${todos.length} done</span></h3>
    <ul>
      ${todos.map(({ content, status }, at) => {
        const [word, picture] = LOOKS[status] ?? [status, "open"]
        return html`<li key=${at} class=${status}>
          ${icon(picture)} <span class="what">${content}</span> <span class="word">${word}</span>
        </li>`
      })}
    </ul>
  </section>`
}
