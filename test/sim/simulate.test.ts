import { expect, test } from "bun:test"

import { agent, simulate } from "../../src/sim/index.ts"

test("20 tasks, 3 slots, a crash and a nap", () => {
  const sim = simulate({ seed: 42, config: { defaultConcurrency: 3 } })
  const parent = sim.session("ses_parent")
  for (let i = 0; i < 20; i++) {
    parent.launch({ model: "a/haiku" }, agent().think("2s..20s").tool("grep", "1s..40s").todos(2).done("ok"))
  }
  sim.at("30s", () => sim.crash("coordinator"))
  sim.at("1m", () => sim.sleepMachine("10m"))
  const run = sim.run({ until: "quiet", max: "2h" })
  expect(run.states).toEqual({ completed: 20 })
  expect(run.peak("default")).toBe(3)
  expect(run.delivered(parent)).toHaveLength(20)
})
