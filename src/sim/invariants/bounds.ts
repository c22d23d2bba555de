import type { Oracle } from "../truth.ts"

/** A cut result may carry its mark. */
const MARK_CHARS = 200

/** 11, 12, 17, 23, 26, 30: caps, sizes, what is kept and what is not, and continuing. */
export const bounds: Oracle = (scene) => {
  const unsettled = new Map<string, Set<string>>()
  const waiting = new Set<string>()
  const sessionOf = new Map<string, string>()
  const epochOf = new Map<string, number>()
  const settledAt = new Map<string, { readonly mono: number; readonly wall: number }>()
  /** A coordinator that was started again knows only by the wall clock how old a task is. */
  const mayBeForgotten = (id: string): boolean => {
    const at = settledAt.get(id)
    const { now, wall } = scene.loop
    return at !== undefined && Math.max(now - at.mono, wall - at.wall) >= scene.options.retainMs
  }
  let events = 0
  let eventsAtRest: number | undefined
  return {
    event(event) {
      events++
      if (event.type === "task:queued") {
        waiting.add(event.id)
        if (event.parent !== undefined) {
          let of = unsettled.get(event.parent)
          if (of === undefined) unsettled.set(event.parent, (of = new Set()))
          of.add(event.id)
        }
        const before = epochOf.get(event.id)
        if (before !== undefined && event.epoch < before)
          scene.fail(30, `${event.id} went back to epoch ${event.epoch}`)
        epochOf.set(event.id, event.epoch)
        settledAt.delete(event.id)
      }
      if (event.type === "task:started") waiting.delete(event.id)
      if (event.type === "task:session") {
        const before = sessionOf.get(event.id)
        if (before !== undefined && before !== event.sessionID)
          scene.fail(30, `${event.id} went from session ${before} to ${event.sessionID}`)
        sessionOf.set(event.id, event.sessionID)
      }
      if (event.type === "task:settled") {
        waiting.delete(event.id)
        settledAt.set(event.id, { mono: scene.loop.now, wall: scene.loop.wall })
        const parent = scene.tasks.get(event.id)?.spec.parent?.sessionID
        if (parent !== undefined) unsettled.get(parent)?.delete(event.id)
        const { text } = event.outcome
        if (text.length > scene.options.maxResultChars + MARK_CHARS)
          scene.fail(26, `the result of ${event.id} has ${text.length} characters`)
      }
    },
    launched(task) {
      const { maxPerRoot, maxQueued } = scene.options
      const parent = task.spec.parent?.sessionID
      const count = parent === undefined ? 0 : (unsettled.get(parent)?.size ?? 0)
      if (count > maxPerRoot) scene.fail(23, `${parent ?? "?"} has ${count} unfinished tasks, the cap is ${maxPerRoot}`)
      if (waiting.has(task.id) && waiting.size > maxQueued)
        scene.fail(23, `${waiting.size} tasks wait, the cap is ${maxQueued}`)
    },
    crashed() {
      unsettled.clear()
      waiting.clear()
    },
    quiet() {
      for (const task of scene.tasks.values()) {
        if (!task.acknowledged) continue
        const row = scene.coordinator?.get(task.id)
        const kept = scene.disk.rows.get(task.id)
        if (
          row !== undefined &&
          !scene.disk.behind.has(task.id) &&
          (kept?.state !== row.state || kept.epoch !== row.epoch)
        ) {
          scene.fail(
            27,
            `the journal says ${task.id} is ${kept?.state ?? "unknown"}, the coordinator says ${row.state}`,
          )
        }
        if (row === undefined && !mayBeForgotten(task.id)) scene.fail(17, `${task.id} was acknowledged and is lost`)
      }
      eventsAtRest = events
    },
    rest() {
      const since = eventsAtRest === undefined ? 0 : events - eventsAtRest
      if (since > scene.tasks.size + 20) scene.fail(12, `${since} events after everything had ended`)
      const sizes = scene.coordinator?.sizes() ?? {}
      const left = Object.entries(sizes).filter(([, size]) => size > 0)
      if (left.length > 0)
        scene.fail(11, `after retention there is still ${left.map(([name, size]) => `${name} ${size}`).join(", ")}`)
      if (scene.disk.rows.size > 0) scene.fail(11, `after retention the journal keeps ${scene.disk.rows.size} rows`)
    },
  }
}
