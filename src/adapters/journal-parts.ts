/** The files one journal is made of. */

import { renameSync, rmSync, statSync, utimesSync } from "node:fs"

const PARTS = ["", "-wal", "-shm"]

/** With all that is beside it. */
export function removeJournal(file: string): void {
  for (const part of PARTS) rmSync(file + part, { force: true })
  rmSync(`${file}.requests`, { recursive: true, force: true })
}

/** Out of the way of the next start, for whoever wants to look into it. */
export function setAside(file: string, rest: string, log: (message: string) => void): void {
  for (const part of PARTS) {
    try {
      renameSync(file + part, `${file}.damaged${part}`)
    } catch {
      // There was none.
    }
  }
  log(`The journal ${file} is damaged: ${rest}, the file is kept as ${file}.damaged.`)
}

/** Something was written that may not be in the file itself yet. */
export function hasLog(file: string): boolean {
  return sizeOf(`${file}-wal`) > 0
}

/** An empty file with a log was cut: SQLite, reading or writing, takes it for a new one and deletes the log. */
export function isCut(file: string): boolean {
  return sizeOf(file) === 0 && hasLog(file)
}

/** Bytes; 0 = not there, too. */
export function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0
}

/** When it was written, or its owner last gave a sign of life; epoch ms. */
export function lastTouched(file: string): number {
  return Math.max(...[file, `${file}-wal`].map((path) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0))
}

/** The sign of life. */
export function touch(file: string): void {
  try {
    const now = Date.now() / 1_000
    utimesSync(file, now, now)
  } catch {
    // The next write says what has become of the file.
  }
}
