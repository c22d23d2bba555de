/** Run by the question `simulation`, under `bun test`. */

import { drainMicrotasks } from "bun:jsc"
import { expect, jest, test } from "bun:test"
import { pollAll, SESSIONS } from "./polling.ts"

test("polling on bun's fake timers", () => {
  const hours = Number(process.env["BENCH_HOURS"])
  const real = performance.now.bind(performance)
  const begun = real()
  jest.useFakeTimers({ now: 0 })
  const polls = pollAll({ now: () => Date.now(), setTimer: (ms, callback) => setTimeout(callback, ms) })
  drainMicrotasks()
  while (Date.now() < hours * 3_600_000) {
    jest.advanceTimersToNextTimer()
    drainMicrotasks()
  }
  jest.useRealTimers()
  const seconds = (performance.now() - begun) / 1_000
  expect(polls()).toBeGreaterThanOrEqual(SESSIONS * (hours * 1_800 - 1))
  console.log(`hours a second: ${hours / seconds}`)
}, 120_000)
