import { Database } from "bun:sqlite"
import { afterEach, beforeEach, describe, expect, test } from "bun:test"
import {
  chmodSync,
  chownSync,
  copyFileSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs"
import { basename, dirname, join, resolve } from "node:path"

import type { OpenedJournal } from "../../src/adapters/journal-files.ts"
import { journalsIn } from "../../src/adapters/journal-files.ts"
import { JournalReader, openReaders } from "../../src/adapters/journal-reader.ts"
import type { OpenSql, Statement } from "../../src/adapters/sqlite-library.ts"
import { ensurePrivate, projectFolder, stateFolder } from "../../src/adapters/state-folder.ts"
import { unseal } from "../../src/core/sealed.ts"
import type { TaskRow } from "../../src/core/task.ts"
import { JournalFolder, library, SERVER } from "../helpers/journals.ts"
import { rowOf, settledRow } from "../helpers/rows.ts"

let at: JournalFolder
beforeEach(() => {
  at = new JournalFolder()
})
afterEach(() => at[Symbol.dispose]())

const ids = (rows: readonly { readonly id: string }[]): string[] => rows.map(({ id }) => id)

describe("whose a file is", () => {
  test("a living owner's is left alone: the second coordinator has a file of its own", async () => {
    const first = await at.open()
    first.journal.write([rowOf()], [])
    const second = await at.open()
    expect(second.journal.file).not.toBe(first.journal.file)
    expect([second.alive, second.dead]).toEqual([[], []])
    first.journal.write([rowOf()], [])
  })

  test("a dead owner's goes on, as the heir's", async () => {
    const first = await at.open()
    const row = rowOf()
    first.journal.write([row], [])
    await at.die(first)
    const heir = await at.open()
    expect(heir.journal.file).toBe(first.journal.file)
    expect(heir.alive).toEqual([row])
  })

  test("one that was closed is free", async () => {
    const first = await at.open()
    const row = settledRow()
    first.journal.write([row], [])
    first.journal.close()
    expect((await at.open()).journal.load()).toEqual([row])
    expect(journalsIn(at.folder)).toHaveLength(1)
  })

  test("of several who start at once exactly one gets it", async () => {
    const first = await at.open()
    const rows = [rowOf(), rowOf()]
    first.journal.write(rows, [])
    await at.die(first)
    const program = resolve(import.meta.dir, "../helpers/take-over.ts")
    const takers = Array.from({ length: 6 }, () =>
      Bun.spawn([process.execPath, program, at.folder, SERVER], { stdin: "pipe", stdout: "pipe", stderr: "inherit" }),
    )
    const got = await Promise.all(
      takers.map(async ({ stdout }) => {
        for await (const chunk of stdout) return JSON.parse(new TextDecoder().decode(chunk)) as string[]
        return ["it said nothing"]
      }),
    )
    expect(got.toSorted((a, b) => b.length - a.length)).toEqual([ids(rows), [], [], [], [], []])
    for (const { stdin } of takers) void stdin.end()
    await Promise.all(takers.map(({ exited }) => exited))
  })

  test("who was thought dead cannot write any more", async () => {
    const first = await at.open()
    first.journal.write([rowOf()], [])
    await at.die(first)
    const heir = await at.open()
    const before = readRows(heir.journal.file)
    expect(() => first.journal.write([rowOf()], [])).toThrow(/another process has taken it over/)
    expect(readRows(heir.journal.file)).toEqual(before)
    heir.journal.write([rowOf()], [])
  })

  test("several dead owners' rows become one queue, the older file's first", async () => {
    const older = await at.open()
    const younger = await at.open()
    const rows = [rowOf({ order: 7 }), rowOf({ order: 9 }), rowOf({ order: 1 }), rowOf({ order: 2 })]
    older.journal.write(rows.slice(0, 2), [])
    younger.journal.write(rows.slice(2), [])
    await at.die(older)
    await at.die(younger)
    const heir = await at.open()
    expect(ids(heir.alive)).toEqual(ids(rows))
    expect(heir.alive.map(({ order }) => order)).toEqual([7, 9, 10, 11])
    expect(journalsIn(at.folder)).toEqual([heir.journal.file])
    expect(ids(readRows(heir.journal.file))).toEqual(ids(rows))
  })
})

describe("what is completed", () => {
  test("is handed over unread, and goes on as it was", async () => {
    const first = await at.open()
    const [waiting, done, failed] = [rowOf(), settledRow(), settledRow({ state: "error" })]
    const owed = settledRow({ notice: { state: "owed", tail: "x" } })
    first.journal.write([waiting, done, failed, owed], [])
    await at.die(first)
    const heir = await at.open({ server: "http://127.0.0.1:4097" })
    expect(ids(heir.dead)).toEqual(ids([waiting, failed, owed]))
    expect(heir.sealed.map((row) => unseal(row))).toEqual([
      { ...done, spec: { ...done.spec, server: "http://127.0.0.1:4097" } },
    ])
    // Continued, it is read at once again.
    heir.journal.write([{ ...done, epoch: 2, state: "pending" }], [])
    await at.die(heir)
    const next = await at.open()
    expect([next.sealed, ids([...next.alive, ...next.dead]).includes(done.id)]).toEqual([[], true])
  })

  test("of several dead owners becomes one list, in the order of the queue", async () => {
    const [older, younger] = [await at.open(), await at.open()]
    const rows = [settledRow({ order: 7 }), settledRow({ order: 1 }), settledRow({ order: 2 })]
    older.journal.write(rows.slice(0, 1), [])
    younger.journal.write(rows.slice(1), [])
    await at.die(older)
    await at.die(younger)
    const heir = await at.open()
    expect(heir.sealed.map((row) => [row.id, unseal(row)?.order])).toEqual(ids(rows).map((id, i) => [id, 7 + i]))
    await at.die(heir)
    expect((await at.open()).sealed.map(({ id, order }) => [id, order])).toEqual(ids(rows).map((id, i) => [id, 7 + i]))
  })

  test("and cut short is told as torn", async () => {
    const first = await at.open()
    const [good, torn] = [settledRow(), settledRow()]
    first.journal.write([good, torn], [])
    await at.sql(first.journal.file, `UPDATE tasks SET row = substr(row, 1, 40) WHERE id = '${torn.id}'`)
    await at.die(first)
    expect(ids((await at.open()).sealed.flatMap((row) => unseal(row) ?? []))).toEqual([good.id])
    expect(at.said.join()).toContain("1 rows of the journal")
  })

  test("in a file of the first version is read at once, and the file goes on in this one", async () => {
    const first = await at.open()
    const rows = [settledRow(), rowOf()]
    first.journal.write(rows, [])
    for (const column of ["settled", "session", "parent"])
      await at.sql(first.journal.file, `ALTER TABLE tasks DROP COLUMN ${column}`)
    await at.sql(first.journal.file, "ALTER TABLE owner DROP COLUMN retain; PRAGMA user_version = 1")
    await at.die(first)
    using reader = new JournalReader(await library(), first.journal.file)
    expect(reader.rows()).toEqual(rows)
    const heir = await at.open()
    expect([ids(heir.alive), heir.sealed]).toEqual([ids(rows), []])
    heir.journal.write([settledRow()], [])
    await at.die(heir)
    expect((await at.open()).sealed).toHaveLength(1)
  })
})

describe("whose a run is", () => {
  test("runs in the same server may go on; those of a server of the dead host have ended", async () => {
    const first = await at.open({ hosted: true, server: "http://127.0.0.1:5001" })
    const row = rowOf({ state: "running" }, "http://127.0.0.1:5001")
    first.journal.write([row], [])
    await at.die(first)
    const heir = await at.open()
    expect(heir.alive).toEqual([])
    expect(heir.dead).toEqual([{ ...row, spec: { ...row.spec, server: SERVER } }])
  })

  test("a file of another server is taken only once that does not answer", async () => {
    const other = "http://127.0.0.1:5002"
    const first = await at.open({ server: other })
    first.journal.write([rowOf({}, other)], [])
    await at.die(first)
    const asked: string[] = []
    const answers = async (server: string): Promise<boolean> => asked.push(server) > 0
    const second = await at.open({ answers })
    expect(asked).toEqual([other])
    expect([second.alive, second.dead]).toEqual([[], []])
    second.journal.close()
    const third = await at.open()
    expect(third.dead).toHaveLength(1)
  })
})

describe("what fails", () => {
  test("a full disk refuses the write, keeps what was there, and is over when there is room", async () => {
    const { journal } = await at.open({ bounds: { maxBytes: 300_000 } })
    const kept = rowOf()
    journal.write([kept], [])
    expect(() => journal.write([rowOf({ lastText: "x".repeat(400_000) })], [])).toThrow(/full/)
    expect(readRows(journal.file)).toEqual([kept])
    journal.write([{ ...kept, state: "running" }], [])
  })

  test("a file that was deleted under its owner is not written into the void", async () => {
    const { journal } = await at.open()
    journal.write([rowOf()], [])
    rmSync(journal.file)
    expect(() => journal.write([rowOf()], [])).toThrow(/deleted or moved away/)
  })

  test("a file put in its place is not written either", async () => {
    const { journal } = await at.open()
    journal.write([rowOf()], [])
    writeFileSync(`${journal.file}.new`, "something else")
    renameSync(`${journal.file}.new`, journal.file)
    expect(() => journal.write([rowOf()], [])).toThrow(/replaced by another file/)
    expect(readFileSync(journal.file, "utf8")).toBe("something else")
  })

  test("of several dead owners whose rows cannot be merged all are left as they were, for whoever comes next", async () => {
    const owners = [await at.open({ hosted: true }), await at.open(), await at.open()]
    const rows = owners.map(({ journal }) => {
      const row = rowOf()
      journal.write([row], [])
      return row
    })
    for (const owner of owners) await at.die(owner)
    const ownerOf = async ({ journal }: OpenedJournal): Promise<unknown> => {
      using reader = new JournalReader(await library(), journal.file)
      return reader.owner()
    }
    const before = await Promise.all(owners.map(ownerOf))
    expect(at.open({ open: await full(/INSERT INTO tasks/) })).rejects.toMatchObject({
      code: "JOURNAL_FAILED",
      message: expect.stringContaining(`The journal ${at.folder} cannot be written: database or disk is full`),
    })
    expect(await Promise.all(owners.map(ownerOf))).toEqual(before)
    expect(ids((await at.open()).dead)).toEqual(ids(rows))
  })

  test("a new file that cannot be finished is not left behind, nor what was to be copied into it taken", async () => {
    const first = await at.open()
    first.journal.write(
      Array.from({ length: 300 }, () => settledRow()),
      [],
    )
    await at.die(first)
    first.journal.close()
    garble(first.journal.file, 0.6)
    for (const statement of [/INSERT INTO tasks/, /INSERT INTO owner/]) {
      expect(at.open({ open: await full(statement) })).rejects.toMatchObject({ code: "JOURNAL_FAILED" })
      expect(readdirSync(at.folder).filter((name) => name.endsWith(".db"))).toEqual([basename(first.journal.file)])
    }
    expect((await at.open()).alive.length).toBeGreaterThan(50)
  })

  test("a torn row is left out, and left where it is", async () => {
    const first = await at.open()
    const [good, torn] = [rowOf(), rowOf()]
    first.journal.write([good, torn], [])
    await at.sql(first.journal.file, `UPDATE tasks SET row = substr(row, 1, 40) WHERE id = '${torn.id}'`)
    await at.die(first)
    const heir = await at.open()
    expect(heir.alive).toEqual([good])
    expect(at.said.join()).toContain("1 rows of the journal")
    const sql = (await library())(heir.journal.file, { readonly: true })
    expect(sql.prepare("SELECT count(*) AS n FROM tasks").get()).toEqual({ n: 2 })
    sql.close()
  })

  test("of a damaged file what can be read goes on in a new one, and the file is kept", async () => {
    const first = await at.open()
    const rows = Array.from({ length: 300 }, () => settledRow())
    first.journal.write(rows, [])
    await at.die(first)
    first.journal.close()
    garble(first.journal.file, 0.6)
    const heir = await at.open()
    expect(heir.journal.file).not.toBe(first.journal.file)
    expect(heir.alive.length).toBeGreaterThan(50)
    expect(ids(heir.alive).every((id) => ids(rows).includes(id))).toBe(true)
    expect(at.said.join()).toContain("is damaged")
    expect(lstatSync(`${first.journal.file}.damaged`).isFile()).toBe(true)
    heir.journal.write([rowOf()], [])
  })

  test("a file that was cut to nothing is kept with its log, which is all there is of it", async () => {
    const { file, log } = await killed()
    truncateSync(file, 0)
    expect(openReaders(await library(), join(at.root, "state"), (said) => at.said.push(said))).toEqual([])
    expect(at.said.splice(0).join()).toContain("is empty, but its log is not")
    const heir = await at.open()
    expect([heir.alive, at.said]).toEqual([[], [expect.stringContaining("is damaged: its tables are lost")]])
    expect(readFileSync(`${file}.damaged-wal`)).toEqual(log)
    expect(journalsIn(at.folder)).toEqual([heir.journal.file])
  })

  test("one whose tables were in its log alone is kept when that is garbled", async () => {
    const { file, log } = await killed()
    // As the file was before its log was first written back to it.
    const bytes = readFileSync(file).subarray(0, 4_096)
    bytes.writeUInt32BE(1, 28)
    bytes.writeUInt32BE(0, 60)
    writeFileSync(file, bytes)
    const garbled = log.fill(7, 4_000)
    writeFileSync(`${file}-wal`, garbled)
    await at.open()
    expect(at.said).toEqual([expect.stringContaining("is damaged: its tables are lost")])
    expect(readFileSync(`${file}.damaged-wal`)).toEqual(garbled)
  })

  test("what was never finished is left without a word", async () => {
    ensurePrivate(at.folder)
    const file = join(at.folder, "begun.db")
    writeFileSync(file, "")
    await at.open()
    expect([at.said, readFileSync(file, "utf8")]).toEqual([[], ""])
  })

  test("a new file holds its tables before anything is acknowledged in it: they survive its log", async () => {
    const { file } = await killed()
    rmSync(`${file}-wal`)
    await at.sql(file, "UPDATE owner SET token = NULL")
    expect((await at.open()).journal.file).toBe(file)
  })

  test("a file that is no journal, and one of a newer program, are left as they are", async () => {
    ensurePrivate(at.folder)
    const [strange, newer] = [join(at.folder, "strange.db"), join(at.folder, "newer.db")]
    writeFileSync(strange, "no database at all, but long enough to be read as one ".repeat(50))
    const sql = new Database(newer, { create: true })
    sql.exec("CREATE TABLE future (x); PRAGMA user_version = 99")
    sql.close()
    const before = [strange, newer].map((file) => readFileSync(file))
    const { journal } = await at.open()
    journal.write([rowOf()], [])
    expect([strange, newer].map((file) => readFileSync(file))).toEqual(before)
    expect(at.said.join("\n")).toMatch(/newer\.db has schema 99[^]*strange\.db cannot be taken over/)
  })

  test("a folder that is a link is refused", async () => {
    mkdirSync(join(at.root, "elsewhere"))
    mkdirSync(join(at.root, "state"))
    symlinkSync(join(at.root, "elsewhere"), at.folder)
    expect(at.open()).rejects.toMatchObject({
      code: "JOURNAL_FAILED",
      message: expect.stringContaining("it is not a folder"),
    })
  })

  test("a place where nothing can be made says so", async () => {
    writeFileSync(join(at.root, "state"), "a file")
    expect(at.open()).rejects.toMatchObject({ code: "JOURNAL_FAILED" })
  })
})

describe("what may not be written", () => {
  /** Whoever runs these tests may be root, whom permissions do not stop. */
  const user = process.getuid?.() === 0 ? 65_534 : (process.getuid?.() ?? 0)

  /** What somebody finds there who owns it all and is not root. */
  function asSomebody(): Record<string, unknown> {
    for (const path of [
      at.root,
      dirname(at.folder),
      at.folder,
      ...readdirSync(at.folder).map((name) => join(at.folder, name)),
    ])
      chownSync(path, user, user)
    const program = resolve(import.meta.dir, "../helpers/unprivileged.ts")
    const { stdout, stderr } = Bun.spawnSync([process.execPath, program, at.folder, String(user)], { cwd: "/" })
    if (stdout.length === 0) throw new Error(stderr.toString())
    return JSON.parse(stdout.toString()) as Record<string, unknown>
  }

  test("a dead owner's file that is read-only is left as it is, and said; tasks go on in another", async () => {
    const first = await at.open()
    first.journal.write([rowOf()], [])
    await at.die(first)
    first.journal.close()
    chmodSync(first.journal.file, 0o400)
    const before = readFileSync(first.journal.file)
    const found = asSomebody()
    expect(found).toMatchObject({ said: [expect.stringMatching(/cannot be taken over: .*left as it is/)], left: [] })
    expect(found["file"]).not.toBe(first.journal.file)
    expect(ids(readRows(String(found["file"])))).toEqual(["bg_written0"])
    expect(readFileSync(first.journal.file)).toEqual(before)
  })

  test("a folder that is read-only is an error that says where", async () => {
    mkdirSync(at.folder, { recursive: true })
    chmodSync(at.folder, 0o500)
    expect(asSomebody()).toMatchObject({
      code: "JOURNAL_FAILED",
      message: expect.stringContaining(`No journal can be made in ${at.folder}`),
    })
  })
})

describe("what is kept", () => {
  test("nobody else may read it", async () => {
    const { journal } = await at.open()
    journal.write([rowOf()], [])
    expect(statSync(at.folder).mode & 0o777).toBe(0o700)
    for (const part of ["", "-wal", "-shm"]) expect(statSync(journal.file + part).mode & 0o777).toBe(0o600)
  })

  test("a folder that others may enter is closed to them", async () => {
    mkdirSync(at.folder, { recursive: true })
    chmodSync(at.folder, 0o755)
    await at.open()
    expect(statSync(at.folder).mode & 0o777).toBe(0o700)
  })

  test("events are a tail with an end, and polls are none of them", async () => {
    const { journal } = await at.open({ bounds: { maxEvents: 100 } })
    const event = { type: "task:session", id: "bg_1", epoch: 1, sessionID: "ses_1", at: 1 } as const
    for (let seq = 1; seq <= 5_000; seq++) {
      journal.append({ ...event, seq })
      if (seq % 500 === 0) journal.write([rowOf()], [])
    }
    journal.append({
      type: "task:snapshot",
      id: "bg_1",
      epoch: 1,
      snapshot: { status: { type: "absent" }, prompts: 1 },
      at: 1,
      seq: 5_001,
    })
    journal.write([rowOf()], [])
    using reader = new JournalReader(await library(), journal.file)
    const events = reader.events(0, 10_000)
    expect(events.length).toBeLessThan(2_100)
    expect(events.at(-1)?.event).toEqual({ ...event, seq: 5_000 })
    expect(reader.events(reader.place())).toEqual([])
  })

  test("events without a row are written soon", async () => {
    const { journal } = await at.open()
    using reader = new JournalReader(await library(), journal.file)
    journal.append({ type: "server:lost", message: "gone", at: 1, seq: 1 })
    while (reader.events(0).length === 0) await Bun.sleep(20)
    expect(reader.events(0)[0]?.event.type).toBe("server:lost")
  })

  test("nothing is left to be written after closing", async () => {
    const { journal } = await at.open()
    const event = { type: "server:lost", message: "gone", at: 1 } as const
    journal.append({ ...event, seq: 1 })
    journal.close()
    journal.append({ ...event, seq: 2 })
    using reader = new JournalReader(await library(), journal.file)
    // Longer than events wait: a timer that was left would fail loudly.
    await Bun.sleep(300)
    expect(reader.events(0).map((stored) => stored.event.seq)).toEqual([1])
  })

  test("another process reads all of it, and does not write", async () => {
    const { journal } = await at.open()
    const row = rowOf()
    journal.write([row], [])
    const [reader] = openReaders(await library(), join(at.root, "state"), () => {})
    expect(reader?.rows()).toEqual([row])
    expect(reader?.row(row.id)).toEqual(row)
    expect(reader?.owner()).toMatchObject({ living: true, server: SERVER, directory: "/project" })
    journal.write([{ ...row, state: "running" }], [])
    expect(reader?.row(row.id)?.state).toBe("running")
    await at.die({ journal })
    expect(reader?.owner().living).toBe(false)
    reader?.[Symbol.dispose]()
  })
})

test("the state folder follows XDG, and ignores a relative path as XDG says", () => {
  expect(stateFolder({ XDG_STATE_HOME: "/x", HOME: "/h" })).toBe("/x/opencode-lanes")
  expect(stateFolder({ XDG_STATE_HOME: "x", HOME: "/h" })).toBe("/h/.local/state/opencode-lanes")
  expect(projectFolder("/s", "/a/project")).not.toBe(projectFolder("/s", "/b/project"))
})

/** SQLite for which there is no room for what some statement writes. */
async function full(statement: RegExp): Promise<OpenSql> {
  const open = await library()
  return (file, options) => {
    const sql = open(file, options)
    const prepare = (text: string): Statement => {
      const run = (): void => {
        throw new Error("database or disk is full")
      }
      return statement.test(text) ? { ...sql.prepare(text), run } : sql.prepare(text)
    }
    return { ...sql, prepare }
  }
}

/** A journal as an owner that was killed leaves it: a copy, for the owner itself is still there. */
async function killed(): Promise<{ file: string; log: Buffer<ArrayBuffer> }> {
  const owner = await at.open({ folder: join(at.root, "killed") })
  for (let i = 0; i < 20; i++) owner.journal.write([rowOf()], [])
  await at.die(owner)
  ensurePrivate(at.folder)
  const file = join(at.folder, "killed.db")
  for (const part of ["", "-wal"]) copyFileSync(owner.journal.file + part, file + part)
  return { file, log: readFileSync(`${file}-wal`) }
}

function readRows(file: string): TaskRow[] {
  const database = new Database(file, { readonly: true })
  const rows = database.query<{ row: string }, []>("SELECT row FROM tasks ORDER BY place").all()
  database.close()
  return rows.map(({ row }) => JSON.parse(row) as TaskRow)
}

/** Overwrites some pages in the middle. */
function garble(file: string, where: number): void {
  const bytes = readFileSync(file)
  const start = Math.floor((bytes.length * where) / 4_096) * 4_096
  bytes.fill(0x5a, start, start + 3 * 4_096)
  writeFileSync(file, bytes)
}
