/**
 * Finds the processes a test file leaves behind.
 *
 * On Linux this process becomes the "subreaper" of all it starts: whoever outlives its parent, even in a session of its
 * own and with an empty environment, becomes our child instead of init's. So after a file has ended, every process
 * below us is one that it left.
 */
import { dlopen } from "bun:ffi"
import { readFileSync } from "node:fs"

export interface Process {
  readonly pid: number
  readonly name: string
}

const PR_SET_CHILD_SUBREAPER = 36

/** Makes orphans below this process its children; false where the system has no such thing. */
export function adoptOrphans(): boolean {
  if (process.platform !== "linux") return false
  for (const library of ["libc.so.6", "libc.so"]) {
    try {
      const libc = dlopen(library, { prctl: { args: ["int", "u64", "u64", "u64", "u64"], returns: "int" } })
      return libc.symbols.prctl(PR_SET_CHILD_SUBREAPER, 1n, 0n, 0n, 0n) === 0
    } catch {
      // the other C library's name
    }
  }
  return false
}

interface Row extends Process {
  readonly parent: number
}

/** One living process; undefined if it is gone, or dead and only waiting to be counted. */
function read(pid: number): Row | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8")
    const [state, parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
    if (state === "Z" || state === "X") return undefined
    const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim()
    return { pid, parent: Number(parent), name: command || stat.slice(stat.indexOf("(") + 1, stat.lastIndexOf(")")) }
  } catch {
    return undefined
  }
}

/** Every living process below this one. */
export function descendants(): Process[] {
  const rows: Row[] = []
  for (const entry of new Bun.Glob("[0-9]*").scanSync({ cwd: "/proc", onlyFiles: false })) {
    const row = read(Number(entry))
    if (row) rows.push(row)
  }
  const below = (parent: number): Row[] =>
    rows.filter((row) => row.parent === parent).flatMap((row) => [row, ...below(row.pid)])
  return below(process.pid)
}

/** Ends the given processes; those that are gone already are no matter. */
export function end(processes: readonly Process[]): void {
  for (const { pid } of processes) {
    try {
      process.kill(pid, "SIGKILL")
    } catch {
      // gone
    }
  }
}
