/**
 * A program that opens the journals of a folder as somebody who is not root, whom permissions do not stop, writes a row
 * and says what came of it. Arguments: folder, user id.
 */

import { openFileJournal } from "../../src/adapters/journal-files.ts"
import { LanesError } from "../../src/core/errors.ts"
import { library } from "./journals.ts"
import { rowOf } from "./rows.ts"

const [folder = "", user = ""] = process.argv.slice(2)
const open = await library()
if (process.getuid?.() === 0) process.setuid?.(Number(user))
const said: string[] = []
try {
  const { journal, alive, dead } = await openFileJournal({
    open,
    folder,
    signature: { directory: "/project", server: "http://127.0.0.1:4096", hosted: false },
    wall: () => Date.now(),
    answers: async () => false,
    log: (message) => said.push(message),
  })
  journal.write([rowOf({ id: "bg_written0" })], [])
  process.stdout.write(JSON.stringify({ said, file: journal.file, left: [...alive, ...dead].map(({ id }) => id) }))
  journal.close()
} catch (thrown) {
  const { code, message } = LanesError.from(thrown, "INVALID_INPUT")
  process.stdout.write(JSON.stringify({ said, code, message }))
}
