import { spawnSync } from "node:child_process"
import { readFileSync, readlinkSync } from "node:fs"

/** A process, told from a later one that got the same number. */
export interface Owner {
  readonly pid: number
  /** When it started, as the system says it, and among which processes it is counted; "" where nobody says. */
  readonly start: string
}

let own: Owner | undefined

/** This process. */
export function thisProcess(): Owner {
  own ??= { pid: process.pid, start: startOf(process.pid) ?? "" }
  return own
}

/**
 * Whether the process still runs; undefined for one of another container of this machine, which cannot be seen from here.
 * In doubt it does: nobody takes from the living.
 */
export function isRunning({ pid, start }: Owner): boolean | undefined {
  const [, boot, space] = start.split("@")
  const [, ourBoot, ourSpace] = thisProcess().start.split("@")
  if (space !== undefined && space !== ourSpace && boot === ourBoot) return undefined
  if (!exists(pid)) return false
  const now = startOf(pid)
  // The version before named no container, and with `ps` no time zone.
  return now === undefined || now.startsWith(start) || boot === undefined
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code !== "ESRCH"
  }
}

/** Undefined when nobody can say. */
function startOf(pid: number): string | undefined {
  return process.platform === "linux" ? linuxStart(pid) : psStart(pid)
}

/** Ticks since boot, the boot itself, and the container: field 22 of `stat`, counted after the name, which may hold anything. */
function linuxStart(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8")
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
    if (fields[0] === "Z" || fields[0] === "X") return "ended"
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()
    return `${fields[19]}@${boot}@${readlinkSync("/proc/self/ns/pid")}`
  } catch {
    return undefined
  }
}

/** In words that do not depend on who asks. */
function psStart(pid: number): string | undefined {
  const env = { ...process.env, TZ: "UTC", LC_ALL: "C" }
  const { status, stdout } = spawnSync("ps", ["-o", "lstart=", "-p", String(pid)], { encoding: "utf8", env })
  const start = status === 0 ? stdout.trim() : ""
  return start === "" ? undefined : `${start}@UTC`
}
