import type { PermissionRule, SessionApi, SessionInfo } from "../src/coordinator/ports.ts"
import type { Assignment } from "../src/core/effects.ts"
import type { Todos } from "../src/core/snapshot.ts"
import { BOUNDS } from "../src/core/options.ts"
import type { Patience } from "./patience.ts"
import { RunFailure } from "./patience.ts"

/** Key of our entry in a session's metadata. */
export const METADATA_KEY = "opencode-lanes"

/**
 * What no task may do: ask people, leave its directory, delegate. Deny rules only, so that the agent's own limits stay
 * (an allow rule on a session would override a read-only agent).
 */
const DENIED: readonly PermissionRule[] = [
  "question",
  "external_directory",
  "doom_loop",
  "task",
  "delegate_task",
  "background_output",
  "background_cancel",
  "lanes_delegate",
  "lanes_output",
  "lanes_cancel",
].map((permission) => ({ permission, pattern: "*", action: "deny" }))

/** Sessions asked for at first; when there are more, as many as one answer can hold. */
const FEW = 200
const MOST = 10_000
/** The server's clock may be behind ours by so much, or have been set back since. */
const CLOCKS_MS = 86_400_000

/** The session of a run, ready to be prompted. */
export interface OpenSession {
  readonly id: string
  /** Made by this attempt. */
  readonly created: boolean
  /** An answer to a create was lost: a second session may turn up. */
  readonly doubtful: boolean
  /** Epoch ms on the server's clock when it was made. */
  readonly createdAt: number
  /** TODOs it had before this run. */
  readonly todos?: Todos
  /** Spreads periodic reads of many runs over time. */
  readonly spread: number
}

/** Finds, adopts or creates the session of a run. Undefined when stopped before there was one. */
export async function openSession(
  assignment: Assignment,
  api: SessionApi,
  patience: Patience,
): Promise<OpenSession | undefined> {
  if (assignment.sessionID !== undefined) return adopt(assignment, assignment.sessionID, api, patience)
  let doubtful = assignment.search
  let created = false
  const session = await patience.persist(async (attempt) => {
    if (attempt > 1) doubtful = true
    const found = doubtful ? await findSession(assignment, api) : undefined
    if (found !== undefined) return found
    if (patience.stopped()) return undefined
    created = true
    return api.create({
      directory: assignment.directory,
      title: assignment.title,
      ...(assignment.parentSessionID === undefined ? {} : { parentID: assignment.parentSessionID }),
      permission: DENIED,
      metadata: metadataOf(assignment),
    })
  })
  if (session === undefined) return undefined
  return describe(session, { created, doubtful })
}

/** Sessions of this task, oldest first; all but the first are doubles of a lost answer. */
export async function sessionsOf(assignment: Assignment, api: SessionApi): Promise<SessionInfo[]> {
  const { directory, createdAt, run } = assignment
  const list = (limit: number): ReturnType<SessionApi["list"]> =>
    api.list(directory, { since: createdAt - CLOCKS_MS, limit })
  const few = await list(FEW)
  const listed = few.length < FEW ? few : await list(MOST)
  return listed.filter((session) => taskOf(session) === run.task).sort((a, b) => a.created - b.created)
}

/** The task a session was made for, by its metadata. */
function taskOf(session: SessionInfo): unknown {
  const entry = session.metadata[METADATA_KEY]
  return typeof entry === "object" && entry !== null ? (entry as { task?: unknown }).task : undefined
}

async function findSession(assignment: Assignment, api: SessionApi): Promise<SessionInfo | undefined> {
  const [first] = await sessionsOf(assignment, api)
  return first
}

async function adopt(assignment: Assignment, id: string, api: SessionApi, patience: Patience): Promise<OpenSession> {
  const { directory } = assignment
  const info = await patience.persist(() => api.get(directory, id))
  if (assignment.stamp && taskOf(info) === undefined) {
    const metadata = { ...info.metadata, ...metadataOf(assignment) }
    await patience.persist(() => api.stamp(directory, id, { metadata, permission: DENIED }))
  }
  if (assignment.accepted > 0) return describe(info, ADOPTED)
  await untilIdle(assignment, id, api, patience)
  // Prompted by an earlier attempt, maybe: what is there now is not what was there before.
  if (assignment.check) return describe(info, ADOPTED)
  const todos = await patience.persist(() => api.todos(directory, id))
  return { ...describe(info, ADOPTED), todos }
}

/** A new epoch never prompts a session its predecessor is still in. */
async function untilIdle(assignment: Assignment, id: string, api: SessionApi, patience: Patience): Promise<void> {
  for (let waited = 0; !patience.stopped(); waited += 100) {
    const { of } = await patience.persist(() => api.status(assignment.directory))
    if (of[id] === undefined) return
    // A prompt of this run that was sent by an earlier attempt may be what keeps it busy.
    if (assignment.check) return
    if (waited >= BOUNDS.predecessorMs)
      throw new RunFailure("SESSION_ERROR", "The session is busy with something else.")
    await patience.sleep(100)
  }
}

const ADOPTED = { created: false, doubtful: false }

function describe(info: SessionInfo, how: Pick<OpenSession, "created" | "doubtful">): OpenSession {
  let spread = 0
  for (const char of info.id) spread += char.charCodeAt(0)
  return { id: info.id, ...how, createdAt: info.created, spread }
}

function metadataOf(assignment: Assignment): Record<string, unknown> {
  return { [METADATA_KEY]: { task: assignment.run.task } }
}
