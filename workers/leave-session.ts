import type { Assignment } from "../src/core/effects.ts"
import { LanesError } from "../src/core/errors.ts"
import { BOUNDS } from "../src/core/options.ts"
import type { RunPorts } from "./run-ports.ts"
import type { OpenSession } from "./open-session.ts"
import { sessionsOf } from "./open-session.ts"

/** An abort that had no effect is repeated after so many looks. */
const LOOK_EVERY_MS = 50
const ABORT_EVERY = 20
/** A session just prompted is idle for up to 65 ms more (measured), and an abort before it begins finds nothing to abort. */
const BEGIN_MS = 500
/** A server that is away is asked this often, and for so long: what it runs nobody wants. */
const AWAY_LOOK_MS = 1_000
const AWAY_MS = 600_000

/**
 * Leaves a session: aborted until it is seen idle, or as it is. Bounded, never throws. A session of ours that nobody
 * was told of is deleted, and so is a double that a lost answer left behind. True when it was seen idle.
 */
export async function leaveSession(
  left: {
    readonly assignment: Assignment
    readonly session: OpenSession
    readonly abort: boolean
    readonly unused: boolean
    /** When it was last prompted, on our clock. */
    readonly promptedAt?: number
  },
  { api, clock }: Pick<RunPorts, "api" | "clock">,
): Promise<boolean> {
  const { assignment, session, abort, unused } = left
  const { directory } = assignment
  if (!abort || unused) {
    if (abort) await api.delete(directory, session.id).catch(() => {})
    if (session.doubtful) await deleteDoubles(assignment, session.id, api)
    return true
  }
  const quietFrom = (left.promptedAt ?? Number.NEGATIVE_INFINITY) + BEGIN_MS
  const idle = await abortSession(directory, session.id, quietFrom, { api, clock })
  if (session.doubtful) await deleteDoubles(assignment, session.id, api)
  return idle
}

/** While nobody can be reached the session may run on: it is aborted when the server is back. */
async function abortSession(
  directory: string,
  id: string,
  quietFrom: number,
  { api, clock }: Pick<RunPorts, "api" | "clock">,
): Promise<boolean> {
  let fenced = false
  let away = false
  let busy = true
  const failed = (thrown: unknown): void => {
    if (!(thrown instanceof LanesError)) return
    fenced ||= thrown.code === "RUN_MOVED_ON"
    away ||= thrown.code === "SERVER_UNREACHABLE" || thrown.code === "RELOADING"
  }
  const giveUpAt = clock.now() + AWAY_MS
  let until = clock.now() + BOUNDS.predecessorMs
  for (let look = 0; clock.now() < Math.min(until, giveUpAt) && !fenced; look++) {
    away = false
    if (look % ABORT_EVERY === 0) await api.abort(directory, id).catch(failed)
    const status = await api.status(directory).catch(failed)
    const idle = status !== undefined && status.of[id] === undefined && !away
    if (idle && clock.now() >= quietFrom) return true
    // What begins only now has not heard the abort.
    if (!idle && !busy) look = -1
    busy = !idle
    if (away) {
      look = -1
      until = clock.now() + AWAY_LOOK_MS + BOUNDS.predecessorMs
    }
    await new Promise<void>((resolve) => clock.setTimer(away ? AWAY_LOOK_MS : LOOK_EVERY_MS, resolve))
  }
  return false
}

/** Deletes what a lost answer to a create left behind; `keep` is the session in use, if there is one. */
export async function deleteDoubles(
  assignment: Assignment,
  keep: string | undefined,
  api: RunPorts["api"],
): Promise<void> {
  const doubles = await sessionsOf(assignment, api).catch(() => [])
  for (const { id } of doubles) if (id !== keep) await api.delete(assignment.directory, id).catch(() => {})
}
