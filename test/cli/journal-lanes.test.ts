import { expect, test } from "bun:test"

import { JournalLanes } from "../../src/cli/journal-lanes.ts"

const limits = {
  defaultConcurrency: 5,
  providerConcurrency: { acme: 3, free: 0 },
  modelConcurrency: { deep: 1, "acme/large": 2 },
}
const granted = (lane: string, limit: number | null, at: number) =>
  ({ type: "lane:granted", id: "bg_1", epoch: 1, lane, limit, used: 1, queued: 0, at, seq: 1 }) as const

test("lanes at rest are those the configuration names in full; a model's short name is in none of them", () => {
  const lanes = new JournalLanes(limits)
  expect([...lanes.named()]).toEqual(["default", "provider:acme", "provider:free", "model:acme/large"])
  expect([...lanes.named(), "model:globex/deep"].map((lane) => lanes.limit(lane))).toEqual([5, 3, null, 2, 1])
})

test("what was told wins over the configuration, also that there is no limit any more", () => {
  const lanes = new JournalLanes(limits)
  lanes.learn(granted("default", 4, 10))
  lanes.learn({ type: "lane:limit", lane: "provider:acme", limit: null, at: 11, seq: 2 })
  lanes.learn({ type: "lane:limit", lane: "provider:new", limit: 7, at: 12, seq: 3 })
  expect(["default", "provider:acme", "provider:new"].map((lane) => lanes.limit(lane))).toEqual([4, null, 7])
  expect([...lanes.named()]).toContain("provider:new")
})

test("what a coordinator says is not undone by events from before, and is by those from after", () => {
  const lanes = new JournalLanes(limits)
  const view = { lane: "default", used: 0, limit: 9, queued: 0 }
  expect(lanes.hear([view, { ...view, lane: "provider:acme", limit: 3 }], 100)).toEqual([view])
  lanes.learn(granted("default", 5, 99))
  expect(lanes.limit("default")).toBe(9)
  lanes.learn(granted("default", 8, 101))
  expect(lanes.limit("default")).toBe(8)
})
