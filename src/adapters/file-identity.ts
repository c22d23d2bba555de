import { closeSync, openSync, readlinkSync, statSync } from "node:fs"

/**
 * Whether the files a journal is written to are still those at their paths: SQLite goes on writing into deleted ones, and
 * nobody would ever read them.
 *
 * The log is not asked for its status: Linux keeps a file's time exact from one such question to the next write, and
 * fsync then stores the time as well, which costs a quarter of all steps a second.
 */
export class FileIdentity {
  readonly #file: string
  readonly #main: number
  readonly #log: { readonly fd: number; readonly at: string } | undefined
  readonly #logNumber: number | undefined

  /** Throws when one of them is not there. */
  constructor(file: string) {
    this.#file = file
    this.#main = statSync(file).ino
    this.#log = held(logOf(file))
    this.#logNumber = this.#log === undefined ? statSync(logOf(file)).ino : undefined
  }

  /** What has become of them; undefined = they are there. */
  changed(): string | undefined {
    try {
      if (statSync(this.#file).ino !== this.#main) return "it was replaced by another file"
      if (this.#log === undefined) {
        if (statSync(logOf(this.#file)).ino !== this.#logNumber) return "its log was replaced by another file"
      } else if (pathOf(this.#log.fd) !== this.#log.at) {
        return "its log was deleted or moved away"
      }
      return undefined
    } catch {
      return "it was deleted or moved away"
    }
  }

  /** SQLite locks nothing in the log: that it is closed here unlocks nothing. */
  close(): void {
    if (this.#log !== undefined) closeSync(this.#log.fd)
  }
}

function logOf(file: string): string {
  return `${file}-wal`
}

/** Undefined where the system does not say which path an open file has. */
function held(path: string): { fd: number; at: string } | undefined {
  if (process.platform !== "linux") return undefined
  const fd = openSync(path, "r")
  try {
    return { fd, at: pathOf(fd) }
  } catch {
    closeSync(fd)
    return undefined
  }
}

/** Of a file that is gone it ends in "(deleted)". */
function pathOf(fd: number): string {
  return readlinkSync(`/proc/self/fd/${fd}`)
}
