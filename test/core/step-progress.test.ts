import { expect, test } from "bun:test"

import { CoreRig } from "../helpers/core-rig.ts"

const USED = { tokens: { input: 10, output: 5, reasoning: 1, cacheRead: 2, cacheWrite: 3 }, cost: 0.5 }

test("what each step used is in the row as soon as it is told, until the session's own count is read", () => {
  const rig = new CoreRig()
  const { id } = rig.running()
  for (let i = 0; i < 2; i++) rig.step({ type: "hint", sessionID: `ses_${id}`, hint: { type: "step-end", used: USED } })
  expect(rig.row(id)).toMatchObject({
    tokens: { input: 20, output: 10, reasoning: 2, cacheRead: 4, cacheWrite: 6 },
    cost: 1,
  })
  const tokens = { input: 12, output: 6, reasoning: 0, cacheRead: 0, cacheWrite: 0 }
  rig.snapshot(id, { status: { type: "busy" }, tokens, cost: 0.6 })
  expect(rig.row(id)).toMatchObject({ tokens, cost: 0.6 })
})

test("progress names the last tool, also when it has ended", () => {
  const rig = new CoreRig()
  const { id } = rig.running()
  const hint = (tool: string | null): void => {
    rig.pass(1_000)
    rig.step({ type: "hint", sessionID: `ses_${id}`, hint: { type: "part", tool } })
  }
  hint("grep")
  hint(null)
  expect(rig.events("task:progress").map((event) => event.tool)).toEqual(["grep", "grep"])
})

test("of several errors the first is the reason", () => {
  const rig = new CoreRig()
  const { id } = rig.running()
  const error = (name: string, message: string): void => {
    rig.step({ type: "hint", sessionID: `ses_${id}`, hint: { type: "error", name, message } })
  }
  error("UnknownError", 'Agent not found: "nope".')
  error("UnknownError", "UnknownError")
  for (let i = 0; i < 3; i++) {
    rig.snapshot(id, { newest: null, fingerprint: "none" })
    rig.pass(1_000)
  }
  expect(rig.row(id).outcome).toMatchObject({ reason: "AGENT_UNKNOWN", sentence: 'Agent not found: "nope".' })
})
