/** Run by the question `simulation`, under `bun test`: the first simulation of a process. */
import { expect, test } from "bun:test"

test("1,000 tasks, cold", async () => {
  const begun = performance.now()
  const { play, populations } = await import("./population.ts")
  const { events } = play(populations.mixed, 1_000)
  console.log(`took ms: ${performance.now() - begun}`)
  expect(events).toBeGreaterThan(100_000)
})
