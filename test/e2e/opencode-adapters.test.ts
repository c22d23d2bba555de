import { describe, expect, test } from "bun:test"
import { createOpencodeClient as createV1 } from "@opencode-ai/sdk/client"

import { checkServer } from "../../src/adapters/check-server.ts"
import { clientTransport } from "../../src/adapters/client-transport.ts"
import { httpTransport } from "../../src/adapters/http-transport.ts"
import { opencodeCatalog } from "../../src/adapters/opencode-catalog.ts"
import { opencodeEvents } from "../../src/adapters/opencode-events.ts"
import { basicAuth } from "../../src/adapters/opencode-server.ts"
import { SystemClock } from "../../src/adapters/system-clock.ts"
import type { Hint } from "../../src/core/snapshot.ts"
import { messageID, partID } from "../../src/core/message-id.ts"
import { tailOf } from "../../src/core/tail.ts"
import { createOpencodeSession } from "../../workers/opencode-session.ts"
import { codeOf } from "../helpers/code-of.ts"
import { scripted, useOpenCode } from "../helpers/opencode.ts"

const opencode = useOpenCode({
  agents: { reviewer: { mode: "subagent", description: "Reviews.", prompt: "Review.", model: "globex/large" } },
})
const overHttp = () => httpTransport({ baseUrl: opencode.url, password: opencode.password })

describe("a real server", () => {
  test("is told from a shut one", async () => {
    expect((await checkServer(overHttp())).version).toMatch(/^\d+\.\d+\.\d+/)
    expect(await codeOf(checkServer(httpTransport({ baseUrl: opencode.url, password: "wrong" })))).toBe("SERVER_AUTH")
    expect(await codeOf(checkServer(httpTransport({ baseUrl: opencode.url, env: {} })))).toBe("SERVER_AUTH")
  })

  test("is told from the model's server, which is not OpenCode", async () => {
    expect(await codeOf(checkServer(httpTransport({ baseUrl: opencode.model.url, env: {} })))).toBe(
      "SERVER_NOT_OPENCODE",
    )
  })

  test("is reached by the fetch of an SDK client, of either version", async () => {
    const headers = { authorization: basicAuth(opencode.password) }
    for (const client of [
      opencode.client,
      createV1({ baseUrl: opencode.url, headers, directory: opencode.directory }),
    ]) {
      const transport = clientTransport(client)
      expect((await checkServer(transport)).version).toMatch(/^\d/)
      const api = createOpencodeSession({
        fetch: (request, signal) => transport.fetch(request, signal),
        clock: new SystemClock(),
      })
      const directory = opencode.newDirectory()
      const { id } = await api.create({ directory, title: "A task", permission: [], metadata: { a: 1 } })
      expect((await api.list(directory, {})).map((session) => session.id)).toEqual([id])
    }
  })

  test("tells its agents and models", async () => {
    const catalog = opencodeCatalog({ transport: overHttp(), clock: new SystemClock() })
    const { directory } = opencode
    expect(await catalog.resolve({ directory })).toEqual({ agent: "general", model: "acme/fast" })
    expect(await catalog.resolve({ directory, agent: "Reviewer" })).toEqual({
      agent: "reviewer",
      model: "globex/large",
    })
    expect(await catalog.resolve({ directory, agent: "explore", parentModel: "acme/deep" })).toEqual({
      agent: "explore",
      model: "acme/deep",
    })
    expect(await codeOf(catalog.resolve({ directory, agent: "build" }))).toBe("AGENT_PRIMARY")
    expect(await codeOf(catalog.resolve({ directory, agent: "nobody" }))).toBe("AGENT_UNKNOWN")
    expect(await codeOf(catalog.resolve({ directory, model: "acme/gone" }))).toBe("MODEL_UNKNOWN")
  })
})

describe("a real stream of events", () => {
  test.each([
    ["over HTTP", overHttp],
    ["over a client", () => clientTransport(opencode.client)],
  ])(
    "%s: tells the life of a session, and outlives the instance",
    async (_way, transport) => {
      const directory = opencode.newDirectory()
      const clock = new SystemClock()
      const heard: { sessionID: string; hint: Hint }[] = []
      const lives: (boolean | "disposed")[] = []
      const watchers = new Set<() => void>()
      const noting =
        <Said extends readonly unknown[]>(note: (...said: Said) => void) =>
        (...said: Said): void => {
          note(...said)
          for (const look of watchers) look()
        }
      const until = (met: () => boolean): Promise<void> =>
        new Promise((resolve) => {
          const look = (): void => {
            if (!met()) return
            watchers.delete(look)
            resolve()
          }
          watchers.add(look)
          look()
        })
      const way = transport()
      const undo = opencodeEvents({ transport: way, clock }).follow(directory, {
        hint: noting((sessionID: string, hint: Hint) => heard.push({ sessionID, hint })),
        alive: noting((alive: boolean) => lives.push(alive)),
        disposed: noting(() => lives.push("disposed")),
      })
      try {
        await until(() => lives.length > 0)
        const api = createOpencodeSession({ fetch: (request, signal) => way.fetch(request, signal), clock })
        const { id } = await api.create({ directory, title: "A task", permission: [], metadata: {} })
        const todos = [{ content: "x", status: "pending", priority: "high" }]
        const turns = [{ tools: [{ name: "todowrite", args: { todos } }] }, { stream: { chunks: 10, everyMs: 20 } }]
        const tail = tailOf(id)
        const now = clock.wall()
        await api.prompt(directory, id, {
          messageID: messageID(now, tail),
          partID: partID(now, tail),
          text: scripted("Do it.", { id: tail, turns }),
          agent: "build",
        })
        await until(() => heard.some(({ sessionID, hint }) => sessionID === id && hint.type === "idle"))

        const types = heard.filter(({ sessionID }) => sessionID === id).map(({ hint }) => hint.type)
        expect(types.filter((type) => type === "step")).toHaveLength(2)
        expect(types).toContain("step-end")
        expect(types).toContain("delta")
        const noted = heard.map(({ hint }) => hint).find((hint) => hint.type === "todos")
        expect(noted).toEqual({ type: "todos", todos: await api.todos(directory, id) })
        expect(lives).toEqual([true])

        await opencode.clientFor(directory).instance.dispose()
        await until(() => lives.length >= 4)
        expect(lives).toEqual([true, "disposed", false, true])
      } finally {
        undo()
      }
    },
    30_000,
  )
})
