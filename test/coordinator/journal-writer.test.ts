import { expect, test } from "bun:test"

import { MemoryJournal } from "../../src/adapters/memory-journal.ts"
import { JournalWriter } from "../../src/coordinator/journal-writer.ts"
import type { Effect } from "../../src/core/effects.ts"
import type { TaskRow } from "../../src/core/task.ts"
import { ManualClock } from "../helpers/manual-clock.ts"
import { rowOf } from "../helpers/rows.ts"

/** A journal on a disk that can be full. */
class FillableJournal extends MemoryJournal {
  full = false
  /** A row that its file does not take. */
  rejects: string | undefined
  closed = 0

  override write(rows: readonly TaskRow[], forget: readonly string[]): void {
    if (this.full || rows.some(({ id }) => id === this.rejects)) throw new Error("disk full")
    super.write(rows, forget)
  }

  override close(): void {
    this.closed++
  }
}

function setUp(): { journal: FillableJournal; clock: ManualClock; writer: JournalWriter } {
  const journal = new FillableJournal()
  const clock = new ManualClock()
  return { journal, clock, writer: new JournalWriter(journal, clock) }
}

const put = (row: TaskRow): Effect => ({ type: "journal", row })

test("a write that fails says why, and its rows come with the next one", () => {
  const { journal, writer } = setUp()
  const [first, second] = [rowOf(), rowOf()]
  journal.full = true
  expect(writer.write([put(first)])).toMatchObject({ code: "JOURNAL_FAILED", message: "disk full" })
  expect(writer.behind).toBe(1)
  journal.full = false
  expect(writer.write([put(second)])).toBeUndefined()
  expect(journal.load()).toEqual([first, second])
  expect(writer.behind).toBe(0)
})

test("they come by themselves when nothing else is written, newest state only", () => {
  const { journal, clock, writer } = setUp()
  const [row, gone] = [rowOf(), rowOf()]
  writer.write([put(gone)])
  journal.full = true
  writer.write([put(row)])
  writer.write([put({ ...row, state: "running" }), { type: "forget", id: gone.id }])
  clock.advance(1_500)
  expect(writer.behind).toBe(2)
  journal.full = false
  clock.advance(1_000)
  expect(journal.load()).toEqual([{ ...row, state: "running" }])
  expect([writer.behind, clock.pending]).toEqual([0, 0])
})

test("what is refused is not written later", () => {
  const { journal, clock, writer } = setUp()
  journal.full = true
  expect(writer.write([put(rowOf())], { refused: true })).toBeDefined()
  journal.full = false
  clock.advance(10_000)
  expect(journal.load()).toEqual([])
  expect(clock.pending).toBe(0)
})

test("closing tries once more", () => {
  const { journal, clock, writer } = setUp()
  const row = rowOf()
  journal.full = true
  writer.write([put(row)])
  journal.full = false
  writer.close()
  expect(journal.load()).toEqual([row])
  expect([journal.closed, clock.pending]).toEqual([1, 0])
})

test("rows that one file does not take hold no others up, and a launch that is refused does not slip in with them", () => {
  const { journal, clock, writer } = setUp()
  const [stuck, fine, refused] = [rowOf(), rowOf(), rowOf()]
  journal.full = true
  writer.write([put(stuck)])
  writer.write([put(refused)], { refused: true })
  journal.full = false
  journal.rejects = stuck.id
  expect(writer.write([put(fine)])).toBeUndefined()
  expect([journal.load(), writer.behind]).toEqual([[fine], 1])
  journal.rejects = undefined
  clock.advance(1_000)
  expect(journal.load()).toEqual([stuck, fine])
  expect(writer.behind).toBe(0)
})
