import type { Journal } from "../coordinator/ports.ts"
import type { Input } from "../core/inputs.ts"
import { removeForgotten } from "./forgotten-journals.ts"
import { openFileJournal } from "./journal-files.ts"
import type { Signature } from "./journal-owner.ts"
import { MemoryJournal } from "./memory-journal.ts"
import { noJournal } from "./no-journal.ts"
import { ProjectJournals } from "./project-journals.ts"
import type { Hide } from "./secrets.ts"
import { serverAnswers } from "./server-answers.ts"
import type { JournalBounds, SqliteJournal } from "./sqlite-journal.ts"
import { sqliteLibrary } from "./sqlite-library.ts"
import { canonical, ensurePrivate, projectFolder, stateFolder } from "./state-folder.ts"

/** A journal in a file; the default, in the user's state folder. */
export interface JournalFile extends JournalBounds {
  /** Instead of `opencode-lanes` in `XDG_STATE_HOME` or `~/.local/state`. */
  readonly folder: string
}

export type JournalChoice = false | "memory" | JournalFile | Journal

/** What a project's journal hands over. */
export interface Inheritance {
  /** Of the journal, when it is one that other processes can read. */
  readonly file?: string
  /** Rows to recover: those whose runs may still be in our server, and those whose server is gone. */
  readonly left: readonly Omit<Extract<Input, { type: "recover" }>, "type">[]
}

/** A journal ready to be written. */
export interface ReadyJournal extends Inheritance {
  readonly journal: Journal
  /**
   * Keeps the tasks of one more project where the next coordinator of that looks for them, and takes over what dead
   * ones left there. Undefined when this journal has only one place, or has joined that project before.
   */
  join(directory: string): Promise<Inheritance | undefined>
  /** Removes what was left in projects nobody comes to any more, once all of it is older than it was to be kept. */
  removeForgotten(): void
}

/** The journal that is asked for. Rejects with JOURNAL_FAILED when there is no way to keep one where it should be. */
export async function openJournal(
  choice: JournalChoice | undefined,
  world: Signature & { readonly log: (message: string) => void; readonly hide?: Hide },
): Promise<ReadyJournal> {
  const alone = { left: [], join: async () => undefined, removeForgotten: () => {} }
  if (choice === false) return { journal: noJournal, ...alone }
  if (choice === "memory") return { journal: new MemoryJournal(), ...alone }
  if (choice !== undefined && "write" in choice) {
    return { journal: choice, ...alone, left: await leftIn(choice, world) }
  }
  const open = await sqliteLibrary()
  if (open === undefined) {
    world.log("This host has no SQLite (Node has it from 22 on): tasks are not kept beyond this process.")
    return { journal: noJournal, ...alone }
  }
  const { folder: state = stateFolder(), ...bounds } = choice ?? {}
  ensurePrivate(state)
  const { server, hosted, retainMs, log, hide } = world
  const openProject = async (directory: string): Promise<Inheritance & { readonly journal: SqliteJournal }> => {
    const { journal, alive, dead, sealed } = await openFileJournal({
      open,
      folder: projectFolder(state, directory),
      signature: { directory, server, hosted, retainMs },
      bounds,
      wall: () => Date.now(),
      answers: serverAnswers,
      log,
      hide,
    })
    return {
      journal,
      file: journal.file,
      left: [
        { rows: alive, sessions: "alive" },
        { rows: dead, sealed, sessions: "dead" },
      ],
    }
  }
  const home = canonical(world.directory)
  const own = await openProject(home)
  const journals = new ProjectJournals(home, own.journal)
  return {
    ...own,
    journal: journals,
    removeForgotten: () => void removeForgotten(open, state, Date.now()),
    async join(directory) {
      const path = canonical(directory)
      if (journals.has(path)) return undefined
      const { journal, ...inheritance } = await openProject(path)
      journals.add(
        path,
        journal,
        inheritance.left.flatMap(({ rows, sealed = [] }) => [...rows, ...sealed].map(({ id }) => id)),
      )
      return inheritance
    },
  }
}

/** A journal of the caller's own has no owner to ask: each row's server tells who looks after it. */
async function leftIn(journal: Journal, { server, hosted }: Signature): Promise<Inheritance["left"]> {
  const rows = journal.load()
  const others = [...new Set(rows.map(({ spec }) => spec.server))].filter((name) => name !== server)
  const answering = await Promise.all(others.map(serverAnswers))
  const gone = new Set(others.filter((_, i) => !answering[i]))
  if (hosted) gone.add(server)
  const dead = rows.filter(({ spec }) => gone.has(spec.server))
  return [
    { rows: hosted ? [] : rows.filter(({ spec }) => spec.server === server), sessions: "alive" },
    { rows: dead.map((row) => ({ ...row, spec: { ...row.spec, server } })), sessions: "dead" },
  ]
}
