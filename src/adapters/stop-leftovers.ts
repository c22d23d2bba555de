import type { SessionApi } from "../coordinator/ports.ts"
import type { TaskRow } from "../core/task.ts"

/**
 * Aborts what a dead coordinator had ended but not stopped any more: sessions of tasks that were cancelled or failed and
 * are still busy with a prompt of ours. One that somebody has prompted since is theirs. Best effort, never rejects.
 */
export async function stopLeftovers(
  rows: readonly TaskRow[],
  api: Pick<SessionApi, "status" | "newest" | "abort">,
  isOver: (row: TaskRow) => boolean,
): Promise<void> {
  const ended = rows.filter(
    ({ outcome, sessionID }) => outcome !== undefined && outcome.state !== "completed" && sessionID !== undefined,
  )
  for (const directory of new Set(ended.map(({ spec }) => spec.directory))) {
    const of = ended.filter(({ spec }) => spec.directory === directory)
    const busy = await api.status(directory).then(
      (sample) => sample.of,
      () => ({}),
    )
    for (const row of of) {
      const session = row.sessionID ?? ""
      if (session in busy && isOver(row)) await stop(row, session, api).catch(() => {})
    }
  }
}

async function stop(row: TaskRow, session: string, api: Pick<SessionApi, "newest" | "abort">): Promise<void> {
  const { directory } = row.spec
  const { users } = await api.newest(directory, session, { limit: LOOK_BACK, maxChars: 0 })
  const newest = users[0]
  if (newest !== undefined && row.prompts.some(({ tail }) => newest.endsWith(tail))) await api.abort(directory, session)
}

/** Messages among which the newest prompt is looked for. */
const LOOK_BACK = 20
