import type { TaskTruth } from "../truth.ts"
import type { Oracle, Scene } from "../truth.ts"
import type { Player } from "../player.ts"
import type { SimSession } from "../session.ts"

/** What was on its way when a verdict fell: polls, events. */
const SLACK_MS = 100

/** 5, 13, 14, 15, 16, 33: verdicts against what the scripted agent really did. */
export const truths: Oracle = (scene) => {
  /** TODOs a session had when this epoch was first prompted. */
  const todosBefore = new Map<string, string>()
  const epochs = new Map<string, number>()
  /** Since when nothing disturbed the view of the agents. */
  let clearSince = 0
  let struck = 0
  /** The server process that was last known of. */
  let knownLife = scene.server.life
  let asked = ""
  return {
    event(event) {
      if (event.type === "task:continued") {
        const session = sessionOf(scene, event.id)
        if (session !== undefined) todosBefore.set(`${event.id}:${event.epoch}`, JSON.stringify(session.todos))
        epochs.set(event.id, event.epoch)
      }
      if (event.type === "server:back" || event.type === "server:lost") {
        clearSince = scene.loop.now
        knownLife = scene.server.life
      }
      if (event.type !== "task:settled") return
      const session =
        event.outcome.sessionID === undefined ? undefined : scene.server.sessions.get(event.outcome.sessionID)
      const player = session === undefined ? undefined : scene.server.players.get(session.id)
      const key = `${event.id}:${event.epoch}`
      if (event.outcome.state === "completed") {
        if (session === undefined || player === undefined) return scene.fail(15, `${key} completed without a session`)
        if (cutOffUnseen(session, player) && scene.server.life !== knownLife) return
        completed(scene, key, session, player, todosBefore.get(key) ?? "[]")
      }
      if (event.outcome.reason === "USER" && asked !== "cancel" && player?.escaped !== true)
        scene.fail(33, `${key} was cancelled by nobody`)
      if (event.outcome.reason === "STALE" && session !== undefined && player !== undefined) stale(scene, key, player)
      if (event.outcome.reason === "TTL" && player !== undefined) {
        silent(
          scene,
          key,
          player,
          scene.tasks.get(event.id),
          Math.min(scene.loop.now - clearSince, event.outcome.durationMs),
        )
      }
    },
    input(type) {
      asked = type
      if (type === "server-restarted" || type === "recover") knownLife = scene.server.life
    },
    settled() {
      if (scene.struck.size === struck) return
      struck = scene.struck.size
      clearSince = scene.loop.now
    },
    crashed() {
      clearSince = scene.loop.now
    },
    started() {
      clearSince = scene.loop.now
    },
  }
}

function sessionOf(scene: Scene, id: string): SimSession | undefined {
  const sessionID = scene.coordinator?.get(id)?.sessionID
  return sessionID === undefined ? undefined : scene.server.sessions.get(sessionID)
}

/**
 * Killed between two steps and back before anybody asked, a server leaves nothing by which that could be told from an answer
 * without a finish of its own: the idle rule takes it for one.
 */
function cutOffUnseen(session: SimSession, player: Player): boolean {
  return !player.working && session.messages.at(-1)?.finish === "tool-calls"
}

function completed(scene: Scene, key: string, session: SimSession, player: Player, before: string): void {
  if (!player.done)
    scene.fail(15, `${key} completed while its agent ${player.working ? "works" : "is not at the end of its script"}`)
  const last = session.messages.at(-1)
  if (last?.role !== "assistant" || !last.completed || last.error !== undefined || last.summary) {
    scene.fail(16, `${key} completed on ${last === undefined ? "no message" : `an unfinished ${last.role} message`}`)
  }
  const open = session.todos.filter(({ status }) => status !== "completed" && status !== "cancelled")
  if (open.length > 0 && JSON.stringify(session.todos) !== before)
    scene.fail(5, `${key} completed with ${open.length} TODOs open`)
}

/** Stale needs real silence: of everything when events come, of what REST shows otherwise. */
function stale(scene: Scene, key: string, player: Player): void {
  const { staleTimeoutMs, toolStaleTimeoutMs } = scene.options
  const since = scene.loop.now - staleTimeoutMs
  const sees = scene.eventsSince !== undefined && scene.eventsSince < since
  const moved = sees ? player.movedAt : player.visibleAt
  const bound =
    sees && !player.tool
      ? staleTimeoutMs
      : player.working
        ? Math.min(toolStaleTimeoutMs, staleTimeoutMs)
        : staleTimeoutMs
  if (scene.loop.now - moved < bound - SLACK_MS) {
    scene.fail(13, `${key} went stale ${Math.round(scene.loop.now - moved)} ms after its agent moved`)
  }
}

/** What was silent for longer than any stale bound should not have needed its TTL. */
function silent(scene: Scene, key: string, player: Player, task: TaskTruth | undefined, clearMs: number): void {
  const { toolStaleTimeoutMs, permissions } = scene.options
  if (task === undefined || !player.working || permissions === "forward") return
  // Each failed call stops the stale clock for a while.
  if ([...scene.struck].some((what) => what.startsWith("call."))) return
  const quietMs = Math.min(scene.loop.now - player.movedAt, clearMs)
  // A provider that is waited for is not silent.
  const waits = scene.server.status(task.spec.directory)
  const asked = [...scene.server.players].find(([, known]) => known === player)?.[0] ?? ""
  if (waits[asked]?.type === "retry") return
  if (quietMs > toolStaleTimeoutMs + 10_000)
    scene.fail(14, `${key} was silent for ${Math.round(quietMs)} ms and ended by its TTL`)
}
