/** What every Journal promises: in memory, in a file, and simulated. */

import { afterEach, describe, expect, test } from "bun:test"

import type { Journal } from "../../src/coordinator/ports.ts"
import type { TaskRow } from "../../src/core/task.ts"
import { rowOf, settledRow } from "../helpers/rows.ts"

/** A journal whose process can die. */
export interface JournalUnderTest {
  readonly journal: Journal
  /** The journal of the next coordinator, after this one's has died without a word. */
  reopen(): Promise<Journal>
  /** Lets the next writes fail, until undone. Absent: this one cannot fail. */
  breakWrites?(): () => void
}

export function journalContract(name: string, create: () => Promise<JournalUnderTest> | JournalUnderTest): void {
  describe(`Journal: ${name}`, () => {
    const opened: Journal[] = []
    const open = async (): Promise<JournalUnderTest> => {
      const under = await create()
      opened.push(under.journal)
      return {
        ...under,
        reopen: async () => {
          const journal = await under.reopen()
          opened.push(journal)
          return journal
        },
      }
    }
    afterEach(() => {
      for (const journal of opened.splice(0)) journal.close()
    })

    test("a new one has nothing to hand over", async () => {
      const { journal } = await open()
      expect(journal.load()).toEqual([])
    })

    test("what was written is handed over whole, in order", async () => {
      const { journal, reopen } = await open()
      const rows = [rowOf(), settledRow(), rowOf()]
      journal.write([rows[2] as TaskRow], [])
      journal.write([rows[0] as TaskRow, rows[1] as TaskRow], [])
      expect((await reopen()).load()).toEqual(rows)
    })

    test("of a row written twice the last one counts, within a step and between steps", async () => {
      const { journal, reopen } = await open()
      const row = rowOf()
      journal.write([row, { ...row, state: "running" }], [])
      journal.write([{ ...row, state: "running", attempt: 1, sessionID: "ses_1" }], [])
      expect((await reopen()).load()).toEqual([{ ...row, state: "running", attempt: 1, sessionID: "ses_1" }])
    })

    test("what was forgotten is gone, and forgetting what is not there is nothing", async () => {
      const { journal, reopen } = await open()
      const [kept, gone] = [rowOf(), settledRow()]
      journal.write([kept, gone], [])
      journal.write([], [gone.id, "bg_notthere"])
      expect((await reopen()).load()).toEqual([kept])
    })

    test("a row may hold any text", async () => {
      const { journal, reopen } = await open()
      const texts = ["\u0000\u2028'\"\\", "😀 ÄÖÜ", "x".repeat(200_000), '{"a":[1', "'); DROP TABLE tasks; --"]
      const rows = texts.map((lastText) => rowOf({ lastText }))
      journal.write(rows, [])
      expect((await reopen()).load()).toEqual(rows)
    })

    test("events may be appended at any time", async () => {
      const { journal, reopen } = await open()
      const event = { type: "task:session", id: "bg_1", epoch: 1, sessionID: "ses_1", at: 1, seq: 1 } as const
      journal.append(event)
      journal.write([rowOf()], [])
      journal.append(event)
      expect((await reopen()).load()).toHaveLength(1)
    })

    test("a write that throws has kept nothing, and the next one is whole", async () => {
      const { journal, reopen, breakWrites } = await open()
      if (breakWrites === undefined) return
      const before = rowOf()
      journal.write([before], [])
      const mend = breakWrites()
      const rows = Array.from({ length: 20 }, () => rowOf())
      expect(() => journal.write(rows, [before.id])).toThrow(expect.objectContaining({ code: "JOURNAL_FAILED" }))
      mend()
      const after = rowOf()
      journal.write([after], [])
      expect((await reopen()).load()).toEqual([before, after])
    })

    test("closing twice is closing once", async () => {
      const { journal } = await open()
      journal.write([rowOf()], [])
      journal.close()
      journal.close()
    })
  })
}
