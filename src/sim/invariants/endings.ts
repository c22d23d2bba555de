import type { LaneEvent } from "../../core/events.ts"
import type { TaskRow } from "../../core/task.ts"
import type { Oracle } from "../truth.ts"

const TERMINAL: readonly string[] = ["completed", "error", "cancelled"]
/** Said of a task while it runs. */
const DURING: ReadonlySet<string> = new Set(["task:snapshot", "task:progress", "task:nudged", "task:permission"])
/** Deadlines are met on the ms; what a crash adds is not the run's. */
const SLACK_MS = 1_000

/** 2, 8, 20: every epoch ends once, in order, in time. */
export const endings: Oracle = (scene) => {
  const ends = new Map<string, string>()
  const stage = new Map<string, "queued" | "started" | "session" | "settled">()
  const startedAt = new Map<string, number>()
  const ended = (key: string, end: string, from: string): void => {
    const before = ends.get(key)
    if (before === undefined) ends.set(key, end)
    else if (before !== end) scene.fail(2, `${key} ended as ${before} and then, by ${from}, as ${end}`)
  }
  const inTime = (event: LaneEvent<"task:settled">, from: number | undefined): void => {
    const { id, epoch, outcome } = event
    const ttl = scene.tasks.get(id)?.spec.ttlMs ?? scene.options.taskTtlMs
    const ran = Math.max(outcome.durationMs, from === undefined ? 0 : scene.loop.now - from)
    if (ran > ttl + SLACK_MS) scene.fail(8, `${id}:${epoch} ran ${Math.round(ran)} ms, its TTL is ${ttl} ms`)
  }
  const forgetful = (id: string): boolean => scene.struck.has("journal.fails") && scene.disk.behind.has(id)
  return {
    event(event) {
      if (!("id" in event) || !event.type.startsWith("task:")) return
      const key = `${event.id}:${event.epoch}`
      const now = stage.get(key)
      if (event.type === "task:queued") {
        if (now === "settled") scene.fail(2, `${key} was queued again after it had settled`)
        stage.set(key, "queued")
        startedAt.delete(key)
      } else if (event.type === "task:started") {
        if (now === "settled" || now === undefined || (now !== "queued" && event.attempt === 1)) {
          scene.fail(20, `${key} started while it was ${now ?? "unknown"}`)
        }
        stage.set(key, "started")
        if (!startedAt.has(key)) startedAt.set(key, scene.loop.now)
      } else if (event.type === "task:session") {
        if (now !== "started" && now !== "session") {
          scene.fail(20, `${key} got a session while it was ${now ?? "unknown"}`)
        }
        stage.set(key, "session")
      } else if (event.type === "task:settled") {
        if (now === "settled") scene.fail(2, `${key} settled twice`)
        if (now === undefined) scene.fail(20, `${key} settled before it was queued`)
        stage.set(key, "settled")
        ended(key, `${event.outcome.state} ${event.outcome.reason}`, "the bus")
        inTime(event, startedAt.get(key))
      } else if (now === "settled" && DURING.has(event.type)) {
        scene.fail(20, `${key}: ${event.type} after it had settled`)
      }
    },
    wrote(rows: readonly TaskRow[]) {
      for (const row of rows) {
        const key = `${row.id}:${row.epoch}`
        if (TERMINAL.includes(row.state)) ended(key, `${row.state} ${row.outcome?.reason ?? "?"}`, "the journal")
        else if (ends.has(key) && !forgetful(row.id))
          scene.fail(2, `${key} was written as ${row.state} after it had ended`)
      }
    },
    crashed() {
      startedAt.clear()
      // What was stored but not said yet is known to the next coordinator all the same.
      for (const { id, epoch } of scene.disk.rows.values())
        if (!stage.has(`${id}:${epoch}`)) stage.set(`${id}:${epoch}`, "queued")
      // What settled in memory but not on the disk may end again.
      for (const id of scene.disk.behind) {
        for (const key of [...ends.keys()]) {
          if (!key.startsWith(`${id}:`)) continue
          ends.delete(key)
          stage.set(key, "queued")
        }
      }
    },
    quiet() {
      for (const row of scene.coordinator?.list() ?? []) {
        if (!TERMINAL.includes(row.state)) scene.fail(2, `${row.id} is ${row.state} at the end`)
      }
    },
  }
}
