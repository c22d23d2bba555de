import { describe, expect, test } from "bun:test"

import type { WireResponse } from "../../src/coordinator/ports.ts"
import { createOpencodeSession } from "../../workers/opencode-session.ts"
import { createStatusBoard } from "../../workers/status-board.ts"
import { codeOf } from "../helpers/code-of.ts"
import { ManualClock } from "../helpers/manual-clock.ts"

/** A server that answers when told. */
function slowServer() {
  const waiting: PromiseWithResolvers<WireResponse>[] = []
  const answer = (body: unknown, status = 200, more: Readonly<Record<string, string>> = {}): void => {
    const headers = { "content-type": "application/json", ...more }
    waiting.shift()?.resolve({ status, headers, body: JSON.stringify(body) })
  }
  const fetch = (): Promise<WireResponse> => {
    const call = Promise.withResolvers<WireResponse>()
    waiting.push(call)
    return call.promise
  }
  /** Until so many requests are under way. */
  const asked = async (count: number): Promise<void> => {
    while (waiting.length < count) await new Promise((resolve) => setImmediate(resolve))
  }
  return { waiting, answer, fetch, asked }
}

describe("the status board", () => {
  test("asks once for all who ask at the same time, per directory", async () => {
    const server = slowServer()
    const clock = new ManualClock()
    const board = createStatusBoard({ fetch: server.fetch, clock })
    const api = () => createOpencodeSession({ fetch: server.fetch, clock, board })
    const samples = Promise.all([api().status("/a"), api().status("/a"), api().status("/b")])
    await server.asked(2)
    expect(server.waiting).toHaveLength(2)
    server.answer({ ses_1: { type: "busy" } })
    server.answer({ ses_2: { type: "busy" } })
    const [one, two, other] = await samples
    expect(two).toBe(one)
    expect(one.of).toEqual({ ses_1: { type: "busy" } })
    expect(other.of).toEqual({ ses_2: { type: "busy" } })
  })

  test("tells when the request was sent, not when it was answered or joined", async () => {
    const server = slowServer()
    const clock = new ManualClock()
    const board = createStatusBoard({ fetch: server.fetch, clock })
    const sentAt = clock.now()
    const first = board.read("/a")
    await server.asked(1)
    clock.advance(3_000)
    const joined = board.read("/a")
    clock.advance(1_000)
    server.answer({})
    expect((await first).askedAt).toBe(sentAt)
    expect((await joined).askedAt).toBe(sentAt)
    const next = board.read("/a")
    await server.asked(1)
    server.answer({})
    expect((await next).askedAt).toBe(sentAt + 4_000)
  })

  test("asks anew after a failure", async () => {
    const server = slowServer()
    const board = createStatusBoard({ fetch: server.fetch, clock: new ManualClock() })
    const failed = [codeOf(board.read("/a")), codeOf(board.read("/a"))]
    await server.asked(1)
    server.answer("", 500)
    expect(await Promise.all(failed)).toEqual(["SERVER_BUSY", "SERVER_BUSY"])
    const next = board.read("/a")
    await server.asked(1)
    server.answer({})
    expect((await next).of).toEqual({})
  })

  test("one who gives up leaves the request to the others", async () => {
    const server = slowServer()
    const clock = new ManualClock()
    const api = createOpencodeSession({ fetch: server.fetch, clock })
    const given = new AbortController()
    const leaver = codeOf(api.status("/a", given.signal))
    const stayer = api.status("/a")
    await server.asked(1)
    given.abort()
    expect(await leaver).toBe("CLOSED")
    server.answer({ ses_1: { type: "busy" } })
    expect((await stayer).of).toEqual({ ses_1: { type: "busy" } })
  })

  test("reads idle as absent, an unknown status as busy, and a retry with its time left", async () => {
    const server = slowServer()
    const clock = new ManualClock()
    const sample = createStatusBoard({ fetch: server.fetch, clock }).read("/a")
    await server.asked(1)
    const retry = { type: "retry", attempt: 2, message: "slow down" }
    server.answer({
      ses_1: { type: "idle" },
      ses_2: { type: "thinking" },
      ses_3: { ...retry, next: clock.wall() + 7_000 },
      ses_4: { ...retry, next: clock.wall() - 7_000 },
    })
    expect((await sample).of).toEqual({
      ses_2: { type: "busy" },
      ses_3: { type: "retry", attempt: 2, message: "slow down", inMs: 7_000 },
      ses_4: { type: "retry", attempt: 2, message: "slow down", inMs: 0 },
    })
  })

  test.each([3_600_000, -3_600_000])(
    "a server whose clock is off by %d ms tells by it how long a retry waits",
    async (off) => {
      const server = slowServer()
      const clock = new ManualClock()
      const sample = createStatusBoard({ fetch: server.fetch, clock }).read("/a")
      await server.asked(1)
      // Headers tell the time to the second.
      const itsNow = Math.floor(clock.wall() / 1_000) * 1_000 + off
      const retry = { type: "retry", attempt: 1, message: "slow down", next: itsNow + 2_000 }
      server.answer({ ses_1: retry }, 200, { date: new Date(itsNow).toUTCString() })
      expect((await sample).of).toEqual({ ses_1: { type: "retry", attempt: 1, message: "slow down", inMs: 2_000 } })
    },
  )

  test("a date that is none is not gone by", async () => {
    const server = slowServer()
    const clock = new ManualClock()
    const sample = createStatusBoard({ fetch: server.fetch, clock }).read("/a")
    await server.asked(1)
    server.answer({ ses_1: { type: "retry", attempt: 1, message: "", next: clock.wall() + 2_000 } }, 200, {
      date: "soon",
    })
    expect((await sample).of["ses_1"]).toMatchObject({ inMs: 2_000 })
  })
})
