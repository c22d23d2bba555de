import type { Oracle } from "../truth.ts"

/** 31: what a deleted conversation asked for is cancelled with it, although the sessions of it are deleted before. */
export const orphans: Oracle = (scene) => {
  /** Ended for want of a session that was deleted with its conversation; by that. */
  const gone = new Map<string, string>()
  return {
    event(event) {
      if (event.type !== "task:settled" || event.outcome.reason !== "SESSION_GONE") return
      const parent = scene.tasks.get(event.id)?.spec.parent?.sessionID ?? ""
      if (scene.conversations.get(parent)?.took.has(event.outcome.sessionID ?? "") === true) gone.set(parent, event.id)
    },
    orphaned(conversation) {
      const early = gone.get(conversation)
      if (early !== undefined) scene.fail(31, `${early} ended as if its session alone had been deleted`)
      for (const { id, outcome, notice } of scene.coordinator?.list(conversation) ?? []) {
        if (outcome === undefined) scene.fail(31, `${id} goes on although ${conversation} was deleted`)
        if (notice.state === "owed") scene.fail(31, `${id} is to be told to ${conversation}, which was deleted`)
      }
    },
    crashed() {
      gone.clear()
    },
  }
}
