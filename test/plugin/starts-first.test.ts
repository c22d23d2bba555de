import { expect, test } from "bun:test"

import type { Composed } from "../../src/compose.ts"
import { startsFirst } from "../../src/plugin/starts-first.ts"
import { ManualClock } from "../helpers/manual-clock.ts"

type State = "pending" | "running" | "completed"

/** Tasks by state and steps, and a bus that can be rung. */
function world(rows: { state: State; steps: number }[]) {
  const clock = new ManualClock()
  const listening = new Set<() => void>()
  const lanes = {
    on: (_type: string, handler: () => void) => {
      listening.add(handler)
      return () => listening.delete(handler)
    },
  }
  const composed = {
    coordinator: { running: () => rows.filter(({ state }) => state === "running") },
    lanes,
    clock,
  } as unknown as Composed
  let over = false
  const abort = new AbortController()
  const wait = startsFirst(composed, abort.signal).then(() => (over = true))
  const ring = async (): Promise<boolean> => {
    for (const handler of [...listening]) handler()
    await Bun.sleep(0)
    return over
  }
  return { rows, clock, listening, abort, wait, ring }
}

test("nobody waits while no task starts", async () => {
  await world([
    { state: "completed", steps: 1 },
    { state: "running", steps: 2 },
    { state: "pending", steps: 0 },
  ]).wait
})

test("a starting task goes first, until its model's first step", async () => {
  const { rows, listening, ring, wait } = world([{ state: "running", steps: 0 }])
  expect(await ring()).toBe(false)
  rows[0] = { state: "running", steps: 1 }
  expect(await ring()).toBe(true)
  await wait
  expect(listening.size).toBe(0)
})

test("but not for long, and not when the delivery is called back", async () => {
  const slow = world([{ state: "running", steps: 0 }])
  expect(await slow.ring()).toBe(false)
  slow.clock.advance(400)
  await slow.wait
  const recalled = world([{ state: "running", steps: 0 }])
  recalled.abort.abort()
  await recalled.wait
})
