/** Writes files that belong to the user: whole or not at all, and as what they were. */

import { accessSync, chmodSync, chownSync, constants, lstatSync, mkdirSync, realpathSync } from "node:fs"
import { renameSync, rmSync, statSync, writeFileSync } from "node:fs"
import type { Stats } from "node:fs"
import { dirname } from "node:path"

/** Where a file really lies, and as what. */
export interface Place {
  readonly path: string
  /** Undefined: it is to be made. */
  readonly was: Stats | undefined
}

/** Follows links; throws a sentence if the file may not be written. */
export function placeOf(file: string): Place {
  if (lstatSync(file, { throwIfNoEntry: false }) === undefined) return { path: file, was: undefined }
  const was = statSync(file, { throwIfNoEntry: false })
  if (was === undefined) throw refused(`${file} is a link that leads nowhere. Correct or remove it`)
  const path = realpathSync(file)
  if (!isWritable(path, was)) throw refused(`${path} is read-only. Make it writable`)
  return { path, was }
}

/** Written beside and put in place: whoever reads meanwhile finds the old or the new one, never half of it. */
export function replaceFile({ path, was }: Place, text: string): void {
  mkdirSync(dirname(path), { recursive: true })
  const beside = `${path}.${process.pid}.new`
  try {
    // It may hold keys: at no moment may more people read it than before.
    writeFileSync(beside, text, { flag: "wx", mode: was === undefined ? 0o666 : 0o600 })
    if (was !== undefined) {
      if (process.getuid?.() === 0) chownSync(beside, was.uid, was.gid)
      chmodSync(beside, was.mode & 0o7777)
    }
    renameSync(beside, path)
  } finally {
    rmSync(beside, { force: true })
  }
}

/** Root may write everything, and means no more by it than others. */
function isWritable(path: string, { mode }: Stats): boolean {
  if ((mode & 0o222) === 0) return false
  try {
    accessSync(path, constants.W_OK)
    return true
  } catch {
    return false
  }
}

function refused(sentence: string): Error {
  return new Error(`${sentence}, then run this again; nothing was written.`)
}
