/** Projects nobody comes to any more: what is over there is forgotten all the same. */

import { afterEach, beforeEach, expect, test } from "bun:test"
import { existsSync, utimesSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"

import { removeForgotten } from "../../src/adapters/forgotten-journals.ts"
import type { TaskRow } from "../../src/core/task.ts"
import { JournalFolder, library } from "../helpers/journals.ts"
import { rowOf, settledRow } from "../helpers/rows.ts"

const DAY = 86_400_000
let at: JournalFolder
beforeEach(() => {
  at = new JournalFolder()
})
afterEach(() => at[Symbol.dispose]())

/** A journal last written two days ago by somebody who is gone. */
async function left(rows: readonly TaskRow[], retainMs?: number): Promise<string> {
  const opened = await at.open(retainMs === undefined ? {} : { retainMs })
  opened.journal.write(rows, [])
  await at.die(opened)
  opened.journal.close()
  age(opened.journal.file)
  return opened.journal.file
}

function age(file: string): void {
  const then = (Date.now() - 2 * DAY) / 1_000
  for (const path of [file, `${file}-wal`]) if (existsSync(path)) utimesSync(path, then, then)
}

const sweep = async (): Promise<string[]> => removeForgotten(await library(), join(at.root, "state"), Date.now())
const old = (of: Partial<TaskRow> = {}): TaskRow => settledRow({ settledAt: Date.now() - 2 * DAY, ...of })

test("what is over, told and old is removed, with its folder", async () => {
  const file = await left([old(), old({ state: "error" }), old({ notice: { state: "told", proof: "msg_1" } })])
  expect(await sweep()).toEqual([file])
  expect(existsSync(dirname(file))).toBe(false)
})

test("each is kept as long as its own coordinator keeps tasks, whoever sweeps", async () => {
  const long = await left([old()], 7 * DAY)
  expect(await sweep()).toEqual([])
  const heir = await at.open({ retainMs: 60_000 })
  await at.die(heir)
  heir.journal.close()
  age(long)
  expect(await sweep()).toEqual([long])
})

const KEPT: Readonly<Record<string, readonly TaskRow[]>> = {
  waits: [old(), rowOf()],
  runs: [rowOf({ state: "running" })],
  "is owed": [old({ notice: { state: "owed", tail: "x" } })],
  "is not that old": [settledRow({ settledAt: Date.now() - 1_000 })],
}
for (const [what, rows] of Object.entries(KEPT)) {
  test(`a journal in which something ${what} stays, and stays free for who comes`, async () => {
    const file = await left(rows)
    expect(await sweep()).toEqual([])
    expect((await at.open()).journal.file).toBe(file)
  })
}

test("one of a living owner, one written lately, one with a torn row, and what is no journal stay", async () => {
  const { journal } = await at.open()
  journal.write([old()], [])
  age(journal.file)
  const torn = await left([old()])
  await at.sql(torn, "UPDATE tasks SET row = substr(row, 1, 40)")
  age(torn)
  const strange = join(at.folder, "strange.db")
  writeFileSync(strange, "no database at all, but long enough to be read as one ".repeat(50))
  age(strange)
  expect(await sweep()).toEqual([])
  journal.write([old()], [])
  const late = await at.open()
  late.journal.write([old()], [])
  await at.die(late)
  expect(await sweep()).toEqual([])
})
