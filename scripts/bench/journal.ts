/** Measures the journal: opening and recovering, durable transitions, and what it costs a coordinator. */

import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

import { openFileJournal } from "../../src/adapters/journal-files.ts"
import { MemoryJournal } from "../../src/adapters/memory-journal.ts"
import { sqliteLibrary } from "../../src/adapters/sqlite-library.ts"
import { Core } from "../../src/core/step.ts"
import { DEFAULTS } from "../../src/core/options.ts"
import type { Journal } from "../../src/coordinator/ports.ts"
import { rowOf, settledRow } from "../../test/helpers/rows.ts"

const root = mkdtempSync(join(tmpdir(), "lanes-bench-"))
const open = await sqliteLibrary()
if (open === undefined) throw new Error("This host has no SQLite.")
const folder = join(root, "state", "project")

const openJournal = (at: string): ReturnType<typeof openFileJournal> =>
  openFileJournal({
    open,
    folder: at,
    signature: { directory: "/project", server: "http://127.0.0.1:4096", hosted: false },
    wall: () => Date.now(),
    answers: async () => false,
    log: () => {},
  })

/** Opens a journal of `settled` done tasks and 50 that wait, as after a crash, and takes it all in. */
async function recover(settled: number): Promise<string> {
  const at = `${folder}-${settled}`
  const { journal } = await openJournal(at)
  const rows = Array.from({ length: settled }, () => settledRow({ settledAt: Date.now() }))
  for (let i = 0; i < settled; i += 1_000) journal.write(rows.slice(i, i + 1_000), [])
  journal.write(
    Array.from({ length: 50 }, () => rowOf()),
    [],
  )
  journal.close()
  const times = []
  for (let round = 0; round < 3; round++) {
    Bun.gc(true)
    const start = performance.now()
    const opened = await openJournal(at)
    const read = performance.now()
    new Core(DEFAULTS).step({ type: "recover", rows: opened.alive, sealed: opened.sealed, sessions: "alive" }, { mono: 0, wall: Date.now() })
    const end = performance.now()
    times.push({ open: read - start, core: end - read, all: end - start })
    opened.journal.close()
  }
  const best = times.toSorted((a, b) => a.all - b.all)[0]
  return `${Math.round(best?.open ?? 0)} ms open, ${Math.round(best?.core ?? 0)} ms taken in, ${Math.round(best?.all ?? 0)} ms in all`
}

/** Durable steps a second: a row and three events each. */
function transitions(journal: Journal, ms: number): number {
  const row = rowOf()
  let steps = 0
  const until = performance.now() + ms
  while (performance.now() < until) {
    journal.write([{ ...row, attempt: ++steps }], [])
    for (let seq = 0; seq < 3; seq++) {
      journal.append({
        type: "task:started",
        id: row.id,
        epoch: 1,
        lane: "default",
        attempt: steps,
        queuedMs: 0,
        at: 0,
        seq,
      })
    }
  }
  return Math.round(steps / (ms / 1_000))
}

try {
  console.log(`recover   10,000 tasks: ${await recover(10_000)}`)
  console.log(`recover  100,000 tasks: ${await recover(100_000)}`)
  const { journal } = await openJournal(join(root, "transitions"))
  console.log(`durable transitions: ${transitions(journal, 2_000).toLocaleString("en")} a second`)
  journal.close()
  console.log(`the same in memory:  ${transitions(new MemoryJournal(), 500).toLocaleString("en")} a second`)
} finally {
  rmSync(root, { recursive: true, force: true })
}
