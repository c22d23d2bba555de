/** Deadlines: earliest first, one per key, whatever was set before. */
import { describe, expect, test } from "bun:test"
import fc from "fast-check"
import { DueQueue } from "../../src/core/due-queue.ts"

describe("due queue", () => {
  test("agrees with a plain map under any sequence", () => {
    const key = fc.constantFrom("a", "b", "c", "d", "e")
    const command = fc.oneof(
      fc.record({ do: fc.constant("set" as const), key, at: fc.nat(50) }),
      fc.record({ do: fc.constant("clear" as const), key }),
      fc.record({ do: fc.constant("take" as const), now: fc.nat(50) }),
    )
    fc.assert(
      fc.property(fc.array(command, { maxLength: 200, size: "max" }), (commands) => {
        const queue = new DueQueue()
        const model = new Map<string, number>()
        for (const input of commands) {
          if (input.do === "set") {
            queue.set(input.key, input.at)
            model.set(input.key, input.at)
          } else if (input.do === "clear") {
            queue.clear(input.key)
            model.delete(input.key)
          } else {
            const due = [...model.values()].filter((at) => at <= input.now)
            const taken = queue.take(input.now)
            if (due.length === 0) expect(taken).toBeUndefined()
            else expect(model.get(taken as string)).toBe(Math.min(...due))
            if (taken !== undefined) model.delete(taken)
          }
          expect(queue.size).toBe(model.size)
          expect(queue.next()).toBe(model.size === 0 ? undefined : Math.min(...model.values()))
        }
      }),
      { numRuns: 300 },
    )
  })

  test("what is due at once comes in the order of setting, however often the next one was asked for", () => {
    const command = fc.record({ key: fc.constantFrom("a", "b", "c", "d", "e", "f"), at: fc.nat(6), look: fc.boolean() })
    fc.assert(
      fc.property(fc.array(command, { maxLength: 60, size: "max" }), (commands) => {
        const asked = new DueQueue()
        const alone = new DueQueue()
        for (const { key, at, look } of commands) {
          asked.set(key, at)
          alone.set(key, at)
          if (look) asked.next()
        }
        const taken = (queue: DueQueue): (string | undefined)[] =>
          [...new Set(commands.map(({ key }) => key))].map(() => queue.take(6))
        expect(taken(asked)).toEqual(taken(alone))
      }),
    )
  })

  test("left-overs of deadlines that moved earlier stay few", () => {
    const queue = new DueQueue()
    for (let i = 0; i < 10_000; i++) {
      queue.set("a", 1_000_000 + i)
      queue.set("a", i)
      expect(queue.take(i)).toBe("a")
      queue.set("b", 2_000_000)
    }
    expect(queue.held).toBeLessThan(100)
  })
})
