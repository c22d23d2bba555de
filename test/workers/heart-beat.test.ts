import { describe, expect, test } from "bun:test"

import type { Clock } from "../../src/coordinator/ports.ts"
import { FloodGuard } from "../../workers/flood-guard.ts"
import { HeartBeat } from "../../workers/heart-beat.ts"

/** A clock with at most one timer, moved by hand. */
class HandClock implements Clock {
  time = 0
  #due: { at: number; callback: () => void } | undefined
  readonly now = (): number => this.time
  readonly wall = (): number => this.time
  setTimer(ms: number, callback: () => void): () => void {
    const due = { at: this.time + ms, callback }
    this.#due = due
    return () => {
      if (this.#due === due) this.#due = undefined
    }
  }

  /** The main thread is free for so long; then each timer fires on time. */
  async pass(ms: number): Promise<void> {
    const end = this.time + ms
    while (this.#due !== undefined && this.#due.at <= end) {
      const due = this.#due
      this.#due = undefined
      this.time = Math.max(this.time, due.at)
      due.callback()
      await Promise.resolve()
      await Promise.resolve()
    }
    this.time = Math.max(this.time, end)
  }
}

function beatOf(clock: Clock, answers: () => boolean): { heart: HeartBeat; asked: () => number; silent: () => number } {
  let asked = 0
  let silent = 0
  const heart = new HeartBeat({
    clock,
    everyMs: 1_000,
    silentMs: 5_000,
    ping: () => {
      asked += 1
      return answers() ? Promise.resolve() : new Promise(() => {})
    },
    onSilent: () => {
      silent += 1
    },
  })
  heart.start()
  return { heart, asked: () => asked, silent: () => silent }
}

describe("heart-beat", () => {
  test("an answering thread is never silent", async () => {
    const clock = new HandClock()
    const { asked, silent } = beatOf(clock, () => true)
    await clock.pass(60_000)
    expect([asked(), silent()]).toEqual([60, 0])
  })

  test("a thread that stops answering is silent once, after the limit and no sooner", async () => {
    const clock = new HandClock()
    const { asked, silent } = beatOf(clock, () => clock.time < 3_000)
    await clock.pass(7_500)
    expect(silent()).toBe(0)
    await clock.pass(1_000)
    expect(silent()).toBe(1)
    await clock.pass(60_000)
    expect([silent(), asked()]).toEqual([1, 3])
  })

  test("a main thread held up for long does not make its threads silent", async () => {
    const clock = new HandClock()
    const { silent } = beatOf(clock, () => false)
    await clock.pass(1_500)
    clock.time += 60_000
    await clock.pass(0)
    expect(silent()).toBe(0)
  })

  test("stopped, it asks no more", async () => {
    const clock = new HandClock()
    const { heart, asked } = beatOf(clock, () => true)
    await clock.pass(2_000)
    heart.stop()
    await clock.pass(10_000)
    expect(asked()).toBe(2)
  })
})

describe("flood guard", () => {
  const limits = { perSecond: 100, perRun: 10, burst: 1_000 }

  test("admits a burst, and then what its rate allows", () => {
    const clock = new HandClock()
    const guard = new FloodGuard(clock, limits)
    for (let n = 0; n < 1_000; n += 1) expect(guard.admit(10, 0)).toBe(true)
    expect(guard.admit(10, 0)).toBe(false)
    clock.time = 1_000
    expect(guard.admit(10, 10)).toBe(true)
  })

  test("long messages cost more", () => {
    const guard = new FloodGuard(new HandClock(), limits)
    expect(guard.admit(16_384 * 999, 0)).toBe(true)
    expect(guard.admit(0, 0)).toBe(false)
  })
})
