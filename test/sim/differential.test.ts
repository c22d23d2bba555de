import { expect, test } from "bun:test"

import { higherLimitStartsLater, replaysOtherwise, runsTwoWays, wallClockDecides } from "../../src/sim/differential.ts"
import { agent } from "../../src/sim/index.ts"
import type { Simulation } from "../../src/sim/simulate.ts"

const SEEDS = Array.from({ length: 10 }, (_, i) => i)

test("24: the wall clock decides nothing", () => {
  expect(SEEDS.map(wallClockDecides).filter(Boolean)).toEqual([])
})

test("27: a recorded log replays to the same effects", () => {
  expect(SEEDS.map((seed) => replaysOtherwise(seed)).filter(Boolean)).toEqual([])
})

test("28: the same seed gives the same hash", () => {
  expect(SEEDS.map((seed) => runsTwoWays(seed)).filter(Boolean)).toEqual([])
})

test("29: a higher limit starts no task later", () => {
  const scenario = (sim: Simulation): void => {
    for (let i = 0; i < 30; i++) sim.launch({}, agent().think("1s..20s").tool("grep", "1s..30s").done())
  }
  const pairs = [
    [1, 2],
    [2, 3],
    [3, 8],
  ] as const
  expect(pairs.map((pair, seed) => higherLimitStartsLater(seed, pair, { scenario })).filter(Boolean)).toEqual([])
})
