import type { TaskId } from "../core/task.ts"
import type { Mark, MarkKind, PastRun, WireEvent, WireHistory, WireTask } from "./wire.ts"

const MARKS = 120
const PAST = 20

interface Kept {
  marks: Mark[]
  past: PastRun[]
  tool?: string | undefined
  steps: number
  todosOpen?: number | undefined
  retrying?: string | undefined
}

/**
 * What the time-line shows of each task beyond its row: marks for tools, nudges, retries and lost workers, and the runs
 * before this one. Both ends keep one: the server for who comes later, the page for what it hears.
 */
export class History {
  readonly #of = new Map<TaskId, Kept>()

  load(all: Readonly<Record<string, WireHistory>>): void {
    this.#of.clear()
    for (const [id, { marks, past, todosOpen, retrying }] of Object.entries(all)) {
      this.#of.set(id, {
        marks: [...marks],
        past: [...past],
        steps: 0,
        tool: marks.findLast(([, kind]) => kind === "tool")?.[2],
        todosOpen,
        retrying,
      })
    }
  }

  get(id: TaskId): WireHistory {
    const kept = this.#of.get(id)
    return kept === undefined ? NOTHING : plain(kept)
  }

  all(): Record<string, WireHistory> {
    return Object.fromEntries([...this.#of].map(([id, kept]) => [id, plain(kept)]))
  }

  forget(gone: (id: TaskId) => boolean): void {
    for (const id of this.#of.keys()) if (gone(id)) this.#of.delete(id)
  }

  /** Notes what an event says, of a task as it was and as it is. */
  note(event: WireEvent, before: WireTask | undefined, after: WireTask | undefined): void {
    const { id, at } = event
    if (id === undefined) return
    const type: string = event.type
    switch (type) {
      case "task:progress":
        return this.#tool(id, at, after, event["tool"])
      case "task:snapshot":
        return this.#seen(id, at, event)
      case "task:nudged":
        return this.#mark(id, at, "nudge", String(event["kind"]))
      case "task:permission":
        return this.#mark(id, at, "permission", `${String(event["permission"])} ${String(event["action"])}`)
      case "task:started":
        if (
          Number(event["attempt"]) > (before?.attempt ?? 0) &&
          before?.startedAt !== undefined &&
          before.state === "running"
        ) {
          this.#mark(id, at, "attempt", `attempt ${String(event["attempt"])}`)
        }
        return
      case "task:continued":
        return this.#again(id, before)
      case "task:settled":
        this.#tool(id, at, after, undefined)
        return this.#rest(id)
      default:
    }
  }

  /** Progress is told once a second: a tool that ended in between is known by the row's last one alone. */
  #tool(id: TaskId, at: number, after: WireTask | undefined, running: unknown): void {
    const name = typeof running === "string" ? running : after?.tool
    if (name === undefined) return
    const kept = this.#keep(id)
    const steps = after?.steps ?? kept.steps
    if (name !== kept.tool || (running !== undefined && steps > kept.steps)) {
      this.#mark(id, at, "tool", name)
      kept.steps = steps
    }
    kept.tool = name
  }

  #seen(id: TaskId, at: number, event: WireEvent): void {
    const retry = typeof event["retry"] === "string" ? event["retry"] : undefined
    const todos = event["todosOpen"]
    if (retry === undefined && todos === undefined && !this.#of.has(id)) return
    const kept = this.#keep(id)
    if (retry !== undefined && retry !== kept.retrying) this.#mark(id, at, "retry", retry)
    kept.retrying = retry
    if (typeof todos === "number") kept.todosOpen = todos
  }

  #again(id: TaskId, before: WireTask | undefined): void {
    if (before?.settledAt === undefined) return
    const { past } = this.#keep(id)
    past.push([before.queuedAt, before.startedAt ?? null, before.settledAt, before.state])
    if (past.length > PAST) past.shift()
  }

  #rest(id: TaskId): void {
    const kept = this.#of.get(id)
    if (kept === undefined) return
    kept.tool = undefined
    kept.steps = 0
    kept.retrying = undefined
  }

  #mark(id: TaskId, at: number, kind: MarkKind, word: string): void {
    const { marks } = this.#keep(id)
    marks.push([at, kind, word.slice(0, 80)])
    if (marks.length > MARKS) marks.shift()
  }

  #keep(id: TaskId): Kept {
    let kept = this.#of.get(id)
    if (kept === undefined) this.#of.set(id, (kept = { marks: [], past: [], steps: 0 }))
    return kept
  }
}

const NOTHING: WireHistory = { marks: [], past: [] }

function plain({ marks, past, todosOpen, retrying }: Kept): WireHistory {
  return {
    marks,
    past,
    ...(todosOpen === undefined ? {} : { todosOpen }),
    ...(retrying === undefined ? {} : { retrying }),
  }
}
