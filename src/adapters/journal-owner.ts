import { randomUUID } from "node:crypto"

import { lastTouched } from "./journal-parts.ts"
import type { Owner } from "./process-owner.ts"
import { isRunning, thisProcess } from "./process-owner.ts"
import type { Sql } from "./sqlite-library.ts"
import { transaction } from "./sqlite-schema.ts"

/** Whose a journal file is, and what it is about. */
export interface Ownership {
  readonly file: string
  /** Changes with every owner; undefined = given up properly. */
  readonly token: string | undefined
  readonly process: Owner
  readonly directory: string
  /** The server its runs are in. */
  readonly server: string
  /** That server ends with the owner. */
  readonly hosted: boolean
  /** How long it keeps what has settled; ms. Undefined: as long as by default. */
  readonly retainMs?: number | undefined
  /** Epoch ms. */
  readonly created: number
}

/** What a coordinator signs its file with. */
export type Signature = Pick<Ownership, "directory" | "server" | "hosted" | "retainMs">

export function readOwner(sql: Sql, file: string): Ownership | undefined {
  const row = sql.prepare("SELECT * FROM owner").get()
  if (row === undefined) return undefined
  return {
    file,
    token: row["token"] === null ? undefined : String(row["token"]),
    process: { pid: Number(row["pid"]), start: String(row["start"]) },
    directory: String(row["directory"]),
    server: String(row["server"]),
    hosted: row["hosted"] === 1,
    retainMs: typeof row["retain"] === "number" ? row["retain"] : undefined,
    created: Number(row["created"]),
  }
}

/** An owner touches its file so often: a sign of life for those who cannot see its process. */
export const BEAT_MS = 10_000
/** Without one for so long, an owner that cannot be seen is taken for dead: six that were missed. */
const SILENT_MS = 60_000

/** Somebody writes this file. */
export function isLiving({ file, token, process }: Ownership): boolean {
  if (token === undefined) return false
  return isRunning(process) ?? Date.now() - lastTouched(file) < SILENT_MS
}

/** Signs a new file; returns the token. */
export function signNew(sql: Sql, { directory, server, hosted, retainMs }: Signature, created: number): string {
  const token = randomUUID()
  const { pid, start } = thisProcess()
  sql
    .prepare(
      "INSERT INTO owner (one, token, pid, start, directory, server, hosted, retain, created) VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .run(token, pid, start, directory, server, hosted ? 1 : 0, retainMs ?? null, created)
  return token
}

/**
 * Signs a file over from a dead owner, if that is still the owner: of several who try, one gets it. Returns the token, or
 * undefined when another was quicker.
 */
export function signOver(sql: Sql, from: Ownership, signature: Signature): string | undefined {
  return transaction(sql, () => {
    const now = readOwner(sql, from.file)
    if (now === undefined || now.token !== from.token || isLiving(now)) return undefined
    const token = randomUUID()
    assign(sql, { ...signature, token, process: thisProcess() })
    return token
  })
}

/** Undoes that: the file is again of somebody who is gone. */
export function giveBack(sql: Sql, from: Ownership): void {
  transaction(sql, () => assign(sql, from))
}

function assign(sql: Sql, owner: Omit<Ownership, "file" | "created">): void {
  const { token, process, directory, server, hosted, retainMs } = owner
  sql
    .prepare("UPDATE owner SET token = ?, pid = ?, start = ?, directory = ?, server = ?, hosted = ?, retain = ?")
    .run(token ?? null, process.pid, process.start, directory, server, hosted ? 1 : 0, retainMs ?? null)
}
