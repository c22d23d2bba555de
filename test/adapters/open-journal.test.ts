/** Whose rows a coordinator takes: those of its server, and those whose server is gone. */

import { afterAll, describe, expect, test } from "bun:test"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

import { createOpencodeClient } from "@opencode-ai/sdk/v2/client"
import { MemoryJournal } from "../../src/adapters/memory-journal.ts"
import { openJournal } from "../../src/adapters/open-journal.ts"
import { createLanes } from "../../src/compose.ts"
import { rowOf, settledRow } from "../helpers/rows.ts"

/** As much of an OpenCode as is asked for when nothing runs. */
const start = () =>
  Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => Response.json({ healthy: true, version: "1.18.33" }) })
const servers = [start(), start(), start()] as const
const [ours, theirs, gone] = servers.map(({ url }) => url.origin) as [string, string, string]
await servers[2].stop(true)
afterAll(() => Promise.all(servers.map((server) => server.stop(true))))

describe("a journal of the caller's own", () => {
  const [own, other, left] = [rowOf({}, ours), rowOf({}, theirs), rowOf({}, gone)]
  const adopted = { ...left, spec: { ...left.spec, server: ours } }
  const taken = async (hosted: boolean): Promise<unknown> => {
    const world = { directory: "/project", server: ours, hosted, log: () => {} }
    return (await openJournal(new MemoryJournal([own, other, left]), world)).left
  }

  test("gives the rows of our server, and as ours those of one that is gone; not those of one that answers", async () => {
    expect(await taken(false)).toEqual([
      { rows: [own], sessions: "alive" },
      { rows: [adopted], sessions: "dead" },
    ])
  })

  test("gives rows of a server that ended with its owner as those of one that is gone", async () => {
    expect(await taken(true)).toEqual([
      { rows: [], sessions: "alive" },
      { rows: [own, adopted], sessions: "dead" },
    ])
  })
})

test("two SDK clients are two servers, each known by its address", async () => {
  const folder = mkdtempSync(join(tmpdir(), "lanes-open-"))
  try {
    const settled = settledRow({ settledAt: Date.now() })
    const task = { ...settled, spec: { ...settled.spec, server: ours } }
    const world = { directory: folder, server: ours, hosted: false, log: () => {} }
    const { journal } = await openJournal({ folder }, world)
    journal.write([task], [])
    journal.close()
    const stateAt = async (address: string | object): Promise<string | undefined> => {
      await using lanes = await createLanes({
        server: address,
        directory: folder,
        journal: { folder },
        configFiles: false,
        events: false,
        threads: "inline",
      })
      return lanes.get(task.id)?.state
    }
    const client = (baseUrl: string): object => createOpencodeClient({ baseUrl: `${baseUrl}/` })
    expect(await stateAt(client(theirs))).toBeUndefined()
    expect(await stateAt(client(ours))).toBe("completed")
    expect(await stateAt(theirs)).toBeUndefined()
    expect(await stateAt(ours)).toBe("completed")
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
