import { readdirSync, rmdirSync } from "node:fs"

import { DEFAULTS } from "../core/options.ts"
import { isTerminal } from "../core/task.ts"
import { journalsIn } from "./journal-files.ts"
import { isLiving, readOwner, signOver } from "./journal-owner.ts"
import { lastTouched, removeJournal } from "./journal-parts.ts"
import { readAll } from "./journal-rows.ts"
import type { OpenSql, Sql } from "./sqlite-library.ts"
import { openDatabase, readDatabase } from "./sqlite-schema.ts"
import { projectFolders } from "./state-folder.ts"

/** The shortest time tasks can be kept: what was written since then need not be opened. */
const LEAST_MS = 60_000

/**
 * Removes what dead coordinators left in projects nobody comes to any more, once all of it is over, told, and older than
 * its coordinator kept tasks: it would forget it, if it were there. What cannot be understood stays. `now`: epoch ms.
 * Returns what is gone.
 */
export function removeForgotten(open: OpenSql, state: string, now: number): string[] {
  const gone: string[] = []
  for (const folder of projectFolders(state)) {
    for (const file of journalsIn(folder)) {
      try {
        if (isOver(open, file, now)) {
          removeJournal(file)
          gone.push(file)
        }
      } catch {
        // Somebody's who is not us, or of a newer program.
      }
    }
    try {
      if (readdirSync(folder).length === 0) rmdirSync(folder)
    } catch {
      // Somebody has just come there.
    }
  }
  return gone
}

/** Looked at without a trace; then signed over to us, so that nobody takes it meanwhile. */
function isOver(open: OpenSql, file: string, now: number): boolean {
  // To open it may touch it.
  const touched = lastTouched(file)
  if (touched > now - LEAST_MS) return false
  const from = using(readDatabase(open, file), (sql) => {
    const owner = readOwner(sql, file)
    const olderThan = now - (owner?.retainMs ?? DEFAULTS.retainMs)
    if (touched > olderThan) return undefined
    const { n } = sql.prepare("SELECT count(*) AS n FROM tasks").get() ?? {}
    const rows = readAll(sql)
    const isPast = rows.every(
      ({ state, settledAt = olderThan, notice }) =>
        isTerminal(state) && settledAt < olderThan && notice.state !== "owed",
    )
    return owner !== undefined && !isLiving(owner) && n === rows.length && isPast ? owner : undefined
  })
  if (from === undefined) return false
  const sql = openDatabase(open, file, () => {})
  return sql !== undefined && using(sql, () => signOver(sql, from, from) !== undefined)
}

function using<T>(sql: Sql, look: (sql: Sql) => T): T {
  try {
    return look(sql)
  } finally {
    sql.close()
  }
}
