import type { Clock, SessionApi, SessionInfo } from "../../../src/coordinator/ports.ts"
import type { Assignment } from "../../../src/core/effects.ts"
import type { RunReport } from "../../../src/core/inputs.ts"
import { NO_TOKENS } from "../../../src/core/snapshot.ts"
import { driveSession } from "../../../workers/drive-session.ts"
import type { DrivenRun } from "../../../workers/drive-session.ts"

/** A server that answers at once: whatever time a run takes is the thread's and the link's. */
export function nullApi(clock: Clock): SessionApi {
  let sessions = 0
  const prompts = new Map<string, string>()
  const info = (id: string, metadata: Readonly<Record<string, unknown>> = {}): SessionInfo => ({
    id,
    directory: "/project",
    title: id,
    created: 0,
    updated: 0,
    tokens: NO_TOKENS,
    cost: 0,
    metadata,
  })
  return {
    create: async ({ metadata }) => info(`ses_${(sessions += 1)}`, metadata),
    get: async (_directory, id) => info(id),
    list: async () => [],
    stamp: async () => {},
    prompt: async (_directory, id, { messageID }) => void prompts.set(id, messageID),
    status: async () => ({ askedAt: clock.now(), of: {} }),
    newest: async (_directory, id) => {
      const user = prompts.get(id) ?? ""
      const newest = {
        id: `${user}_answer`,
        role: "assistant",
        parentID: user,
        completed: true,
        finish: "stop",
        summary: false,
        output: true,
        text: "Done.",
      } as const
      return { newest, newestUser: user, fingerprint: newest.id, users: [user] }
    },
    messages: async () => [],
    todoList: async () => [],
    todos: async () => ({ open: 0, digest: "none" }),
    asks: async () => ({}),
    reject: async () => {},
    abort: async () => {},
    delete: async () => {},
  }
}

/** Pauses take no time, so that what is left is the threads' and the links'. */
function hasty(clock: Clock): Clock {
  return {
    now: () => clock.now(),
    wall: () => clock.wall(),
    setTimer: (_ms, callback) => {
      const soon = setImmediate(callback)
      return () => clearImmediate(soon)
    },
  }
}

/** One run from its session to its second look at the answer, driven as a worker does; it pokes and stops itself. */
export function nullRun(
  assignment: Assignment,
  api: SessionApi,
  clock: Clock,
  report: (report: RunReport) => void,
): DrivenRun {
  let looks = 0
  const driven: DrivenRun = driveSession(assignment, {
    api,
    clock: hasty(clock),
    report: (said) => {
      report(said)
      if (said.type === "prompted") driven.command({ type: "poke" })
      if (said.type === "snapshot" && ++looks === 2) driven.command({ type: "stop", abort: false })
    },
  })
  return driven
}

/** What a run must have said for its work to have happened. */
export function isWhole(said: readonly RunReport[]): boolean {
  const types = said.map(({ type }) => type).join(" ")
  const answer = said.findLast((report) => report.type === "snapshot")
  return types === "session prompted snapshot snapshot stopped" && answer?.snapshot.newest?.text === "Done."
}

/** The n-th run. */
export function nthAssignment(n: number): Assignment {
  return {
    run: { task: `bg_${n.toString(36).padStart(8, "0")}`, epoch: 1, attempt: 1 },
    directory: "/project",
    createdAt: 0,
    title: "null",
    search: false,
    stamp: false,
    prompts: [{ n: 0, kind: "first", text: "Look for the login code.", tail: "tail0000000000" }],
    check: false,
    accepted: 0,
    alone: false,
    pollIntervalMs: 1_000,
    maxResultChars: 60_000,
  }
}
