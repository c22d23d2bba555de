import { expect, test } from "bun:test"

import { addAgents } from "../../src/plugin/agents.ts"
import type { HostConfig } from "../../src/plugin/host-shapes.ts"

test("agents that only read are added, and none names a model", () => {
  const config: HostConfig = {}
  addAgents(config)
  expect(Object.keys(config.agent ?? {}).toSorted()).toEqual(["librarian", "momus", "oracle"])
  for (const agent of Object.values(config.agent ?? {})) {
    expect(agent).toEqual({
      mode: "subagent",
      description: expect.any(String),
      prompt: expect.any(String),
      permission: { edit: "deny", bash: "deny", task: "deny", question: "deny", todowrite: "deny" },
    })
  }
})

test("somebody's agent of the same name is left alone", () => {
  const own = { description: "ours", mode: "subagent" }
  const config: HostConfig = { agent: { oracle: own } }
  addAgents(config)
  expect(Object.keys(config.agent ?? {}).toSorted()).toEqual(["librarian", "momus", "oracle"])
  expect(config.agent?.["oracle"]).toBe(own)
})
