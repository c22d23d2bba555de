import type { Oracle } from "../truth.ts"

/** A worker's time to stop a session, and the coordinator's, which aborts twice. */
const STOPPED_MS = 15_000
const DENIED = ["task", "question", "external_directory", "doom_loop", "delegate_task"]

/** 3, 18, 22: one live run and one session per task, each prompt once, no delegation, nothing left running. */
export const sessions: Oracle = (scene) => {
  const living = new Map<string, number>()
  const prompts = new Map<string, string>()
  const prompted = new Map<string, string>()
  /** Ended, but its session still ran when the coordinator died: nobody is left who knows. */
  const leaving = new Set<string>()
  /** A full disk and a crash: what was sent is not known any more. */
  const forgotten = new Set<string>()
  /** Sessions at work when their tasks ended, and by when they must have been stopped. */
  const stopping = new Map<string, { readonly id: string; readonly by: number }>()
  return {
    event(event) {
      if (event.type === "task:queued") stopping.delete(event.id)
      if (event.type !== "task:settled" || event.outcome.state === "completed") return
      const { id, outcome } = event
      if (scene.server.players.get(outcome.sessionID ?? "")?.working === true)
        stopping.set(id, { id: outcome.sessionID ?? "", by: scene.loop.now + STOPPED_MS })
    },
    settled() {
      if (stopping.size === 0) return
      for (const [task, session] of stopping) {
        if (scene.server.players.get(session.id)?.working !== true || !reachable(scene.struck)) stopping.delete(task)
        else if (scene.loop.now > session.by) scene.fail(18, `${task} has ended, but its session works on`)
      }
    },
    lives(run, alive) {
      const count = (living.get(run.task) ?? 0) + (alive ? 1 : -1)
      if (count === 0) living.delete(run.task)
      else living.set(run.task, count)
      if (count > 1) scene.fail(3, `${run.task} has ${count} live runs`)
    },
    crashed() {
      living.clear()
      stopping.clear()
      for (const id of scene.disk.behind) forgotten.add(id)
      for (const row of scene.disk.rows.values()) {
        const over = row.state !== "pending" && row.state !== "running"
        if (over && row.sessionID !== undefined && scene.server.players.get(row.sessionID)?.working === true)
          leaving.add(row.sessionID)
      }
    },
    fact(fact) {
      if (fact.type === "created") {
        const rules = fact.session.permission
        const open = DENIED.filter(
          (name) => !rules.some(({ permission, action }) => permission === name && action === "deny"),
        )
        const allowed = rules.find(({ action }) => action !== "deny")
        if (fact.session.task !== undefined && (open.length > 0 || allowed !== undefined)) {
          scene.fail(22, `session ${fact.session.id} does not deny ${open.join(", ") || "only"}`)
        }
      }
      if (fact.type !== "prompt" || fact.session.task === undefined) return
      const { session, messageID, fresh } = fact
      const tail = messageID.slice(-14)
      const before = prompts.get(tail)
      if (forgotten.has(session.task ?? "")) return
      if (before !== undefined && before !== `${session.id} ${messageID}`) {
        scene.fail(18, `the same prompt reached ${before.split(" ")[0] ?? "?"} and ${session.id}, or one of them twice`)
      }
      prompts.set(tail, `${session.id} ${messageID}`)
      const other = prompted.get(session.task ?? "")
      if (fresh && other !== undefined && other !== session.id)
        scene.fail(18, `${session.task ?? "?"} was prompted in ${other} and in ${session.id}`)
      prompted.set(session.task ?? "", session.id)
    },
    quiet() {
      const doubles = new Map<string, string>()
      for (const [id, session] of scene.server.sessions) {
        if (session.task === undefined || session.deleted) continue
        if (scene.server.players.get(id)?.working === true && !leaving.has(id))
          scene.fail(18, `session ${id} of ${session.task} still runs, for nobody`)
        const first = doubles.get(session.task)
        if (first !== undefined && spotless(scene.struck))
          scene.fail(18, `${session.task} left two sessions, ${first} and ${id}`)
        doubles.set(session.task, id)
      }
    },
  }
}

/** Nothing has struck that may keep a session from being stopped in time. */
function reachable(struck: ReadonlySet<string>): boolean {
  return ![...struck].some((what) => /^(call|worker|host|server|session|report)[.]/.test(what))
}

/** Nothing has struck that may keep a double from being found and deleted. */
function spotless(struck: ReadonlySet<string>): boolean {
  return ![...struck].some((what) => /^(call|worker|coordinator|host|server|session|user)[.]/.test(what))
}
