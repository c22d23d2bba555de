import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

import { openFileJournal } from "../../../src/adapters/journal-files.ts"
import { MemoryJournal } from "../../../src/adapters/memory-journal.ts"
import { sqliteLibrary } from "../../../src/adapters/sqlite-library.ts"
import type { Journal } from "../../../src/coordinator/ports.ts"
import { DEFAULTS } from "../../../src/core/options.ts"
import { Core } from "../../../src/core/step.ts"
import { rowOf, settledRow } from "../../../test/helpers/rows.ts"
import type { Answer, Question } from "../harness/answer.ts"
import { verify } from "../harness/answer.ts"
import { count, inTurns, median, ms, spread } from "../harness/stats.ts"

/** What does it cost to forget nothing? */
export const question: Question = {
  title: "The journal (SQLite, every step durable before it is acted on) beside memory, and how long a restart takes.",
  ask: ({ quick }) => ask(quick),
}

async function ask(quick: boolean): Promise<Answer> {
  const root = mkdtempSync(join(tmpdir(), "lanes-bench-"))
  try {
    const open = await opener()
    const rounds = quick ? 2 : 5
    const { journal } = await open(join(root, "durable"))
    const rates = await inTurns(
      { "on, durable": () => transitions(journal, 500), "off, memory": () => transitions(new MemoryJournal(), 200) },
      rounds,
    )
    journal.close()
    const recoveries: string[][] = []
    for (const tasks of quick ? [1_000, 10_000] : [1_000, 10_000, 100_000])
      recoveries.push(await recover(open, join(root, String(tasks)), tasks))
    const [on, off] = [rates["on, durable"] ?? [], rates["off, memory"] ?? []]
    return {
      tables: [
        {
          title: "Steps a second: a row and three events each",
          how: "A task takes about six such steps in its life. Checked: the last row is there when the file is opened again (recovery, below).",
          head: ["", "steps a second", "one step"],
          rows: [
            ["journal on", `${count(median(on))} ${spread(on)}`, ms(1_000 / median(on))],
            ["journal off", `${count(median(off))} ${spread(off)}`, ms(1_000 / median(off))],
          ],
        },
        {
          title: "Recovery",
          how: "A journal of so many settled tasks and 50 that wait, as after a crash: opened, read, and taken in by a core. Checked: all are there.",
          head: ["tasks", "opened and read", "taken in", "in all"],
          rows: recoveries,
        },
      ],
      goals: [],
      notes: [
        `At ${count(median(on))} durable steps a second the journal carries ${count(median(on) / 6)} tasks a second; what bounds it is the disk's fsync.`,
      ],
    }
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
}

type Open = (folder: string) => ReturnType<typeof openFileJournal>

async function opener(): Promise<Open> {
  const open = await sqliteLibrary()
  if (open === undefined) throw new Error("This host has no SQLite.")
  return (folder) =>
    openFileJournal({
      open,
      folder,
      signature: { directory: "/project", server: "http://127.0.0.1:4096", hosted: false },
      wall: () => Date.now(),
      answers: async () => false,
      log: () => {},
    })
}

async function recover(open: Open, folder: string, settled: number): Promise<string[]> {
  const { journal } = await open(folder)
  const rows = Array.from({ length: settled }, () => settledRow({ settledAt: Date.now() }))
  for (let i = 0; i < settled; i += 1_000) journal.write(rows.slice(i, i + 1_000), [])
  journal.write(
    Array.from({ length: 50 }, () => rowOf()),
    [],
  )
  journal.close()
  const found: { read: number; taken: number }[] = []
  for (let round = 0; round < 3; round++) {
    Bun.gc(true)
    const begun = performance.now()
    const opened = await open(folder)
    const read = performance.now()
    const core = new Core(DEFAULTS)
    core.step({ type: "recover", rows: opened.alive, sealed: opened.sealed, sessions: "alive" }, { mono: 0, wall: Date.now() })
    const end = performance.now()
    verify([...core.list()].length === settled + 50, `${settled + 50} tasks are there again`)
    found.push({ read: read - begun, taken: end - read })
    opened.journal.close()
  }
  const of = (pick: (one: { read: number; taken: number }) => number): string => ms(median(found.map(pick)))
  return [count(settled + 50), of(({ read }) => read), of(({ taken }) => taken), of(({ read, taken }) => read + taken)]
}

function transitions(journal: Journal, span: number): number {
  const row = rowOf()
  let steps = 0
  const begun = performance.now()
  while (performance.now() < begun + span) {
    journal.write([{ ...row, attempt: ++steps }], [])
    for (let seq = 0; seq < 3; seq++)
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
  return (steps / (performance.now() - begun)) * 1_000
}
