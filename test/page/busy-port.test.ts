/** A page whose port is taken: a start that fails for it touches nothing, and the plugin's tools need no page. */

import { expect, test } from "bun:test"
import { once } from "node:events"
import { createServer } from "node:net"
import type { AddressInfo } from "node:net"
import { join } from "node:path"

import { MemoryJournal } from "../../src/adapters/memory-journal.ts"
import { projectFolder } from "../../src/adapters/state-folder.ts"
import { createLanes } from "../../src/compose.ts"
import type { CreateOptions } from "../../src/compose.ts"
import type { WireRequest, WireResponse } from "../../src/coordinator/ports.ts"
import { PluginHost } from "../../src/plugin/host.ts"
import { JournalFolder } from "../helpers/journals.ts"
import { rowOf } from "../helpers/rows.ts"

const HEALTHY = JSON.stringify({ healthy: true, version: "1.18.33" })

/** A port of this machine that somebody listens on. */
async function takenPort(): Promise<{ readonly port: number } & Disposable> {
  const server = createServer().listen(0, "127.0.0.1")
  await once(server, "listening")
  return { port: (server.address() as AddressInfo).port, [Symbol.dispose]: () => void server.close() }
}

/** A running task of an earlier process, with a session. */
function leftRow(): ReturnType<typeof rowOf> {
  return rowOf({ state: "running", sessionID: "ses_left", startedAt: Date.now(), attempt: 1 }, "host:1")
}

test("a start that fails for its page has taken nothing over, and the next one does", async () => {
  using taken = await takenPort()
  const row = leftRow()
  const journal = new MemoryJournal([row])
  const asked: string[] = []
  const options: CreateOptions = {
    server: {
      name: "host:1",
      transport: {
        fetch: async ({ method, path }: WireRequest): Promise<WireResponse> => {
          asked.push(`${method} ${path}`)
          return { status: path === "/global/health" ? 200 : 404, headers: {}, body: HEALTHY }
        },
        open: async () => new Response(null, { status: 404 }),
      },
    },
    journal,
    recover: "ask",
    configFiles: false,
    threads: "inline",
    events: false,
  }
  expect(createLanes({ ...options, page: { port: taken.port } })).rejects.toMatchObject({
    code: "INVALID_INPUT",
    message: expect.stringContaining(`The page cannot listen on port ${taken.port}`),
  })
  expect([journal.load(), asked]).toEqual([[row], ["GET /global/health"]])

  const said: string[] = []
  await using lanes = await createLanes({
    ...options,
    page: { port: taken.port, optional: true },
    log: (message) => said.push(message),
  })
  expect([lanes.page, said.length, said[0]]).toEqual([
    undefined,
    1,
    expect.stringContaining(`The page cannot listen on port ${taken.port}`),
  ])
  expect(lanes.get(row.id)?.outcome?.reason).toBe("INTERRUPTED")
})

test("in the plugin it is a warning: what was left is taken over, and the tools have what is behind them", async () => {
  using taken = await takenPort()
  using left = new JournalFolder()
  const directory = left.root
  const row = leftRow()
  const opened = await left.open({
    folder: projectFolder(join(left.root, "opencode-lanes"), directory),
    signature: { directory, server: "host:1", hosted: true },
  })
  opened.journal.write([row], [])
  await left.die(opened)

  const logged: string[] = []
  const config = {
    baseUrl: "http://host.invalid",
    headers: {},
    fetch: async (request: Request) => {
      if (new URL(request.url).pathname === "/log") logged.push(await request.text())
      return new Response(HEALTHY)
    },
  }
  const host = new PluginHost()
  host.join(directory, { _client: { getConfig: () => config } })
  host.log.flush()
  const before = process.env["XDG_STATE_HOME"]
  process.env["XDG_STATE_HOME"] = left.root
  try {
    const { lanes } = await host.open(directory, { page: { port: taken.port } })
    await using _ = lanes
    expect(lanes.get(row.id)?.outcome?.reason).toBe("INTERRUPTED")
    expect(logged.filter((line) => line.includes(`The page cannot listen on port ${taken.port}`))).toHaveLength(1)
    expect(await host.open(directory, {})).toHaveProperty("lanes", lanes)
  } finally {
    if (before === undefined) delete process.env["XDG_STATE_HOME"]
    else process.env["XDG_STATE_HOME"] = before
  }
})
