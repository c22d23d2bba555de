import { afterAll } from "bun:test"

import { MemoryJournal } from "../../src/adapters/memory-journal.ts"
import { nodeSqlite } from "../../src/adapters/sqlite-library.ts"
import type { OpenSql } from "../../src/adapters/sqlite-library.ts"
import { journalContract } from "../contract/journal.ts"
import type { JournalUnderTest } from "../contract/journal.ts"
import { JournalFolder, library } from "../helpers/journals.ts"

const folders: JournalFolder[] = []
afterAll(() => {
  for (const folder of folders) folder[Symbol.dispose]()
})

async function inFile(open: OpenSql): Promise<JournalUnderTest> {
  const folder = new JournalFolder()
  folders.push(folder)
  const opened = await folder.open({ open, bounds: { maxBytes: 2_000_000 } })
  const { journal } = opened
  return {
    journal,
    reopen: async () => {
      await folder.die(opened)
      return (await folder.open({ open })).journal
    },
    breakWrites: () => {
      const sql = open(journal.file)
      sql.exec(
        "CREATE TRIGGER broken BEFORE INSERT ON tasks WHEN (SELECT count(*) FROM tasks) > 3 BEGIN SELECT RAISE(ABORT, 'disk error'); END",
      )
      return () => {
        sql.exec("DROP TRIGGER broken")
        sql.close()
      }
    },
  }
}

journalContract("in memory", () => {
  const journal = new MemoryJournal()
  return { journal, reopen: async () => new MemoryJournal(journal.rows.values()) }
})

journalContract("in a file", async () => inFile(await library()))

journalContract("in a file, by Node's library", async () => {
  const open = await nodeSqlite()
  if (open === undefined) throw new Error("This Bun has no node:sqlite.")
  return inFile(open)
})
