/**
 * A child process that never outlives us.
 *
 *   host ──(pipe)── guardian (sh, waits for the end of the pipe)
 *     └── the program, leader of a process group of its own; the guardian is in that group
 *
 * When the pipe ends, because we closed it or because we died in whatever way, the guardian
 * terminates the program and everything it started: the program's descendants are looked up by
 * parent, since OpenCode gives each shell command a group of its own, and the group is killed last.
 */

import { spawn } from "node:child_process"
import type { ChildProcess } from "node:child_process"
import { stripVTControlCharacters } from "node:util"

/** A running guarded process. */
export interface GuardedProcess {
  /** Of the program itself; also its process group. */
  readonly pid: number
  /** Resolves when the program has ended. */
  readonly exited: Promise<ProcessExit>
  /** The last of what it wrote to either output, at most 4,000 characters. */
  output(): string
  /** Ends the program and its descendants; resolves when all are gone. */
  end(): Promise<void>
}

/** How a process ended. */
export interface ProcessExit {
  code: number | null
  signal: string | null
}

/** Seconds between the polite signal and the final one. */
const GRACE_SECONDS = 2

/**
 * Plain sh for Linux and macOS. The guardian is forked twice, so that it is no child of the program,
 * which then takes over this shell's process id by `exec`.
 */
const GUARDIAN = `
exec 3<&0 </dev/null
children() { cat /proc/"$1"/task/*/children 2>/dev/null || pgrep -P "$1" 2>/dev/null; }
family() { for p in $(children "$1"); do echo "$p"; family "$p"; done; }
guard() {
  read -r _ <&3
  kin=$(family $$)
  kill -TERM $$ 2>/dev/null
  left=${GRACE_SECONDS * 10}
  while [ $left -gt 0 ] && kill -0 $$ 2>/dev/null; do sleep 0.1; left=$((left - 1)); done
  for p in $kin $(family $$); do kill -KILL "$p" 2>/dev/null; done
  kill -KILL -$$ 2>/dev/null
}
( trap '' TERM INT HUP; guard & )
exec "$@" 3<&-
`

/** Starts a program under a guardian. `env` is its whole environment. */
export function spawnGuarded(
  command: string,
  args: readonly string[],
  options: { cwd: string; env: Record<string, string | undefined> },
): GuardedProcess {
  const child = spawn("/bin/sh", ["-c", GUARDIAN, "sh", command, ...args], {
    cwd: options.cwd,
    env: options.env,
    detached: true,
    stdio: ["pipe", "pipe", "pipe"],
  })
  const { pid } = child
  let tail = ""
  const collect = (chunk: Buffer): void => {
    tail = (tail + chunk.toString()).slice(-4000)
  }
  child.stdout.on("data", collect)
  child.stderr.on("data", collect)
  // The guardian may be gone before us; writing is not intended, so there is nothing to report.
  child.stdin.on("error", () => undefined)

  const exited = new Promise<ProcessExit>((resolve) => {
    child.once("exit", (code, signal) => resolve({ code, signal }))
    child.once("error", (error) => {
      collect(Buffer.from(error.message))
      resolve({ code: null, signal: null })
    })
  })
  // All holders of the outputs are gone: the program, the guardian and what they left behind.
  const gone = new Promise<void>((resolve) => {
    child.once("close", () => resolve())
    child.once("error", () => resolve())
  })
  // A program that ended by itself may have left children in its group.
  void exited.then(() => child.stdin.end())

  return {
    pid: pid ?? -1,
    exited,
    output: () => stripVTControlCharacters(tail).trim(),
    end: async () => {
      child.stdin.end()
      // The guardian is quicker unless somebody killed it. Once all are gone the group's number is free
      // for strangers and must not be used.
      if (!(await within(gone, (GRACE_SECONDS + 1) * 1000))) killGroup(child)
      await exited
    },
  }
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, "SIGKILL")
  } catch {
    // no such group: all are gone
  }
}

async function within(promise: Promise<void>, ms: number): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), ms)
  })
  const first = await Promise.race([promise.then(() => true), late])
  clearTimeout(timer)
  return first
}
