import type { Oracle } from "../truth.ts"

/**
 * 4, 9, 19: each end is told to its parent once, only when it has ended, and not again after a restart; with a turn when
 * it failed or was the last of its batch, and not before.
 */
export const notices: Oracle = (scene) => {
  const ended = new Set<string>()
  const proven = new Set<string>()
  let restarted = false
  const owed = new Map<string, string>()
  const endedAt = new Map<string, number>()
  let startedAt = -1
  /** Background tasks at work, by conversation and batch. */
  const working = new Map<string, Set<string>>()
  const batches = new Map<string, string>()
  const batchOf = (id: string): string | undefined => {
    const { spec } = scene.coordinator?.get(id) ?? {}
    return spec?.background === true ? `${spec.parent?.sessionID}:${spec.parent?.batch}` : undefined
  }
  const leave = (id: string): void => {
    const batch = batches.get(id) ?? ""
    const of = working.get(batch)
    if (of?.delete(id) === true && of.size === 0) working.delete(batch)
    batches.delete(id)
  }
  const join = (id: string): void => {
    leave(id)
    const batch = batchOf(id)
    if (batch === undefined) return
    batches.set(id, batch)
    working.set(batch, (working.get(batch) ?? new Set()).add(id))
  }
  return {
    event(event) {
      if (event.type === "task:queued") join(event.id)
      if (event.type === "task:settled") {
        leave(event.id)
        ended.add(`${event.id}:${event.epoch}`)
        endedAt.set(`${event.id}:${event.epoch}`, scene.loop.now)
        const task = scene.tasks.get(event.id)
        if (task?.spec.parent !== undefined && task.spec.background)
          owed.set(`${event.id}:${event.epoch}`, task.spec.parent.sessionID)
      }
      if (event.type === "task:notified" && event.dead !== true) {
        const key = `${event.id}:${event.epoch}`
        if (proven.has(key)) scene.fail(restarted ? 19 : 4, `${key} was called told twice`)
        proven.add(key)
      }
    },
    delivering(delivery, rows) {
      delivery.items.forEach(({ task, epoch }, i) => {
        const key = `${task}:${epoch}`
        const state = rows[i]?.state
        if (state === "pending" || state === "running") scene.fail(9, `${key} is told although it is ${state}`)
        if (proven.has(key) && !scene.disk.behind.has(task))
          scene.fail(restarted ? 19 : 4, `${key} is told again although its parent is known to hold it`)
      })
    },
    telling({ items, wake }) {
      const wakes = items.map(({ task, epoch }) => {
        const row = scene.coordinator?.get(task)
        const first =
          row?.outcome?.state !== "completed" || scene.options.wake === "each" || !working.has(batchOf(task) ?? "")
        // What ended before a restart, or by it, starts no turn.
        return { task, first, quiet: (endedAt.get(`${task}:${epoch}`) ?? -1) <= startedAt }
      })
      const missed = wakes.find(({ first, quiet }) => first && !quiet)
      if (missed !== undefined && !wake)
        scene.fail(4, `${missed.task} is told without a turn although its batch is over, or it failed`)
      if (wake && !wakes.some(({ first }) => first))
        scene.fail(4, `${items[0]?.task ?? ""} is told with a turn although its batch is at work`)
    },
    started(recovered) {
      restarted = recovered
      if (recovered) startedAt = scene.loop.now
    },
    crashed() {
      working.clear()
      batches.clear()
      for (const id of scene.disk.behind)
        for (const key of [...proven]) if (key.startsWith(`${id}:`)) proven.delete(key)
    },
    quiet() {
      const told = new Map<string, number>()
      for (const conversation of scene.conversations.values()) {
        for (const { task, epoch } of conversation.told.values()) {
          const key = `${task}:${epoch}`
          told.set(key, (told.get(key) ?? 0) + 1)
          if (!ended.has(key) && scene.disk.behind.size === 0 && !restarted)
            scene.fail(9, `${key} was told but never ended`)
        }
      }
      for (const [key, times] of told) if (times > 1) scene.fail(4, `${key} was told ${times} times`)
      for (const row of scene.coordinator?.list() ?? []) {
        const key = `${row.id}:${row.epoch}`
        const parent = owed.get(key)
        if (row.notice.state === "owed") scene.fail(4, `${key} is still owed to ${parent ?? "its parent"}`)
        if (parent === undefined || told.has(key)) continue
        const excused = row.notice.state === "dead" || row.notice.state === "none"
        if (!excused) scene.fail(4, `${key} was never told to ${parent} although its notice is ${row.notice.state}`)
        if (excused && scene.conversations.get(parent)?.deleted !== true && row.outcome?.state !== "cancelled") {
          scene.fail(4, `${key} was never told to ${parent}: its notice is ${row.notice.state}`)
        }
      }
    },
  }
}
