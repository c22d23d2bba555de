import { expect, test } from "bun:test"

import { httpTransport } from "../../src/adapters/http-transport.ts"
import { SystemClock } from "../../src/adapters/system-clock.ts"
import type { ScriptedTurn } from "../../src/cli/demo/scripted-model.ts"
import { createOpencodeSession } from "../../workers/opencode-session.ts"
import { sessionApiContract } from "../contract/session-api.ts"
import type { ContractTurn } from "../contract/session-api.ts"
import { codeOf } from "../helpers/code-of.ts"
import { scripted, useOpenCode } from "../helpers/opencode.ts"

const opencode = useOpenCode({ permission: { bash: { "*": "allow", date: "ask" } } })
let scripts = 0

const open = () => {
  const transport = httpTransport({ baseUrl: opencode.url, password: opencode.password })
  const clock = new SystemClock()
  return { clock, api: createOpencodeSession({ fetch: (request, signal) => transport.fetch(request, signal), clock }) }
}

sessionApiContract("over the real OpenCode", () => ({
  ...open(),
  directory: opencode.directory,
  agent: "build",
  script: (turns) => scripted("Do it.", { id: `contract-${(scripts += 1)}`, turns: turns.map(turnOf) }),
  waitFor: async (probe) => {
    for (;;) {
      const answer = await probe()
      if (answer !== undefined) return answer
      await Bun.sleep(40)
    }
  },
}))

function turnOf(turn: ContractTurn): ScriptedTurn {
  if ("say" in turn) return { text: turn.say, ...(turn.cutOff === true ? { finish: "length" as const } : {}) }
  if ("writeForMs" in turn) return { stream: { chunks: Math.ceil(turn.writeForMs / 50), everyMs: 50 } }
  if ("fail" in turn) return { status: 400, message: turn.fail }
  if ("todos" in turn) {
    const todos = turn.todos.map((todo) => ({ ...todo, priority: "high" }))
    return { tools: [{ name: "todowrite", args: { todos } }] }
  }
  if (turn.ask === "permission")
    return { tools: [{ name: "bash", args: { command: "date", description: "the date" } }] }
  const questions = [{ question: turn.question, header: "Choice", options: [{ label: "a", description: "the first" }] }]
  return { tools: [{ name: "question", args: { questions } }] }
}

test("a stamp appends rules to those the session has", async () => {
  const { api } = open()
  const { directory, client } = opencode
  const first = { permission: "question", pattern: "*", action: "deny" } as const
  const second = { permission: "task", pattern: "*", action: "deny" } as const
  const { id } = await api.create({ directory, title: "A task", permission: [first], metadata: {} })
  await api.stamp(directory, id, { metadata: {}, permission: [second] })
  const { data } = await client.session.get({ sessionID: id })
  expect(data?.permission).toEqual([first, second])
})

test("a wrong password is SERVER_AUTH, a malformed id SERVER_BUSY, a foreign model format refused here", async () => {
  const { directory, url } = opencode
  const stranger = httpTransport({ baseUrl: url, password: "wrong" })
  const shut = createOpencodeSession({ fetch: (request) => stranger.fetch(request), clock: new SystemClock() })
  expect(await codeOf(shut.list(directory, {}))).toBe("SERVER_AUTH")
  const { api } = open()
  expect(await codeOf(api.get(directory, "nonsense"))).toBe("SERVER_BUSY")
  const prompt = { messageID: "xyz", partID: "prt_1", text: "x" }
  const { id } = await api.create({ directory, title: "A task", permission: [], metadata: {} })
  expect(await codeOf(api.prompt(directory, id, prompt))).toBe("SERVER_REJECTED")
  expect(await codeOf(api.prompt(directory, id, { ...prompt, model: "fast" }))).toBe("MODEL_UNKNOWN")
})
