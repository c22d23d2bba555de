import { readdirSync, rmdirSync } from "node:fs"

import { isTerminal } from "../core/task.ts"
import { journalsIn } from "./journal-files.ts"
import { isLiving, readOwner, signOver } from "./journal-owner.ts"
import { lastTouched, removeJournal } from "./journal-parts.ts"
import { readAll } from "./journal-rows.ts"
import type { OpenSql, Sql } from "./sqlite-library.ts"
import { openDatabase, readDatabase } from "./sqlite-schema.ts"
import { projectFolders } from "./state-folder.ts"

/**
 * Removes what dead coordinators left in projects nobody comes to any more, once all of it is over, told, and older than
 * tasks are kept: a coordinator would forget it, if one were there. What cannot be understood stays. Returns what is gone.
 */
export function removeForgotten(open: OpenSql, state: string, olderThan: number): string[] {
  const gone: string[] = []
  for (const folder of projectFolders(state)) {
    for (const file of journalsIn(folder)) {
      try {
        if (lastTouched(file) < olderThan && isOver(open, file, olderThan)) {
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
function isOver(open: OpenSql, file: string, olderThan: number): boolean {
  const from = using(readDatabase(open, file), (sql) => {
    const owner = readOwner(sql, file)
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
