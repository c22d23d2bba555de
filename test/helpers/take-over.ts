/** A program that takes over a journal, says which tasks it got, and lives until its input ends. Arguments: folder, server. */

import { openFileJournal } from "../../src/adapters/journal-files.ts"
import { library } from "./journals.ts"

const [folder = "", server = ""] = process.argv.slice(2)
const { journal, alive } = await openFileJournal({
  open: await library(),
  folder,
  signature: { directory: "/project", server, hosted: false },
  wall: () => Date.now(),
  answers: async () => false,
  log: (message) => process.stderr.write(`${message}\n`),
})
process.stdout.write(JSON.stringify(alive.map(({ id }) => id)))
await Bun.stdin.text()
journal.close()
