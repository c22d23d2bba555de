import type { Journal } from "../coordinator/ports.ts"
import type { TaskRow } from "../core/task.ts"
import { openFileJournal } from "./journal-files.ts"
import type { Signature } from "./journal-owner.ts"
import { MemoryJournal } from "./memory-journal.ts"
import { noJournal } from "./no-journal.ts"
import { serverAnswers } from "./server-answers.ts"
import type { JournalBounds } from "./sqlite-journal.ts"
import { sqliteLibrary } from "./sqlite-library.ts"
import { canonical, ensurePrivate, projectFolder, stateFolder } from "./state-folder.ts"

/** A journal in a file; the default, in the user's state folder. */
export interface JournalFile extends JournalBounds {
  /** Instead of `opencode-lanes` in `XDG_STATE_HOME` or `~/.local/state`. */
  readonly folder: string
}

export type JournalChoice = false | "memory" | JournalFile | Journal

/** A journal ready to be written, and what it hands over. */
export interface ReadyJournal {
  readonly journal: Journal
  /** Of the journal, when it is one that other processes can read. */
  readonly file?: string
  /** Rows to recover: those whose runs may still be in our server, and those whose server is gone. */
  readonly left: readonly { readonly rows: readonly TaskRow[]; readonly sessions: "alive" | "dead" }[]
}

/** The journal that is asked for. Rejects with JOURNAL_FAILED when there is no way to keep one where it should be. */
export async function openJournal(
  choice: JournalChoice | undefined,
  world: Signature & { readonly log: (message: string) => void },
): Promise<ReadyJournal> {
  if (choice === false) return { journal: noJournal, left: [] }
  if (choice === "memory") return { journal: new MemoryJournal(), left: [] }
  if (choice !== undefined && "write" in choice) {
    return { journal: choice, left: [{ rows: choice.load(), sessions: world.hosted ? "dead" : "alive" }] }
  }
  const open = await sqliteLibrary()
  if (open === undefined) {
    world.log("This host has no SQLite (Node has it from 22 on): tasks are not kept beyond this process.")
    return { journal: noJournal, left: [] }
  }
  const { folder: state = stateFolder(), ...bounds } = choice ?? {}
  ensurePrivate(state)
  const { directory, server, hosted, log } = world
  const { journal, alive, dead } = await openFileJournal({
    open,
    folder: projectFolder(state, directory),
    signature: { directory: canonical(directory), server, hosted },
    bounds,
    wall: () => Date.now(),
    answers: serverAnswers,
    log,
  })
  return {
    journal,
    file: journal.file,
    left: [
      { rows: alive, sessions: "alive" },
      { rows: dead, sessions: "dead" },
    ],
  }
}
