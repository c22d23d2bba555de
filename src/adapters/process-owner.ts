import { spawnSync } from "node:child_process"
import { readFileSync } from "node:fs"

/** A process, told from a later one that got the same number. */
export interface Owner {
  readonly pid: number
  /** When it started, as the system says it; "" where it does not. */
  readonly start: string
}

let own: Owner | undefined

/** This process. */
export function thisProcess(): Owner {
  own ??= { pid: process.pid, start: startOf(process.pid) ?? "" }
  return own
}

/** Whether the process still runs. In doubt it does: nobody takes from the living. */
export function isRunning({ pid, start }: Owner): boolean {
  if (start !== "") return startOf(pid) === start
  try {
    process.kill(pid, 0)
    return true
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code === "EPERM"
  }
}

/** Undefined when there is no such process, or nobody who could say. */
function startOf(pid: number): string | undefined {
  return process.platform === "linux" ? linuxStart(pid) : psStart(pid)
}

/** Ticks since boot and the boot itself: field 22 of `stat`, counted after the name, which may hold anything. */
function linuxStart(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8")
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
    if (fields[0] === "Z" || fields[0] === "X") return undefined
    return `${fields[19]}@${readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()}`
  } catch {
    return undefined
  }
}

function psStart(pid: number): string | undefined {
  const { status, stdout } = spawnSync("ps", ["-o", "lstart=", "-p", String(pid)], { encoding: "utf8" })
  const start = status === 0 ? stdout.trim() : ""
  return start === "" ? undefined : start
}
