import type { Oracle, Scene } from "../truth.ts"

/** 32: where an instance is loaded again the server is there, and runs of other directories have lost nothing. */
export const instances: Oracle = (scene) => {
  const disposed = new Set<string>()
  return {
    fact(fact) {
      if (fact.type === "disposed") disposed.add(fact.directory)
    },
    event(event) {
      if (event.type === "server:lost" && !hasStruck(scene, UNREACHABLE))
        scene.fail(32, "the server is called lost although it was there all the time")
      if (event.type !== "task:settled" || event.outcome.reason !== "INTERRUPTED") return
      if (hasStruck(scene, UNREACHABLE) || hasStruck(scene, UNSEEN)) return
      const directory = scene.tasks.get(event.id)?.spec.directory ?? ""
      if (!disposed.has(directory))
        scene.fail(32, `${event.id} was interrupted although the instance of ${directory} was there all the time`)
    },
  }
}

/** What makes the server unreachable, or what runs in it doubtful. */
const UNREACHABLE = /^(server[.](cut|restart)|call[.]lost|coordinator[.]|host[.])/
/** What hides that a session works, so that one that is called idle for a while looks cut off. */
const UNSEEN = /^(call|report|worker)[.]/

function hasStruck({ struck }: Scene, what: RegExp): boolean {
  return [...struck].some((name) => what.test(name))
}
