/** A journal that fails under a coordinator at work: nothing is acknowledged that is not kept, and nobody is stopped. */

import { Database } from "bun:sqlite"
import { afterEach, beforeEach, expect, test } from "bun:test"
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs"

import type { Sql } from "../../src/adapters/sqlite-library.ts"
import { Coordinator } from "../../src/coordinator/coordinator.ts"
import { DEFAULTS } from "../../src/core/options.ts"
import type { TaskRow } from "../../src/core/task.ts"
import { answer, SPEC } from "../helpers/core-rig.ts"
import { fakePorts } from "../helpers/fake-ports.ts"
import type { FakePorts } from "../helpers/fake-ports.ts"
import { JournalFolder, library } from "../helpers/journals.ts"

/** What is broken, how, what the refusal says, and how it is mended, if it can be. */
interface Fault {
  readonly says: RegExp
  inflict(under: { at: JournalFolder; file: string; sql: Sql }): Promise<void> | void
  mend?(under: { sql: Sql }): void
}

const FAULTS: Readonly<Record<string, Fault>> = {
  "the disk is full": {
    says: /full/,
    inflict: ({ sql }) => sql.exec("PRAGMA max_page_count = 1"),
    mend: ({ sql }) => sql.exec("PRAGMA max_page_count = 100000"),
  },
  "the file was made read-only": {
    says: /readonly/,
    inflict: ({ sql }) => sql.exec("PRAGMA query_only = ON"),
    mend: ({ sql }) => sql.exec("PRAGMA query_only = OFF"),
  },
  "the file was deleted": { says: /deleted or moved away/, inflict: ({ file }) => rmSync(file) },
  "its log was deleted": { says: /deleted or moved away/, inflict: ({ file }) => rmSync(`${file}-wal`) },
  "another log is in its place": {
    says: /deleted or moved away/,
    inflict({ file }) {
      writeFileSync(`${file}.new`, readFileSync(`${file}-wal`))
      renameSync(`${file}.new`, `${file}-wal`)
    },
  },
  "the whole folder was deleted": {
    says: /deleted or moved away/,
    inflict: ({ at }) => rmSync(at.folder, { recursive: true }),
  },
  "another file is in its place": {
    says: /replaced by another file/,
    inflict({ file }) {
      writeFileSync(`${file}.new`, "somebody else's")
      renameSync(`${file}.new`, file)
    },
  },
  "another process has taken it over": {
    says: /another process has taken it over/,
    inflict: ({ at, file }) => at.sql(file, "UPDATE owner SET token = 'another'"),
  },
}

let at: JournalFolder
beforeEach(() => {
  at = new JournalFolder()
})
afterEach(() => at[Symbol.dispose]())

for (const [what, { says, inflict, mend }] of Object.entries(FAULTS)) {
  test(`${what}: launches are refused, what runs goes on, what is there stays as it is`, async () => {
    const connections: Sql[] = []
    const open = await library()
    const { journal } = await at.open({
      open: (...how) => {
        const sql = open(...how)
        connections.push(sql)
        return sql
      },
    })
    const sql = connections.at(-1)
    if (sql === undefined) throw new Error("Nothing was opened.")
    const ports = { ...fakePorts(), journal }
    const lanes = new Coordinator({ ...DEFAULTS, defaultConcurrency: 1 }, ports)
    const [running, waiting] = [lanes.launch(SPEC), lanes.launch(SPEC)]
    const rowsBefore = rowsIn(journal.file)
    expect(rowsBefore.map(({ state }) => state)).toEqual(["running", "pending"])
    await inflict({ at, file: journal.file, sql })
    const fileBefore = existsSync(journal.file) ? readFileSync(journal.file) : undefined
    const errors: string[] = []
    lanes.bus.on("journal:error", ({ message }) => errors.push(message))

    // Long enough to need a page that is not there.
    const big = { ...SPEC, prompt: "x".repeat(100_000) }
    expect(() => lanes.launch(big)).toThrow(
      expect.objectContaining({ code: "JOURNAL_FAILED", message: expect.stringMatching(says) }),
    )
    expect(() => lanes.continue(running.id, big.prompt)).toThrow(expect.objectContaining({ code: "JOURNAL_FAILED" }))
    expect(lanes.list().map(({ id }) => id)).toEqual([running.id, waiting.id])
    expect(lanes.get(running.id)?.prompts).toHaveLength(1)
    expect(errors).toHaveLength(2)
    expect(errors[0]).toMatch(says)

    finish(ports, running.id, "y".repeat(50_000))
    expect(await running.done).toMatchObject({ state: "completed" })
    expect(lanes.get(waiting.id)?.state).toBe("running")
    expect(lanes.cancel(waiting.id).state).toBe("cancelled")
    expect(existsSync(journal.file) ? readFileSync(journal.file) : undefined).toEqual(fileBefore)

    if (mend === undefined) return
    expect(rowsIn(journal.file).map(({ id }) => id)).toEqual(rowsBefore.map(({ id }) => id))
    mend({ sql })
    ports.clock.advance(1_000)
    expect(rowsIn(journal.file).map(({ state }) => state)).toEqual(["completed", "cancelled"])
    expect(lanes.sizes()["behind"]).toBe(0)
    const { id } = lanes.launch(big)
    expect(rowsIn(journal.file).at(-1)?.id).toBe(id)
  })
}

/** The task's run is answered, and leaves. */
function finish(ports: Pick<FakePorts, "threads">, id: string, text: string): void {
  const run = ports.threads.started.findLast((assignment) => assignment.run.task === id)?.run
  if (run === undefined) throw new Error(`${id} was not started.`)
  const messageID = `msg_${id}`
  ports.threads.report({ type: "session", run, sessionID: `ses_${id}` })
  ports.threads.report({ type: "prompted", run, n: 0, messageID })
  for (let seq = 1; seq <= 2; seq++) {
    const snapshot = { status: { type: "absent" as const }, prompts: 1, ...answer(messageID, { text }) }
    ports.threads.report({ type: "snapshot", run, seq, snapshot })
  }
  ports.threads.report({ type: "stopped", run, idle: true })
}

function rowsIn(file: string): TaskRow[] {
  const database = new Database(file, { readonly: true })
  const rows = database.query<{ row: string }, []>("SELECT row FROM tasks ORDER BY place").all()
  database.close()
  return rows.map(({ row }) => JSON.parse(row) as TaskRow)
}
