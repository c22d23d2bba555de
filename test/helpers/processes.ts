/** Looking at processes from outside. They give no signal to strangers, so these look again and again. */

/** Whether a process exists; a zombie nobody has collected yet is none. */
export function isAlive(pid: number): boolean {
  const { stdout } = Bun.spawnSync(["ps", "-o", "stat=", "-p", String(pid)])
  const state = stdout.toString().trim()
  return state !== "" && !state.startsWith("Z")
}

/** The living members of a process group. */
export function groupMembers(group: number): number[] {
  const { stdout } = Bun.spawnSync(["ps", "-A", "-o", "pid=,pgid=,stat="])
  return stdout
    .toString()
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .filter(([, pgid, state]) => Number(pgid) === group && !state?.startsWith("Z"))
    .map(([pid]) => Number(pid))
}

/** Resolves with the milliseconds it took until `holds`, or throws after `limitMs`. */
export async function until(holds: () => boolean, limitMs: number): Promise<number> {
  const start = performance.now()
  while (!holds()) {
    if (performance.now() - start > limitMs) throw new Error(`still not so after ${limitMs} ms: ${holds.toString()}`)
    await Bun.sleep(20)
  }
  return performance.now() - start
}
