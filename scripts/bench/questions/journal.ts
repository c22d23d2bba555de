import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

import { openFileJournal } from "../../../src/adapters/journal-files.ts"
import { MemoryJournal } from "../../../src/adapters/memory-journal.ts"
import { sqliteLibrary } from "../../../src/adapters/sqlite-library.ts"
import { startWorld } from "../../soak/opencode.ts"
import type { Answer, Question } from "../harness/answer.ts"
import { count, inTurns, median, ms, spread } from "../harness/stats.ts"
import { restarts, WAITING } from "../journal/recovery.ts"
import type { Open, Restart } from "../journal/recovery.ts"
import { BareLog, bytesPerStep, steps } from "../journal/steps.ts"
import type { Rate } from "../journal/steps.ts"
import { batch } from "../journal/throughput.ts"
import type { Batch } from "../journal/throughput.ts"

/** What does it cost to forget nothing? */
export const question: Question = {
  title: "The journal (SQLite, every step durable before it is acted on) beside memory, and how long a restart takes.",
  ask: ({ quick }) => ask(quick),
}

type Part = Pick<Answer, "goals" | "notes" | "facts"> & { readonly table: Answer["tables"][number] }

async function ask(quick: boolean): Promise<Answer> {
  const root = mkdtempSync(join(tmpdir(), "lanes-bench-"))
  try {
    const open = await opener()
    const parts = [await durable(open, root, quick), await recovery(open, root, quick), await throughput(quick)]
    return {
      tables: parts.map(({ table }) => table),
      goals: parts.flatMap(({ goals }) => goals),
      notes: parts.flatMap(({ notes }) => notes),
      facts: Object.assign({}, ...parts.map(({ facts }) => facts)) as Record<string, number>,
    }
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
}

async function durable(open: Open, root: string, quick: boolean): Promise<Part> {
  const { journal } = await open(join(root, "durable"))
  const bytes = bytesPerStep(journal)
  using bare = new BareLog(join(root, "bare"), bytes)
  // What was written before, by installing peers for one, is on the disk before this begins.
  Bun.spawnSync(["sync"])
  const found = await inTurns(
    {
      on: () => steps(journal, 500),
      disk: () => bare.syncs(500),
      off: () => steps(new MemoryJournal(), 200),
    },
    quick ? 2 : 9,
  )
  journal.close()
  const { on = [], disk = [], off = [] } = found
  const rate = (of: readonly Rate[]): number => median(of.map(({ perSecond }) => perSecond))
  const fastest = (of: readonly Rate[]): number => Math.max(...of.map(({ perSecond }) => perSecond))
  const line = (name: string, of: readonly Rate[]): string[] => [
    name,
    `${count(rate(of))} ${spread(of.map(({ perSecond }) => perSecond))}`,
    count(fastest(of)),
    ms(1_000 / rate(of)),
    ms(median(of.map(({ cpuMs }) => cpuMs))),
  ]
  const cpu = median(on.map(({ cpuMs }) => cpuMs))
  return {
    table: {
      title: "Steps a second: a row and three events each",
      how: `A task takes about six such steps in its life. A step adds ${count(bytes)} bytes to the log; the disk alone is as many bytes written over an old log and fsync, measured in turns with it. CPU is of this process, system calls included. Checked: the last row is there when the file is opened again (recovery, below).`,
      head: ["", "a second", "in the fastest round", "one", "CPU for one"],
      rows: [line("journal on", on), line("the disk alone: write and fsync", disk), line("journal off", off)],
    },
    goals: [
      {
        goal: "at least 2,000 durable steps a second",
        measured: `${count(rate(on))} (${count(fastest(on))} in the fastest round), where the disk alone does ${count(rate(disk))}`,
        reached: rate(on) >= 2_000,
      },
    ],
    notes: [
      `Of the ${ms(1_000 / rate(on))} of a step ${ms(cpu)} are ours; the rest is waiting for the disk. Where that did nothing else it would be ${count(1_000 / cpu)} steps a second.`,
    ],
  }
}

async function recovery(open: Open, root: string, quick: boolean): Promise<Part> {
  const bounds = new Map([
    [1_000, undefined],
    [10_000, 100],
    [100_000, 600],
  ])
  const rows: string[][] = []
  const goals: Answer["goals"][number][] = []
  const facts: Record<string, number> = {}
  for (const [tasks, bound] of bounds) {
    if (quick && tasks > 10_000) continue
    const found = await restarts(open, join(root, String(tasks)), tasks)
    const of = (pick: (one: Restart) => number): number => median(found.map(pick))
    const all = of(({ read, taken }) => read + taken)
    rows.push([
      count(tasks + WAITING),
      ms(of(({ read }) => read)),
      ms(of(({ taken }) => taken)),
      ms(all),
      ms(of(({ cpu }) => cpu)),
      ms(of(({ listed }) => listed)),
    ])
    if (tasks === 10_000) Object.assign(facts, { recovered: tasks, recoveredMs: all })
    if (bound !== undefined)
      goals.push({
        goal: `${count(tasks)} tasks opened and recovered within ${bound} ms`,
        measured: ms(all),
        reached: all <= bound,
      })
  }
  return {
    table: {
      title: "Recovery",
      how: `A journal of so many tasks, ${WAITING} waiting, one in a hundred failed, the rest completed, as after a crash: opened, read, and taken in by a core. Completed ones are read when somebody asks for them; the last column asks for all. Checked: all are there, each whole.`,
      head: ["tasks", "opened and read", "taken in", "in all", "CPU", "all listed, the first time"],
      rows,
    },
    goals,
    notes: [],
    facts,
  }
}

async function throughput(quick: boolean): Promise<Part> {
  const [tasks, atOnce] = quick ? [40, 20] : [300, 100]
  await using world = await startWorld()
  await batch(world, { kept: false, tasks: atOnce, atOnce })
  const found = await inTurns(
    {
      on: () => batch(world, { kept: true, tasks, atOnce }),
      off: () => batch(world, { kept: false, tasks, atOnce }),
    },
    quick ? 1 : 5,
    false,
  )
  const { on = [], off = [] } = found
  const rate = (of: readonly Batch[]): number => median(of.map(({ perSecond }) => perSecond))
  const line = (name: string, of: readonly Batch[]): string[] => [
    name,
    `${rate(of).toFixed(1)} ${spread(of.map(({ perSecond }) => perSecond))}`,
    ms(median(of.map(({ cpuMs }) => cpuMs))),
  ]
  const cost = 1 - median(on.map(({ perSecond }, i) => perSecond / (off[i]?.perSecond ?? Number.NaN)))
  return {
    table: {
      title: `Tasks a second on the real OpenCode, ${atOnce} at once`,
      how: `${tasks} tasks of one model call of 1 s, by a process of its own, with and without a journal, in turns; what the journal costs is the median of each round beside its neighbour, because the server gets slower with every session it has. Checked: every task is completed, more than half as many as may were at the model at once.`,
      head: ["", "tasks a second", "CPU of the process, per task"],
      rows: [line("journal on", on), line("journal off", off)],
    },
    goals: [
      {
        goal: `the journal costs at most 15 % of the throughput at ${atOnce} tasks at once`,
        measured: cost > 0 ? `${(cost * 100).toFixed(1)} %` : "nothing that shows",
        reached: cost <= 0.15,
      },
    ],
    notes: [],
  }
}

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
