/** Journals in folders of their own, or where our commands look; some of owners that are dead. */

import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

import type { FileJournalOptions, OpenedJournal } from "../../src/adapters/journal-files.ts"
import { openFileJournal } from "../../src/adapters/journal-files.ts"
import type { OpenSql } from "../../src/adapters/sqlite-library.ts"
import { sqliteLibrary } from "../../src/adapters/sqlite-library.ts"
import { projectFolder } from "../../src/adapters/state-folder.ts"
import type { TaskRow } from "../../src/core/task.ts"

export const SERVER = "http://127.0.0.1:4096"

export async function library(): Promise<OpenSql> {
  const open = await sqliteLibrary()
  if (open === undefined) throw new Error("This Bun has no SQLite.")
  return open
}

/** A folder for journals, and everything opened in it. */
export class JournalFolder implements Disposable {
  readonly root: string = mkdtempSync(join(tmpdir(), "lanes-journal-"))
  readonly folder: string = join(this.root, "state", "project")
  readonly said: string[] = []
  readonly #opened: OpenedJournal[] = []

  async open(
    change: Partial<FileJournalOptions> & { server?: string; hosted?: boolean; retainMs?: number } = {},
  ): Promise<OpenedJournal> {
    const { server = SERVER, hosted = false, retainMs, ...rest } = change
    const opened = await openFileJournal({
      open: await library(),
      folder: this.folder,
      signature: { directory: "/project", server, hosted, retainMs },
      wall: () => 1_795_378_381_000 + this.#opened.length,
      answers: async () => false,
      log: (message) => this.said.push(message),
      ...rest,
    })
    this.#opened.push(opened)
    return opened
  }

  /** Lets the owner of a journal look as one that was killed: another process that is gone. */
  async die({ journal }: Pick<OpenedJournal, "journal">): Promise<void> {
    await this.sql(journal.file, "UPDATE owner SET pid = 999999999, start = 'long ago'")
  }

  /** Does something to a file behind its owner's back. */
  async sql(file: string, statement: string): Promise<void> {
    const sql = (await library())(file)
    sql.exec("PRAGMA busy_timeout = 2000")
    sql.exec(statement)
    sql.close()
  }

  [Symbol.dispose](): void {
    for (const { journal } of this.#opened) journal.close()
    rmSync(this.root, { recursive: true, force: true })
  }
}

/** Rows of a project as a coordinator leaves them that is gone, its server as well. `state` is what XDG_STATE_HOME says. */
export async function leaveRows(state: string, directory: string, rows: readonly TaskRow[]): Promise<void> {
  const { journal } = await openFileJournal({
    open: await library(),
    folder: projectFolder(join(state, "opencode-lanes"), directory),
    signature: { directory, server: "http://127.0.0.1:9", hosted: true },
    wall: () => Date.now(),
    answers: async () => false,
    log: () => {},
  })
  journal.write(rows, [])
  journal.close()
}
