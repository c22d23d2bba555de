import { expect, test } from "bun:test"
import { DEMO_TASKS } from "../../src/cli/demo/conversations.ts"
import { startPrivateOpenCode } from "../../src/cli/demo/private-opencode.ts"
import { createLanes } from "../../src/index.ts"

test("every tool call of the demo succeeds on the sample project, on a machine without ripgrep, too", async () => {
  await using opencode = await startPrivateOpenCode()
  const { url: server, password, directory } = opencode
  const config = { defaultConcurrency: DEMO_TASKS.length }
  await using lanes = await createLanes({ server, password, directory, configFiles: false, journal: "memory", config })
  const calls = await Promise.all(
    DEMO_TASKS.map(async ({ agents: [agent = "general"], description, prompt }) => {
      const task = await lanes.launch({ agent, description, prompt })
      const { state, text } = await task.done
      expect({ description, state }).toEqual({ description, state: "completed" })
      expect(text.length).toBeGreaterThan(40)
      return (await lanes.messages(task.id)).flatMap(({ tools }) => tools)
    }),
  )
  const tools = calls.flat()
  expect(tools.filter(({ state }) => state !== "completed")).toEqual([])
  expect([...new Set(tools.map(({ name }) => name))].toSorted()).toEqual(["glob", "grep", "read", "todowrite"])
}, 60_000)
