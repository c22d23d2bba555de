import { describe, expect, test } from "bun:test"

import { SystemClock } from "../../src/adapters/system-clock.ts"
import type { RawTime } from "../../src/adapters/system-clock.ts"

interface Timer {
  readonly at: number
  readonly callback: () => void
}

/** Time moved by hand. `sleep` moves the raw clock past all timers without firing them, as a machine asleep does. */
class HandMoved implements RawTime {
  time = 5_000
  longest = 0
  #timers: Timer[] = []
  readonly mono = (): number => this.time
  readonly wall = (): number => 1_000_000 + this.time
  after(ms: number, callback: () => void): () => void {
    this.longest = Math.max(this.longest, ms)
    const timer = { at: this.time + ms, callback }
    this.#timers.push(timer)
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer)
    }
  }

  get pending(): number {
    return this.#timers.length
  }

  pass(ms: number): void {
    const end = this.time + ms
    for (;;) {
      const next = this.#timers.filter(({ at }) => at <= end).toSorted((a, b) => a.at - b.at)[0]
      if (next === undefined) break
      this.#timers = this.#timers.filter((timer) => timer !== next)
      this.time = Math.max(this.time, next.at)
      next.callback()
    }
    this.time = Math.max(this.time, end)
  }

  sleep(ms: number): void {
    this.time += ms
  }
}

function setUp(): { raw: HandMoved; clock: SystemClock; fired: number[]; timer: (ms: number) => () => void } {
  const raw = new HandMoved()
  const clock = new SystemClock(raw)
  const fired: number[] = []
  return { raw, clock, fired, timer: (ms) => clock.setTimer(ms, () => fired.push(ms)) }
}

describe("SystemClock", () => {
  test("goes with the raw clock while the machine is awake", () => {
    const { raw, clock } = setUp()
    const begun = clock.now()
    raw.pass(3_600_000)
    expect(clock.now() - begun).toBe(3_600_000)
  })

  test("a busy process of up to 10 s is not a sleep", () => {
    const { raw, clock } = setUp()
    const begun = clock.now()
    raw.sleep(11_000)
    expect(clock.now() - begun).toBe(11_000)
  })

  test("stands still while the machine sleeps; the wall clock does not", () => {
    const { raw, clock } = setUp()
    const [begun, wall] = [clock.now(), clock.wall()]
    raw.pass(2_500)
    raw.sleep(8 * 3_600_000)
    raw.pass(4_000)
    expect(clock.now() - begun).toBeGreaterThanOrEqual(6_500)
    expect(clock.now() - begun).toBeLessThanOrEqual(7_500)
    expect(clock.wall() - wall).toBe(8 * 3_600_000 + 6_500)
  })

  test("never goes back, whether the beat or a reader is the first to see a sleep", () => {
    const { raw, clock } = setUp()
    let last = clock.now()
    for (const step of [300, 900, 40_000, 1, 700, 1_100, 12_000, 5]) {
      if (step > 11_000) raw.sleep(step)
      else raw.pass(step)
      const now = clock.now()
      expect(now).toBeGreaterThanOrEqual(last)
      last = now
    }
  })

  test("each of several sleeps counts", () => {
    const { raw, clock } = setUp()
    const begun = clock.now()
    for (let n = 0; n < 5; n += 1) {
      raw.sleep(60_000)
      raw.pass(2_000)
    }
    expect(clock.now() - begun).toBeLessThanOrEqual(5 * 3_000)
  })

  test("a timer fires once, when its time has come", () => {
    const { raw, fired, timer } = setUp()
    timer(1_500)
    raw.pass(1_499)
    expect(fired).toEqual([])
    raw.pass(1)
    raw.pass(10_000)
    expect(fired).toEqual([1_500])
  })

  test("a timer does not fire early after a sleep: what was left of it is waited for", () => {
    const { raw, fired, timer } = setUp()
    timer(60_000)
    raw.pass(20_000)
    raw.sleep(3_600_000)
    raw.pass(30_000)
    expect(fired).toEqual([])
    raw.pass(11_000)
    expect(fired).toEqual([60_000])
  })

  test("undone before or after a sleep it never fires", () => {
    const { raw, fired, timer } = setUp()
    const before = timer(30_000)
    const after = timer(40_000)
    before()
    raw.sleep(3_600_000)
    raw.pass(1)
    after()
    raw.pass(100_000)
    expect(fired).toEqual([])
  })

  test("a timer may be longer than the runtime's longest", () => {
    const { raw, clock, fired, timer } = setUp()
    // Without beats, of which there would be two million.
    clock[Symbol.dispose]()
    timer(2 ** 31 + 5_000)
    raw.pass(2 ** 31)
    expect(fired).toEqual([])
    raw.pass(5_000)
    expect(fired).toEqual([2 ** 31 + 5_000])
    expect(raw.longest).toBeLessThan(2 ** 31)
  })

  test("a timer of no or negative time fires soon, never at once", () => {
    const { raw, fired, timer } = setUp()
    timer(0)
    timer(-5)
    expect(fired).toEqual([])
    raw.pass(0)
    expect(fired).toEqual([0, -5])
  })

  test("disposed, it leaves no beat behind", () => {
    const { raw, clock } = setUp()
    clock[Symbol.dispose]()
    expect(raw.pending).toBe(0)
  })

  test("over the runtime's own timers, in order", async () => {
    using clock = new SystemClock()
    const { promise, resolve } = Promise.withResolvers<number>()
    const begun = clock.now()
    clock.setTimer(20, () => resolve(clock.now()))
    expect((await promise) - begun).toBeGreaterThanOrEqual(20)
    expect(Math.abs(clock.wall() - Date.now())).toBeLessThan(1_000)
  })
})
