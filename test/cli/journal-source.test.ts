/** What views and commands see of journals beside them: whoever coordinates, and whatever is broken in one. */

import { afterEach, beforeEach, expect, test } from "bun:test"
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"

import type { SqliteJournal } from "../../src/adapters/sqlite-journal.ts"
import { projectFolder } from "../../src/adapters/state-folder.ts"
import { JournalSource } from "../../src/cli/journal-source.ts"
import type { LaneEvent } from "../../src/core/events.ts"
import { DEFAULTS } from "../../src/core/options.ts"
import type { TaskRow } from "../../src/core/task.ts"
import { LANES, run } from "../helpers/command.ts"
import { JournalFolder, SERVER } from "../helpers/journals.ts"
import { until } from "../helpers/processes.ts"
import { rowOf, settledRow } from "../helpers/rows.ts"

let at: JournalFolder
/** Two projects. */
let here: string
let there: string
const before = process.env["XDG_STATE_HOME"]
beforeEach(() => {
  at = new JournalFolder()
  process.env["XDG_STATE_HOME"] = at.root
  ;[here, there] = [join(at.root, "here"), join(at.root, "there")]
  for (const directory of [here, there]) mkdirSync(directory)
})
afterEach(() => {
  if (before === undefined) delete process.env["XDG_STATE_HOME"]
  else process.env["XDG_STATE_HOME"] = before
  at[Symbol.dispose]()
})

/** A coordinator's journal, where others find it. */
async function journalOf(directory: string): Promise<SqliteJournal> {
  const folder = projectFolder(join(at.root, "opencode-lanes"), directory)
  return (await at.open({ folder, signature: { directory, server: SERVER, hosted: false } })).journal
}

function rowIn(directory: string, row: TaskRow = rowOf()): TaskRow {
  return { ...row, spec: { ...row.spec, directory } }
}

/** A task as a coordinator stores and tells it. */
function launch(journal: SqliteJournal, row: TaskRow): void {
  const { id, epoch, lane, spec } = row
  journal.append({
    type: "task:queued",
    id,
    epoch,
    lane,
    ahead: 0,
    description: spec.description,
    at: row.order,
    seq: 1,
  })
  journal.write([row], [])
}

/** A view of a project, and the tasks it hears of. */
async function viewOf(directory: string | undefined): Promise<{ source: JournalSource; heard: string[] } & Disposable> {
  const source = await JournalSource.open(directory, DEFAULTS)
  const heard: string[] = []
  source.on("*", (event: LaneEvent) => "id" in event && heard.push(event.id))
  return { source, heard, [Symbol.dispose]: () => source[Symbol.dispose]() }
}

const lanes = (...words: string[]) => run([...LANES, ...words], { cwd: here, env: { ...process.env, NO_COLOR: "1" } })

test("a view hears of tasks in its project from the coordinator of another one, and of no others", async () => {
  const journal = await journalOf(there)
  using view = await viewOf(here)
  const [ours, theirs] = [rowIn(here), rowIn(there)]
  launch(journal, theirs)
  launch(journal, ours)
  await until(() => view.heard.length > 0, 5_000)
  expect(view.heard).toEqual([ours.id])
  expect(view.source.list()).toEqual([ours])
  expect(view.source.get(theirs.id)).toBeUndefined()
  journal.append({ type: "task:session", id: ours.id, epoch: 1, sessionID: "ses_1", at: 1, seq: 2 })
  journal.write([{ ...ours, state: "running", sessionID: "ses_1" }], [])
  await until(() => view.heard.length > 1, 5_000)
  expect(view.source.get(ours.id)).toMatchObject({ state: "running", sessionID: "ses_1" })
})

test("a view of a coordinator's own project hears of its tasks wherever they work, as it lists them", async () => {
  const journal = await journalOf(here)
  using view = await viewOf(here)
  const elsewhere = rowIn(there)
  launch(journal, elsewhere)
  await until(() => view.heard.length > 0, 5_000)
  expect(view.source.list()).toEqual([elsewhere])
})

test("a torn row and a torn event hide no others from who follows", async () => {
  const journal = await journalOf(here)
  const torn = rowIn(here)
  using view = await viewOf(undefined)
  journal.write([torn], [])
  await at.sql(journal.file, `UPDATE tasks SET row = substr(row, 1, 40)`)
  await at.sql(journal.file, `INSERT INTO events (at, event) VALUES (1, '{"type":"task:que')`)
  const good = rowIn(here)
  journal.append({ type: "task:session", id: torn.id, epoch: 1, sessionID: "ses_1", at: 1, seq: 1 })
  launch(journal, good)
  await until(() => view.heard.length > 1, 5_000)
  expect(view.heard).toEqual([torn.id, good.id])
  expect(view.source.list()).toEqual([good])
})

test("commands show what there is beside a torn row and a torn event", async () => {
  const journal = await journalOf(here)
  const [torn, good] = [rowIn(here), rowIn(here, settledRow())]
  launch(journal, torn)
  launch(journal, good)
  await at.sql(journal.file, `UPDATE tasks SET row = substr(row, 1, 40) WHERE id = '${torn.id}'`)
  await at.sql(journal.file, "UPDATE events SET event = substr(event, 1, 20) WHERE n = 1")
  journal.close()
  expect(await lanes("list")).toMatchObject({ exitCode: 0, stdout: expect.stringContaining(good.id) })
  expect(await lanes("events")).toMatchObject({ exitCode: 0, stderr: "", stdout: expect.stringContaining(good.id) })
  expect(await lanes("output", good.id)).toMatchObject({ exitCode: 0 })
  expect(await lanes("output", torn.id)).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining(`There is no task ${torn.id}`),
  })
}, 30_000)

test("another project's broken journal is said, and hides nothing of this one's", async () => {
  const [good, broken] = [rowIn(here, settledRow()), await journalOf(there)]
  for (let i = 0; i < 300; i++) launch(broken, rowIn(there))
  broken.close()
  const bytes = readFileSync(broken.file)
  bytes.fill(0x5a, 8 * 4_096)
  writeFileSync(broken.file, bytes)
  const journal = await journalOf(here)
  launch(journal, good)
  using view = await viewOf(undefined)
  const next = rowIn(here)
  launch(journal, next)
  await until(() => view.heard.includes(next.id), 5_000)
  journal.close()
  const stderr = expect.stringContaining(`The journal ${broken.file} cannot be read: `)
  expect(await lanes("list")).toMatchObject({ exitCode: 0, stdout: expect.stringContaining(good.id) })
  expect(await lanes("events")).toMatchObject({ exitCode: 0, stderr, stdout: expect.stringContaining(good.id) })
}, 30_000)

test("who follows events hears a coordinator that starts meanwhile from its first word", async () => {
  const old = await journalOf(there)
  const past = rowIn(here)
  launch(old, past)
  await using child = Bun.spawn([...LANES, "events", "--follow"], {
    cwd: here,
    env: { ...process.env },
    stdin: "ignore",
    stdout: "pipe",
  })
  let text = ""
  const reading = (async () => {
    for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) text += chunk
  })()
  // What it prints says that it is there.
  const first = rowIn(here)
  await until(() => {
    launch(old, first)
    return text.includes(first.id)
  }, 15_000)
  const fresh = await journalOf(here)
  const rows = Array.from({ length: 5 }, () => rowIn(here))
  for (const row of rows) launch(fresh, row)
  await until(() => text.includes(rows.at(-1)?.id ?? ""), 15_000)
  expect(text).not.toContain(past.id)
  for (const { id } of rows) expect(text.split("\n").filter((line) => line.includes(id))).toHaveLength(1)
  child.kill("SIGINT")
  await Promise.all([reading, child.exited])
}, 40_000)
