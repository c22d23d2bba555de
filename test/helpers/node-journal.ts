/**
 * A program for Node 22 and later, which runs it as it is: keeps rows with the library it finds there, dies without a
 * word, or takes over. Arguments: what to do, folder.
 */

import { openFileJournal } from "../../src/adapters/journal-files.ts"
import { sqliteLibrary } from "../../src/adapters/sqlite-library.ts"
import { unseal } from "../../src/core/sealed.ts"
import { rowOf, settledRow } from "./rows.ts"

/** In the order of the queue; any text is a row's text. */
const ROWS = [
  rowOf({ id: "bg_00000001", lastText: "\u0000\u2028'\"\\ 😀" }),
  settledRow({ id: "bg_00000002" }),
  rowOf({ id: "bg_00000003", state: "running", sessionID: "ses_1" }),
  settledRow({ id: "bg_00000004", state: "error" }),
]

async function main(what: string, folder: string): Promise<unknown> {
  const open = await sqliteLibrary()
  if (open === undefined) throw new Error(`Node ${process.version} has no SQLite.`)
  const { journal, alive, dead, sealed } = await openFileJournal({
    open,
    folder,
    signature: { directory: "/project", server: "http://127.0.0.1:4096", hosted: false },
    bounds: { maxBytes: 2_000_000 },
    wall: () => Date.now(),
    answers: async () => false,
    log: (message) => process.stderr.write(`${message}\n`),
  })
  const left = { alive, dead, sealed: sealed.map((row) => unseal(row)) }
  if (what === "die") {
    journal.write([...ROWS, rowOf({ id: "bg_forgotten" })], [])
    journal.write([{ ...(ROWS[0] ?? rowOf()), attempt: 1 }], ["bg_forgotten", "bg_notthere"])
    journal.append({ type: "task:session", id: "bg_00000003", epoch: 1, sessionID: "ses_1", at: 1, seq: 1 })
    const code = failing(() => journal.write([rowOf({ lastText: "x".repeat(3_000_000) })], ["bg_00000001"]))
    process.stdout.write(JSON.stringify({ version: process.versions.node, left, code, file: journal.file }))
    process.kill(process.pid, "SIGKILL")
    await new Promise(() => {})
  }
  journal.close()
  return { version: process.versions.node, left, file: journal.file }
}

function failing(act: () => void): unknown {
  try {
    act()
    return undefined
  } catch (thrown) {
    return (thrown as { code?: unknown }).code
  }
}

const [what = "", folder = ""] = process.argv.slice(2)
process.stdout.write(JSON.stringify(await main(what, folder)))
