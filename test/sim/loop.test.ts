import { describe, expect, test } from "bun:test"

import { Loop, SimProcess } from "../../src/sim/clock.ts"
import { Dice } from "../../src/sim/dice.ts"
import { parseDuration, parseSpan } from "../../src/sim/duration.ts"

describe("Loop", () => {
  test("events happen in the order of their time, then of the asking", () => {
    const loop = new Loop(0)
    const seen: string[] = []
    for (const [ms, name] of [
      [5, "c"],
      [1, "a"],
      [5, "d"],
      [3, "b"],
    ] as const)
      loop.after(ms, () => seen.push(`${name}${loop.now}`))
    while (loop.step(100));
    expect(seen).toEqual(["a1", "b3", "c5", "d5"])
  })

  test("what was undone does not happen, whatever else is asked for meanwhile", () => {
    const loop = new Loop(0)
    const dice = new Dice(3)
    const [kept, seen]: [number[], number[]] = [[], []]
    const undos = Array.from({ length: 500 }, (_, i) => {
      const at = dice.whole(0, 50, "at", i)
      return { i, at, undo: loop.after(at, () => seen.push(i)) }
    })
    for (const { i, undo } of undos) {
      if (dice.chance(0.5, "undo", i)) undo()
      else kept.push(i)
    }
    while (loop.step(100));
    const due = new Map(undos.map(({ i, at }) => [i, at]))
    expect(seen).toEqual(kept.toSorted((a, b) => (due.get(a) ?? 0) - (due.get(b) ?? 0) || a - b))
    expect(loop.pending).toBe(0)
  })

  test("promises that an event settles run to their end before the next event", () => {
    const loop = new Loop(0)
    const seen: string[] = []
    loop.after(
      1,
      () =>
        void Promise.resolve()
          .then(() => Promise.resolve())
          .then(() => seen.push("promise")),
    )
    loop.after(1, () => seen.push("event"))
    while (loop.step(10));
    expect(seen).toEqual(["promise", "event"])
  })

  test("two loops live side by side", () => {
    const [a, b] = [new Loop(0), new Loop(0)]
    a.after(10, () => {})
    b.after(90, () => {})
    while (a.step(50));
    while (b.step(100));
    expect([a.now, b.now]).toEqual([10, 90])
  })

  test("a frozen process does nothing until its end, a dead one never again", () => {
    const loop = new Loop(0)
    const [spins, dies] = [new SimProcess(loop, "spins"), new SimProcess(loop, "dies")]
    const seen: string[] = []
    spins.clock().setTimer(5, () => seen.push("spins"))
    dies.clock().setTimer(5, () => seen.push("dies"))
    spins.freeze()
    dies.die()
    while (loop.step(10));
    expect(seen).toEqual([])
  })
})

describe("Dice", () => {
  test("a throw depends on what it is for alone", () => {
    const [a, b] = [new Dice(1), new Dice(1)]
    b.unit("something else", 9, 9)
    expect(b.unit("kind", 3, 4)).toBe(a.unit("kind", 3, 4))
    expect(new Dice(2).unit("kind", 3, 4)).not.toBe(a.unit("kind", 3, 4))
  })

  test("throws are spread evenly", () => {
    const dice = new Dice(5)
    const counts = Array.from({ length: 10 }, () => 0)
    for (let i = 0; i < 20_000; i++)
      counts[dice.whole(0, 9, "spread", i)] = (counts[dice.whole(0, 9, "spread", i)] ?? 0) + 1
    for (const count of counts) expect(Math.abs(count - 2_000)).toBeLessThan(200)
  })
})

describe("durations", () => {
  test.each([
    ["2s", 2_000],
    ["1m 30s", 90_000],
    ["250ms", 250],
    ["1.5h", 5_400_000],
    [42, 42],
  ] as const)("%p", (text, ms) => expect(parseDuration(text)).toBe(ms))

  test.each(["soon", "", "2", "-1s", "2s..", "s", "1s..2s..3s", "5s..2s", -1, Number.NaN])(
    "%p is refused with a sentence",
    (text) => {
      expect(() => parseSpan(text as string)).toThrow("Expected")
    },
  )

  test("a span has two ends", () => {
    expect(parseSpan("2s..1m")).toEqual({ min: 2_000, max: 60_000 })
    expect(parseSpan("3s")).toEqual({ min: 3_000, max: 3_000 })
  })
})
