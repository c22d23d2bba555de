/** The page of one project beside another's journal: what is not shown cannot be asked about, or for anything. */

import { expect, test } from "bun:test"
import { join } from "node:path"

import { projectFolder } from "../../src/adapters/state-folder.ts"
import { JournalSource } from "../../src/cli/journal-source.ts"
import { DEFAULTS } from "../../src/core/options.ts"
import { servePage } from "../../src/page/server.ts"
import { JournalFolder, SERVER } from "../helpers/journals.ts"
import { settledRow } from "../helpers/rows.ts"

/** A source that reads the journals of a folder instead of the user's. */
async function sourceIn(state: string, directory: string | undefined): Promise<JournalSource> {
  const before = process.env["XDG_STATE_HOME"]
  process.env["XDG_STATE_HOME"] = state
  try {
    return await JournalSource.open(directory, DEFAULTS)
  } finally {
    if (before === undefined) delete process.env["XDG_STATE_HOME"]
    else process.env["XDG_STATE_HOME"] = before
  }
}

test("a task of another project, a forgotten one and what is no id at all are unknown", async () => {
  using journals = new JournalFolder()
  const [here, there] = [join(journals.root, "here"), join(journals.root, "there")]
  const ids: string[] = []
  for (const directory of [here, there]) {
    const opened = await journals.open({
      folder: projectFolder(join(journals.root, "opencode-lanes"), directory),
      signature: { directory, server: SERVER, hosted: false },
    })
    const row = settledRow()
    opened.journal.write([{ ...row, spec: { ...row.spec, directory } }], [])
    ids.push(row.id)
    // A dead owner's tasks are asked for in vain at once, and a living one's here by files nobody would answer.
    await journals.die(opened)
  }
  const [own = "", other = ""] = ids
  using source = await sourceIn(journals.root, here)
  await using page = await servePage(source, { token: false })
  const origin = page.url.slice(0, -1)
  const ask = async (path: string, body?: object): Promise<[string, number, unknown]> => {
    const init =
      body === undefined
        ? {}
        : { method: "POST", headers: { origin, "content-type": "application/json" }, body: JSON.stringify(body) }
    const answer = await fetch(`${page.url}api/tasks/${path}`, init)
    return [path, answer.status, ((await answer.json()) as { code?: string }).code]
  }

  for (const id of [other, "bg_0000gone", "nonsense!"]) {
    for (const [what, body] of [["messages"], ["todos"], ["cancel", {}], ["continue", { prompt: "on" }]] as const)
      expect(await ask(`${id}/${what}`, body)).toEqual([`${id}/${what}`, 404, "TASK_UNKNOWN"])
    expect(await ask(id)).toEqual([id, 404, "TASK_UNKNOWN"])
    expect(() => source.cancel(id)).toThrow(`There is no task ${id} here.`)
  }
  expect(await ask(own)).toEqual([own, 200, undefined])
  expect(await ask(`${own}/continue`, { prompt: "on" })).toEqual([`${own}/continue`, 503, "CLOSED"])
  using all = await sourceIn(journals.root, undefined)
  expect(all.list().map(({ id }) => id)).toEqual([own, other])
})
