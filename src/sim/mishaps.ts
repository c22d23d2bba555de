import type { FaultClass } from "./faults.ts"
import type { World } from "./world.ts"

/** At most so many of a kind. */
const MOST = 3
/** Long enough that a run meets them, short enough that most fall into it. */
const WITHIN_MS = 240_000
/** What deleting one session takes (measured). */
const DELETE_MS = 14

/** Lets everything happen that befalls the machine as a whole, as often as the rates say. */
export function scheduleMishaps(world: World): void {
  for (const what of MACHINE) {
    const rate = world.rates[what] ?? 0
    for (let n = 0; n < MOST; n++) {
      if (!world.dice.chance(n === 0 ? rate : rate / 2, what, 0, n)) continue
      const at = 50 + world.dice.unit("at", what.length, n * 31 + MACHINE.indexOf(what)) ** 2 * WITHIN_MS
      world.loop.after(at, () => STRIKES[what]?.(world, (kind) => world.dice.unit(`${what} ${kind}`, 0, n)))
    }
  }
}

/** What one of them does, by throws of its own. */
const STRIKES: Readonly<Partial<Record<FaultClass, (world: World, roll: (kind: string) => number) => void>>> = {
  "events.dropped": (world, roll) => {
    world.strike("events.dropped")
    world.dropEvents(500 + roll("for") * 90_000, false)
  },
  "events.stalled": (world, roll) => {
    world.strike("events.stalled")
    world.dropEvents(500 + roll("for") * 90_000, true)
  },
  "server.restart": (world, roll) => restartServer(world, 10 + roll("for") ** 3 * 60_000, roll("told") < 0.5),
  "server.cut": (world, roll) => cutServer(world, 100 + roll("for") ** 3 * 400_000),
  "server.dispose": (world, roll) => {
    const directories = directoriesOf(world)
    // Most of the time people work in one project.
    const one = roll("which") < 0.7 ? directories[Math.floor(roll("one") * directories.length)] : undefined
    disposeInstance(world, roll("for") ** 2 * 15_000, one === undefined ? directories : [one])
  },
  "coordinator.crash": (world, roll) =>
    crashCoordinator(world, {
      downMs: 100 + roll("for") ** 3 * 60_000,
      effects: Math.floor(roll("effect") * 6),
      server: false,
    }),
  "host.crash": (world, roll) =>
    crashCoordinator(world, {
      downMs: 500 + roll("for") ** 3 * 60_000,
      effects: Math.floor(roll("effect") * 6),
      server: true,
    }),
  "machine.sleep": (world, roll) => sleepMachine(world, 60_000 + roll("for") * 28_800_000),
  "wall.jump": (world, roll) => jumpWall(world, (roll("by") - 0.5) * 7_200_000),
  "user.limits": (world, roll) => {
    const limits = {
      defaultConcurrency: 1 + Math.floor(roll("limit") * 6),
      providerConcurrency: { a: Math.floor(roll("provider") * 4) },
      modelConcurrency: { "b/mini": Math.floor(roll("model") * 4) },
    }
    world.strike("user.limits", `the limits are ${JSON.stringify(limits)}`)
    world.limit(limits)
  },
}

const MACHINE = Object.keys(STRIKES) as FaultClass[]

/** `kill -9` of OpenCode, and another one soon after; `told`: whoever supervises it tells the coordinator. */
export function restartServer(world: World, downMs: number, told: boolean): void {
  if (!world.server.up) return
  world.strike("server.restart", `OpenCode is killed, for ${Math.round(downMs)} ms`)
  world.server.kill()
  world.dropEvents(downMs + 50, false)
  world.loop.after(downMs, () => {
    world.server.start()
    if (told) world.coordinator?.feed({ type: "server-restarted" })
  })
}

/** OpenCode works on, but nobody reaches it. */
export function cutServer(world: World, ms: number): void {
  world.strike("server.cut", `OpenCode cannot be reached for ${Math.round(ms)} ms`)
  world.cutUntil = Math.max(world.cutUntil, world.loop.now + ms)
  world.dropEvents(ms, true)
}

/** Where there are sessions. */
function directoriesOf(world: World): string[] {
  return [...new Set([...world.server.sessions.values()].map((session) => session.directory))]
}

/** The instances of some directories, or of all of them, go away and come back. */
export function disposeInstance(world: World, ms: number, directories: readonly string[] = directoriesOf(world)): void {
  world.strike("server.dispose", `the instance of ${directories.join(" and ")} is disposed for ${Math.round(ms)} ms`)
  for (const directory of directories) {
    world.server.reloading.add(directory)
    world.server.dispose(directory)
    world.coordinator?.feed({ type: "instance", directory, state: "disposed" })
    world.loop.after(ms, () => {
      world.server.reloading.delete(directory)
      world.coordinator?.feed({ type: "instance", directory, state: "loaded" })
    })
  }
}

/** OpenCode deletes a conversation: first the sessions under it, one after the other, then itself. */
export function deleteConversation(world: World, id: string): void {
  const conversation = world.conversation(id)
  const under = [...world.server.sessions.values()].filter(({ parentID, deleted }) => parentID === id && !deleted)
  under.forEach((session, i) =>
    world.loop.after(i * DELETE_MS, () => {
      if (session.deleted) return
      conversation.took.add(session.id)
      world.server.delete(session.id)
    }),
  )
  world.loop.after(under.length * DELETE_MS, () => {
    conversation.deleted = true
    world.orphan(id)
  })
}

/** `kill -9` of the coordinator's process after so many more effects; `server`: its OpenCode goes with it. */
export function crashCoordinator(
  world: World,
  how: { readonly downMs: number; readonly effects: number; readonly server: boolean },
): void {
  if (world.coordinator === undefined) return
  world.strike(
    how.server ? "host.crash" : "coordinator.crash",
    `the coordinator dies after ${how.effects} more effects`,
  )
  const dies = (): void => {
    world.onCrash = undefined
    const down = world.server.up
    if (how.server) world.server.kill()
    world.loop.after(how.downMs, () => {
      if (how.server && down) world.server.start()
      world.start(how.server ? "dead" : "alive")
    })
  }
  world.onCrash = dies
  if (how.effects === 0) return world.crash()
  world.crashAfter = how.effects
  // Where nothing happens any more, it dies all the same.
  world.loop.after(5_000, () => {
    if (world.onCrash === dies) world.crash()
  })
}

/** All that computes stands still; the wall clock goes on, and connections break. */
export function sleepMachine(world: World, ms: number): void {
  world.strike("machine.sleep", `the machine sleeps for ${Math.round(ms)} ms`)
  world.loop.wallOffset += ms
  world.dropEvents(300, false)
}

export function jumpWall(world: World, ms: number): void {
  world.strike("wall.jump", `the wall clock is set by ${Math.round(ms)} ms`)
  world.loop.wallOffset += ms
}
