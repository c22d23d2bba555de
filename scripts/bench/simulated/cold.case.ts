/** Run by the question `simulation`, under `bun test`: the first simulation of a process, its modules loaded apart. */
import { expect, test } from "bun:test"

test("1,000 tasks, cold", async () => {
  const begun = performance.now()
  const { play, populations } = await import("./population.ts")
  const loaded = performance.now()
  const { events, tookMs } = play(
    process.env["BENCH_AGENTS"] === "short" ? populations.short : populations.mixed,
    1_000,
  )
  console.log(`loaded in ms: ${loaded - begun}, took ms: ${tookMs}`)
  expect(events).toBeGreaterThan(50_000)
})
