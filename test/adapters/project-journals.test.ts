/** One coordinator, several projects: each one's tasks are where the next coordinator of that project looks for them. */

import { afterEach, beforeEach, expect, test } from "bun:test"
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

import { journalsIn } from "../../src/adapters/journal-files.ts"
import { JournalReader } from "../../src/adapters/journal-reader.ts"
import { openJournal } from "../../src/adapters/open-journal.ts"
import type { Inheritance, ReadyJournal } from "../../src/adapters/open-journal.ts"
import { projectFolder } from "../../src/adapters/state-folder.ts"
import type { TaskRow } from "../../src/core/task.ts"
import { library } from "../helpers/journals.ts"
import { rowOf } from "../helpers/rows.ts"

let root: string
const opened: ReadyJournal[] = []
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), "lanes-projects-")))
  for (const name of ["a", "b", "c"]) mkdirSync(join(root, name))
})
afterEach(() => {
  for (const { journal } of opened.splice(0)) journal.close()
  rmSync(root, { recursive: true, force: true })
})

const at = (name: string): string => join(root, name)
const folderOf = (name: string): string => projectFolder(at("state"), at(name))

async function open(name: string, bounds: { maxBytes?: number } = {}): Promise<ReadyJournal> {
  const ready = await openJournal(
    { folder: at("state"), ...bounds },
    { directory: at(name), server: "host:1", hosted: true, log: () => {} },
  )
  opened.push(ready)
  return ready
}

function rowIn(name: string, of: Partial<TaskRow> = {}): TaskRow {
  const row = rowOf(of, "host:1")
  return { ...row, spec: { ...row.spec, directory: at(name) } }
}

async function idsIn(name: string): Promise<string[]> {
  const found: string[] = []
  for (const file of journalsIn(folderOf(name))) {
    using reader = new JournalReader(await library(), file)
    found.push(...reader.rows().map(({ id }) => id))
  }
  return found
}

const idsOf = (from: Inheritance | undefined): string[] =>
  from?.left.flatMap(({ rows }) => rows.map(({ id }) => id)) ?? []

test("a joined project's tasks are in its own folder, whatever else the step wrote; others stay with ours", async () => {
  const { journal, join: joinProject } = await open("a")
  expect(await joinProject(at("b"))).toMatchObject({ left: [{ rows: [] }, { rows: [] }] })
  const [a, b, c] = [rowIn("a"), rowIn("b"), rowIn("c")]
  journal.write([a, b, c], [])
  journal.write([{ ...b, state: "running" }], [])
  expect([await idsIn("a"), await idsIn("b"), await idsIn("c")]).toEqual([[a.id, c.id], [b.id], []])
  journal.write([], [a.id, b.id])
  expect([await idsIn("a"), await idsIn("b")]).toEqual([[c.id], []])
})

test("a project is joined once, our own never, however it is spelt", async () => {
  const { join: joinProject } = await open("a")
  await joinProject(at("b"))
  expect(await joinProject(`${at("c")}/../b/`)).toBeUndefined()
  expect(await joinProject(at("a"))).toBeUndefined()
  expect(journalsIn(folderOf("b"))).toHaveLength(1)
})

test("who comes to any of the projects next takes over what was left there, first or joined", async () => {
  const first = await open("a")
  await first.join(at("b"))
  const [a, b] = [rowIn("a"), rowIn("b")]
  first.journal.write([a, b], [])
  first.journal.close()
  const second = await open("b")
  expect(idsOf(second)).toEqual([b.id])
  expect(idsOf(await second.join(at("a")))).toEqual([a.id])
  second.journal.write([{ ...a, state: "running" }], [])
  expect([await idsIn("a"), await idsIn("b")]).toEqual([[a.id], [b.id]])
})

test("a task that was in our file before its project was joined stays there", async () => {
  const { journal, join: joinProject } = await open("a")
  const b = rowIn("b")
  journal.write([b], [])
  await joinProject(at("b"))
  journal.write([{ ...b, state: "running" }], [])
  expect([await idsIn("a"), await idsIn("b")]).toEqual([[b.id], []])
})

test("a task's events are in its project's file, and what concerns all is in each", async () => {
  const ready = await open("a")
  const joined = await ready.join(at("b"))
  const b = rowIn("b")
  ready.journal.write([b], [])
  ready.journal.append({ type: "task:session", id: b.id, epoch: 1, sessionID: "ses_1", at: 1, seq: 1 })
  ready.journal.append({ type: "server:lost", message: "gone", at: 1, seq: 2 })
  ready.journal.write([rowIn("a"), b], [])
  const typesIn = async (file: string | undefined): Promise<string[]> => {
    using reader = new JournalReader(await library(), file ?? "")
    return reader.events(0).map(({ event }) => event.type)
  }
  expect(await typesIn(ready.file)).toEqual(["server:lost"])
  expect(await typesIn(joined?.file)).toEqual(["task:session", "server:lost"])
})

test("a file that takes nothing holds no other project's rows up", async () => {
  const ready = await open("a")
  const joined = await ready.join(at("b"))
  rmSync(joined?.file ?? "")
  const [a, b] = [rowIn("a"), rowIn("b")]
  expect(() => ready.journal.write([b, a], [])).toThrow(/deleted or moved away/)
  expect(await idsIn("a")).toEqual([a.id])
})
