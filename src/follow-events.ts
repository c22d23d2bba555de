import type { Coordinator } from "./coordinator/coordinator.ts"
import type { Clock, EventSource, Undo } from "./coordinator/ports.ts"

/** A stream stays open for so long after the last task of its directory: the next one often follows soon. */
const LINGER_MS = 30_000

/** Follows the server events of each directory that has unsettled tasks, and feeds them as hints. Returns the undo. */
export function followEvents(coordinator: Coordinator, source: EventSource, clock: Clock): Undo {
  const streams = new Map<string, { readonly undo: Undo; linger: Undo | undefined }>()

  const open = (directory: string): void => {
    const stream = streams.get(directory)
    stream?.linger?.()
    if (stream !== undefined) return void (stream.linger = undefined)
    const undo = source.follow(directory, {
      hint: (sessionID, hint) => coordinator.feed({ type: "hint", sessionID, hint }),
      alive: (alive) => coordinator.feed({ type: "events", directory, alive }),
      disposed: () => coordinator.feed({ type: "instance", directory, state: "disposed" }),
    })
    streams.set(directory, { undo, linger: undefined })
  }
  const close = (directory: string): void => {
    const stream = streams.get(directory)
    if (stream === undefined || coordinator.isBusy(directory)) return
    stream.linger?.()
    stream.linger = clock.setTimer(LINGER_MS, () => {
      streams.delete(directory)
      stream.undo()
      coordinator.feed({ type: "events", directory, alive: false })
    })
  }
  const directoryOf = (id: string): string => coordinator.get(id)?.spec.directory ?? ""
  const undoQueued = coordinator.bus.on("task:queued", ({ id }) => open(directoryOf(id)))
  const undoSettled = coordinator.bus.on("task:settled", ({ id }) => close(directoryOf(id)))
  return () => {
    undoQueued()
    undoSettled()
    for (const { undo, linger } of streams.values()) {
      linger?.()
      undo()
    }
    streams.clear()
  }
}
