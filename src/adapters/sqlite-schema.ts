import { closeSync, openSync } from "node:fs"

import { LanesError } from "../core/errors.ts"
import { hasLog, isCut } from "./journal-parts.ts"
import type { OpenSql, Sql } from "./sqlite-library.ts"

/*
 * tasks   the truth: one row per task, as JSON; `settled`, `session` and `parent` are what must be known of a sealed one
 *         without reading it, null where the row is to be read at once
 * events  audit and tail: append only, the oldest dropped
 * owner   one row: who writes this file; nobody while `token` is null. `retain`: how long it keeps what has settled, ms
 */
const MIGRATIONS: readonly string[] = [
  `CREATE TABLE tasks (id TEXT PRIMARY KEY, place INTEGER NOT NULL, row TEXT NOT NULL);
   CREATE INDEX tasks_place ON tasks (place, id);
   CREATE TABLE events (n INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, event TEXT NOT NULL);
   CREATE TABLE owner (
     one INTEGER PRIMARY KEY CHECK (one = 1), token TEXT, pid INTEGER, start TEXT,
     directory TEXT NOT NULL, server TEXT NOT NULL, hosted INTEGER NOT NULL, created INTEGER NOT NULL
   );`,
  `ALTER TABLE tasks ADD COLUMN settled INTEGER;
   ALTER TABLE tasks ADD COLUMN session TEXT;
   ALTER TABLE tasks ADD COLUMN parent TEXT;`,
  `ALTER TABLE owner ADD COLUMN retain INTEGER;`,
]

/** Version of the files this program writes. */
const SCHEMA: number = MIGRATIONS.length

/** Before all else: the first look into a dead owner's file already waits for others who look. */
const PATIENCE = "PRAGMA busy_timeout = 2000"
const SETTINGS = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 8388608"

/** Makes an empty file that only its owner may read. */
export function createDatabase(open: OpenSql, file: string): Sql {
  closeSync(openSync(file, "wx", 0o600))
  const sql = open(file)
  sql.exec(PATIENCE)
  // Only an empty file can be told to give room back.
  sql.exec("PRAGMA auto_vacuum = INCREMENTAL")
  sql.exec(SETTINGS)
  migrate(sql)
  return sql
}

/** Until then a new file's tables are only in its log, and lost with it. */
export function checkpoint(sql: Sql): void {
  sql.exec("PRAGMA wal_checkpoint(TRUNCATE)")
}

/**
 * Opens a file for writing, migrated; throws on one of a newer program or of another kind, and leaves it as it is.
 * Undefined for one that is being made, or was never finished: nothing was ever acknowledged in it. Undefined, too, for
 * one whose tables are lost: `onLost` moves it away, for SQLite deletes its log on closing.
 */
export function openDatabase(open: OpenSql, file: string, onLost: () => void): Sql | undefined {
  if (isCut(file)) {
    onLost()
    return undefined
  }
  const sql = open(file)
  try {
    sql.exec(PATIENCE)
    const version = versionOf(sql)
    if (version > SCHEMA) throw newer(file, version)
    if (version === 0) {
      // Whoever makes it now writes its log under the lock.
      if (hasLog(file) && transaction(sql, () => versionOf(sql)) === 0) onLost()
      sql.close()
      return undefined
    }
    sql.exec(SETTINGS)
    migrate(sql)
    return sql
  } catch (thrown) {
    sql.close()
    throw thrown
  }
}

/** Opens a file of any readable version for reading alone. */
export function readDatabase(open: OpenSql, file: string): Sql {
  if (isCut(file)) throw new LanesError("JOURNAL_FAILED", `The journal ${file} is empty, but its log is not.`)
  const sql = open(file, { readonly: true })
  try {
    sql.exec(PATIENCE)
    const version = versionOf(sql)
    if (version > SCHEMA) throw newer(file, version)
    return sql
  } catch (thrown) {
    sql.close()
    throw thrown
  }
}

function migrate(sql: Sql): void {
  if (versionOf(sql) === SCHEMA) return
  transaction(sql, () => {
    // Another process may have done it while we waited for the lock.
    for (let version = versionOf(sql); version < SCHEMA; version++) {
      sql.exec(MIGRATIONS[version] ?? "")
      sql.exec(`PRAGMA user_version = ${version + 1}`)
    }
  })
}

function versionOf(sql: Sql): number {
  return Number(sql.prepare("PRAGMA user_version").get()?.["user_version"] ?? 0)
}

/** All or nothing. Immediate: a deferred one meets SQLITE_BUSY whatever the busy time-out. */
export function transaction<T>(sql: Sql, body: () => T): T {
  sql.exec("BEGIN IMMEDIATE")
  try {
    const result = body()
    sql.exec("COMMIT")
    return result
  } catch (thrown) {
    try {
      sql.exec("ROLLBACK")
    } catch {
      // SQLite has rolled back by itself: disk full, input or output error.
    }
    throw thrown
  }
}

function newer(file: string, version: number): LanesError {
  return new LanesError(
    "JOURNAL_FAILED",
    `The journal ${file} has schema ${version}; this program knows ${SCHEMA}.`,
    "It is left as it is; use the newer opencode-lanes that wrote it.",
  )
}
