import { driveSession } from "./drive-session.ts"
import { createOpencodeSession } from "./opencode-session.ts"
import type { Role } from "./role.ts"
import { createStatusBoard } from "./status-board.ts"

/** The role of every real thread: each run drives one OpenCode session; the status of all is asked once for all. */
export const sessionRole: Role = {
  drive: driveSession,
  connect({ fetch, clock }) {
    const board = createStatusBoard({ fetch: (request, signal) => fetch(undefined, request, signal), clock })
    return (run) => createOpencodeSession({ fetch: (request, signal) => fetch(run, request, signal), clock, board })
  },
}
