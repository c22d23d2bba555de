import { expect, test } from "bun:test"

import { addAgents } from "../../src/plugin/agents.ts"
import type { HostConfig } from "../../src/plugin/host-shapes.ts"

test("agents are added where nobody has defined their names, and none names a model", () => {
  const own = { description: "ours", mode: "subagent" }
  const config: HostConfig = { agent: { oracle: own } }
  addAgents(config)
  expect(Object.keys(config.agent ?? {}).toSorted()).toEqual(["librarian", "momus", "oracle"])
  expect(config.agent?.["oracle"]).toBe(own)
  for (const name of ["librarian", "momus"]) {
    expect(config.agent?.[name]).toMatchObject({ mode: "subagent", permission: { edit: "deny", task: "deny" } })
    expect(config.agent?.[name]).not.toHaveProperty("model")
  }
})
