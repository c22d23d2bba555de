import type { World } from "./world.ts"

/** What must be zero when there is nothing left to do. */
const BUSY = ["live", "runs", "draining", "waiting", "slots", "outbox", "deliveries"] as const
/** What still works after this long without anybody waiting for it works for nobody. */
const ORPHAN_MS = 30_000

/** Nothing is left to be done; what the server still does is given a while to end. */
export function isQuiet(world: World): boolean {
  const { coordinator } = world
  if (coordinator === undefined || world.tally.live.size > 0 || world.running > 0 || world.crashAfter !== undefined)
    return false
  const sizes = coordinator.sizes()
  if (BUSY.some((what) => (sizes[what] ?? 0) > 0)) return false
  if (!world.server.up || !working(world)) return world.server.up
  // What could not be aborted because nobody was reached is aborted after that.
  const end = Math.max(world.loop.now, world.cutUntil) + ORPHAN_MS
  while (working(world) && world.tally.live.size === 0 && world.step(end));
  return world.tally.live.size === 0 && world.coordinator !== undefined
}

/** What keeps it from being quiet, as a violation: the promise that everything ends does not hold. */
export function stillOpen(world: World): [invariant: number, sentence: string] {
  const [open] = world.tally.live
  if (open !== undefined) return [2, `${open} has not ended; ${world.tally.live.size} task(s) are open`]
  const sizes = world.coordinator?.sizes() ?? {}
  const left = BUSY.filter((what) => (sizes[what] ?? 0) > 0).map((what) => `${what} ${String(sizes[what])}`)
  if ((sizes["outbox"] ?? 0) > 0) return [4, `something is still owed to a parent (${left.join(", ")})`]
  return [10, `at the end there is still: ${left.join(", ") || `${world.running} run(s) in threads`}`]
}

function working(world: World): boolean {
  for (const [id, player] of world.server.players) {
    if (player.working && world.server.sessions.get(id)?.deleted === false) return true
  }
  return false
}
