import { randomBytes } from "node:crypto"
import { lstatSync, readdirSync } from "node:fs"
import { join } from "node:path"

import { LanesError } from "../core/errors.ts"
import type { SealedRow } from "../core/sealed.ts"
import type { TaskRow } from "../core/task.ts"
import type { Merged } from "./journal-merge.ts"
import { merge } from "./journal-merge.ts"
import type { Ownership, Signature } from "./journal-owner.ts"
import { giveBack, isLiving, readOwner, signNew, signOver } from "./journal-owner.ts"
import { removeJournal, setAside } from "./journal-parts.ts"
import type { StoredRows } from "./journal-rows.ts"
import { readRows } from "./journal-rows.ts"
import type { JournalBounds } from "./sqlite-journal.ts"
import { SqliteJournal, unwritable } from "./sqlite-journal.ts"
import type { Hide } from "./secrets.ts"
import type { OpenSql, Sql } from "./sqlite-library.ts"
import { checkpoint, createDatabase, openDatabase } from "./sqlite-schema.ts"
import { ensurePrivate } from "./state-folder.ts"

export interface FileJournalOptions {
  readonly open: OpenSql
  /** Of the project: one file for each coordinator, living or dead. */
  readonly folder: string
  readonly signature: Signature
  readonly bounds?: JournalBounds
  /** What is written goes through it. */
  readonly hide?: Hide | undefined
  /** Epoch ms. */
  readonly wall: () => number
  /** Whether somebody is there: what runs in a server that answers is left to those who use it. */
  readonly answers: (server: string) => Promise<boolean>
  readonly log: (message: string) => void
}

/** A journal of ours, and what dead owners left. */
export interface OpenedJournal {
  readonly journal: SqliteJournal
  /** Rows whose runs may still be in our server. */
  readonly alive: readonly TaskRow[]
  /** Rows whose server is gone. */
  readonly dead: readonly TaskRow[]
  /** Rows of completed tasks, unread. */
  readonly sealed: readonly SealedRow[]
}

/** A file of ours. */
interface Signed {
  readonly sql: Sql
  readonly file: string
  readonly token: string
}

/** A dead owner's file, signed over to us. */
interface Claimed extends Signed {
  readonly from: Ownership
  readonly stored: StoredRows
}

/**
 * Opens the journal of this coordinator. The oldest file that a dead owner left becomes ours, the rows of the others are
 * copied into it; without any, a new one is made. Files of living owners, and files that cannot be understood, are left
 * as they are. Throws JOURNAL_FAILED when nothing can be written there.
 */
export async function openFileJournal(options: FileJournalOptions): Promise<OpenedJournal> {
  ensurePrivate(options.folder)
  const claimed: Claimed[] = []
  for (const file of journalsIn(options.folder)) {
    const claim = await tryClaim(file, options)
    if (claim !== undefined) claimed.push(claim)
  }
  claimed.sort((a, b) => a.from.created - b.from.created)
  const { journal, rows, sealed } = takeOver(claimed, options)
  const { server, hosted } = options.signature
  const ended = new Set(claimed.filter(({ from }) => from.hosted).map(({ from }) => from.server))
  const isAlive = (row: TaskRow): boolean => !hosted && row.spec.server === server && !ended.has(server)
  const ours = (row: TaskRow): TaskRow => ({ ...row, spec: { ...row.spec, server } })
  const alive = rows.filter(isAlive)
  const dead = rows.filter((row) => !isAlive(row)).map(ours)
  return { journal, alive, dead, sealed }
}

/** Makes one journal of what was claimed. When that fails, all of it is left as it was found. */
function takeOver(claimed: readonly Claimed[], options: FileJournalOptions): Merged & { journal: SqliteJournal } {
  const base = claimed.find(({ stored }) => !stored.damaged)
  const others = claimed.filter((claim) => claim !== base)
  let own: Signed | undefined = base
  let made: Merged & { journal: SqliteJournal }
  try {
    own ??= create(options)
    const { bounds = {}, hide } = options
    const merged = merge(
      own.sql,
      base?.stored ?? { rows: [], sealed: [] },
      others.map(({ stored }) => stored),
    )
    made = { ...merged, journal: new SqliteJournal({ ...own, bounds, hide }) }
  } catch (thrown) {
    if (own !== undefined && own !== base) discard(own)
    for (const claim of claimed) giveUp(claim)
    throw unwritable(options.folder, thrown)
  }
  for (const { sql, file, stored } of others) {
    sql.close()
    if (stored.damaged) setAside(file, "what could be read was taken over", options.log)
    else removeJournal(file)
  }
  return made
}

function discard({ sql, file }: Signed): void {
  sql.close()
  removeJournal(file)
}

function giveUp({ sql, from }: Claimed): void {
  try {
    giveBack(sql, from)
  } catch {
    // There is no room for this either: it is free when we end.
  }
  sql.close()
}

/** Journal files of a project; what is a link or no file at all is none. */
export function journalsIn(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith(".db"))
      .map((name) => join(folder, name))
      .filter((path) => lstatSync(path, { throwIfNoEntry: false })?.isFile() === true)
      .sort()
  } catch {
    return []
  }
}

async function tryClaim(file: string, options: FileJournalOptions): Promise<Claimed | undefined> {
  const { open, signature, answers, log } = options
  let sql: Sql | undefined
  try {
    sql = openDatabase(open, file, () => setAside(file, "its tables are lost", log))
    if (sql === undefined) return undefined
    const from = readOwner(sql, file)
    if (from === undefined || isLiving(from) || (await isUsed(from, signature, answers))) {
      sql.close()
      return undefined
    }
    const token = signOver(sql, from, signature)
    if (token === undefined) {
      sql.close()
      return undefined
    }
    const stored = readRows(sql, signature.server)
    if (stored.torn > 0) log(`${stored.torn} rows of the journal ${file} cannot be read; they are left in it.`)
    return { sql, file, token, from, stored }
  } catch (thrown) {
    sql?.close()
    log(
      `The journal ${file} cannot be taken over: ${LanesError.from(thrown, "JOURNAL_FAILED").message}. It is left as it is.`,
    )
    return undefined
  }
}

/** Its runs may go on, in a server that is not ours: whoever comes to that one next looks after them. */
async function isUsed(
  from: Ownership,
  { server }: Signature,
  answers: FileJournalOptions["answers"],
): Promise<boolean> {
  return !from.hosted && from.server !== server && (await answers(from.server))
}

function create({ open, folder, signature, wall }: FileJournalOptions): Signed {
  const file = join(folder, `${randomBytes(6).toString("hex")}.db`)
  let sql: Sql | undefined
  try {
    sql = createDatabase(open, file)
    const token = signNew(sql, signature, wall())
    checkpoint(sql)
    return { sql, file, token }
  } catch (thrown) {
    sql?.close()
    removeJournal(file)
    const { message } = LanesError.from(thrown, "JOURNAL_FAILED")
    throw new LanesError(
      "JOURNAL_FAILED",
      `No journal can be made in ${folder}: ${message}.`,
      "See to the folder, or switch the journal off.",
    )
  }
}
