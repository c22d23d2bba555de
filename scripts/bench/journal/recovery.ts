/** A journal as after a crash: opened, read, and taken in by a core. */

import type { openFileJournal } from "../../../src/adapters/journal-files.ts"
import { DEFAULTS } from "../../../src/core/options.ts"
import { Core } from "../../../src/core/step.ts"
import { rowOf, settledRow } from "../../../test/helpers/rows.ts"
import { verify } from "../harness/answer.ts"

/** Opens the journal of a folder. */
export type Open = (folder: string) => ReturnType<typeof openFileJournal>

/** One restart; ms. */
export interface Restart {
  readonly read: number
  readonly taken: number
  /** CPU time of both. */
  readonly cpu: number
  /** Every task listed for the first time. */
  readonly listed: number
}

/** Of every hundred settled tasks one has failed; 50 wait. */
export const WAITING = 50

export async function restarts(open: Open, folder: string, settled: number): Promise<Restart[]> {
  const { journal } = await open(folder)
  for (let i = 0; i < settled; i += 1_000) {
    const rows = Array.from({ length: Math.min(1_000, settled - i) }, (_, n) =>
      settledRow({ settledAt: Date.now(), ...(n % 100 === 0 ? { state: "error" as const } : {}) }),
    )
    journal.write(rows, [])
  }
  journal.write(
    Array.from({ length: WAITING }, () => rowOf()),
    [],
  )
  journal.close()
  const found: Restart[] = []
  // The first warms up.
  for (let round = -1; round < 5; round++) {
    const one = await restart(open, folder, settled)
    if (round >= 0) found.push(one)
  }
  return found
}

async function restart(open: Open, folder: string, settled: number): Promise<Restart> {
  Bun.gc(true)
  const cpu = process.cpuUsage()
  const begun = performance.now()
  const { journal, alive, sealed } = await open(folder)
  const read = performance.now()
  const core = new Core(DEFAULTS)
  core.step({ type: "recover", rows: alive, sealed, sessions: "alive" }, { mono: 0, wall: Date.now() })
  const taken = performance.now()
  const { user, system } = process.cpuUsage(cpu)
  const all = [...core.list()]
  const listed = performance.now()
  verify(all.length === settled + WAITING, `${settled + WAITING} tasks are there again`)
  verify(
    all.every(({ spec, prompts }) => prompts[0]?.text === spec.prompt),
    "each is whole",
  )
  journal.close()
  return { read: read - begun, taken: taken - read, cpu: (user + system) / 1_000, listed: listed - taken }
}
