/** Lanes: which one a model has, and who gets a slot next. */
import { describe, expect, test } from "bun:test"
import fc from "fast-check"
import { LaneAllocator, laneOf, limitOf, splitModel } from "../../src/core/lanes.ts"
import type { LaneLimits, SlotToken } from "../../src/core/lanes.ts"

const none: LaneLimits = { defaultConcurrency: 2, providerConcurrency: {}, modelConcurrency: {} }

describe("which lane", () => {
  test("model before provider before default", () => {
    const limits: LaneLimits = { ...none, providerConcurrency: { a: 1 }, modelConcurrency: { "a/one": 1, two: 1 } }
    expect(laneOf("a/one", limits)).toBe("model:a/one")
    expect(laneOf("a/two", limits)).toBe("model:a/two")
    expect(laneOf("a/three", limits)).toBe("provider:a")
    expect(laneOf("b/three", limits)).toBe("default")
    expect(laneOf(undefined, limits)).toBe("default")
  })

  test("the longer key wins; further slashes belong to the model", () => {
    const limits: LaneLimits = { ...none, modelConcurrency: { m: 1, "a/m": 7, "x/m": 3 } }
    expect(limitOf(laneOf("a/m", limits), limits)).toBe(7)
    expect(limitOf(laneOf("b/m", limits), limits)).toBe(1)
    expect(splitModel("openrouter/anthropic/claude")).toEqual({ provider: "openrouter", id: "anthropic/claude" })
    expect(limitOf(laneOf("open/x/m", limits), limits)).toBe(3)
  })

  test("what is no model, or is called like a property of every object, has no limit of its own", () => {
    for (const odd of ["", "/", "a/", "/m", "constructor", "__proto__/toString", "a/constructor"])
      expect(laneOf(odd, none)).toBe("default")
  })

  test("0 is unlimited", () => {
    expect(limitOf("provider:a", { ...none, providerConcurrency: { a: 0 } })).toBe(Number.POSITIVE_INFINITY)
  })
})

describe("tokens", () => {
  test("a token is given back once", () => {
    const lanes = new LaneAllocator(none)
    const token = lanes.request("default", "a") as SlotToken
    expect(lanes.release(token)).toBe(true)
    expect(lanes.release(token)).toBe(false)
    expect(lanes.release({ ...token })).toBe(false)
    expect(lanes.view("default").used).toBe(0)
  })

  test("lesson 4, by model: whatever happens, limits hold, queues are first in first out, no slot is free beside a waiter", () => {
    const lane = fc.constantFrom("default", "provider:a", "provider:b")
    const command = fc.oneof(
      fc.record({ do: fc.constant("request" as const), lane }),
      fc.record({ do: fc.constant("release" as const), pick: fc.nat(20) }),
      fc.record({ do: fc.constant("withdraw" as const), pick: fc.nat(20) }),
      fc.record({ do: fc.constant("limit" as const), a: fc.nat(4), d: fc.integer({ min: 1, max: 4 }) }),
    )
    fc.assert(
      fc.property(fc.array(command, { maxLength: 120, size: "max" }), (commands) => {
        let limits: LaneLimits = { ...none, providerConcurrency: { a: 1, b: 0 } }
        const lanes = new LaneAllocator(limits)
        const held: SlotToken[] = []
        const waiting: { lane: string; task: string }[] = []
        let n = 0
        const grant = (of: string): void => {
          for (let token = lanes.grantNext(of); token !== undefined; token = lanes.grantNext(of)) {
            const first = waiting.findIndex((waiter) => waiter.lane === of)
            expect(waiting[first]?.task).toBe(token.task)
            waiting.splice(first, 1)
            held.push(token)
            expect(held.filter((other) => other.lane === of).length).toBeLessThanOrEqual(limitOf(of, limits) ?? 0)
          }
        }
        for (const input of commands) {
          if (input.do === "request") {
            const task = `t${n++}`
            const free = lanes.hasRoom(input.lane)
            const token = lanes.request(input.lane, task)
            expect(token !== undefined).toBe(free)
            if (token !== undefined) held.push(token)
            else waiting.push({ lane: input.lane, task })
          } else if (input.do === "release" && held.length > 0) {
            const [token] = held.splice(input.pick % held.length, 1) as [SlotToken]
            expect(lanes.release(token)).toBe(true)
            grant(token.lane)
          } else if (input.do === "withdraw" && waiting.length > 0) {
            const [gone] = waiting.splice(input.pick % waiting.length, 1) as [{ lane: string; task: string }]
            lanes.withdraw(gone.lane, gone.task)
            grant(gone.lane)
          } else if (input.do === "limit") {
            limits = { defaultConcurrency: input.d, providerConcurrency: { a: input.a, b: 0 }, modelConcurrency: {} }
            lanes.setLimits(limits)
            for (const of of ["default", "provider:a", "provider:b"]) grant(of)
          }
          expect(lanes.waiting).toBe(waiting.length)
          for (const of of ["default", "provider:a", "provider:b"]) {
            const view = lanes.view(of)
            expect(view.used).toBe(held.filter((token) => token.lane === of).length)
            expect(view.queued).toBe(waiting.filter((waiter) => waiter.lane === of).length)
            if (view.queued > 0) expect(view.limit !== null && view.used >= view.limit).toBe(true)
          }
        }
        const queue = waiting.filter((waiter) => waiter.lane === "default")
        queue.forEach(({ task }, i) => expect(lanes.ahead("default", task)).toBe(i))
      }),
      { numRuns: 200 },
    )
  })
})
