import { describe, expect, test } from "bun:test"
import fc from "fast-check"

import type { WireRequest, WireResponse } from "../../src/coordinator/ports.ts"
import { LanesError } from "../../src/core/errors.ts"
import type { Snapshot } from "../../src/core/snapshot.ts"
import { readMessage, weigh } from "../../workers/door.ts"
import { TAG, WIRE } from "../../workers/link.ts"
import { createOpencodeSession } from "../../workers/opencode-session.ts"
import { runOf } from "../helpers/assignments.ts"
import { ManualClock } from "../helpers/manual-clock.ts"

/** What the server says of the session `ses_1`; by the last segment of the path. */
interface Answers {
  readonly ses_1: unknown
  readonly status: unknown
  readonly message: unknown
  readonly todo: unknown
  readonly permission: unknown
  readonly question: unknown
}

/** What a run reports of a server with these answers; what is garbled is left out. */
async function seenIn(answers: Answers): Promise<Partial<Snapshot>> {
  const fetch = ({ path }: WireRequest): Promise<WireResponse> => {
    const [route = ""] = path.split("?")
    const body = JSON.stringify(answers[route.slice(route.lastIndexOf("/") + 1) as keyof Answers])
    return Promise.resolve({ status: 200, headers: { "content-type": "application/json" }, body })
  }
  const api = createOpencodeSession({ fetch, clock: new ManualClock() })
  const [info, status, page, todos, asks] = await Promise.all([
    read(api.get("/d", "ses_1")),
    read(api.status("/d")),
    read(api.newest("/d", "ses_1", { limit: 3, maxChars: 1_000 })),
    read(api.todos("/d", "ses_1")),
    read(api.asks("/d")),
  ])
  const of = status?.of["ses_1"]
  return {
    ...(of === undefined ? {} : { status: of }),
    ...(page === undefined ? {} : { newest: page.newest, fingerprint: page.fingerprint }),
    ...(page?.newestUser === undefined ? {} : { newestUser: page.newestUser }),
    ...(todos === undefined ? {} : { todos }),
    ...(asks === undefined ? {} : { asks: asks["ses_1"] ?? [] }),
    ...(info === undefined ? {} : { tokens: info.tokens, cost: info.cost }),
  }
}

async function read<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call
  } catch (thrown) {
    if (thrown instanceof LanesError && thrown.code === "GARBLED") return undefined
    throw thrown
  }
}

/** Whether the host takes it as a report of a worker. */
function passes(seen: Partial<Snapshot>): boolean {
  const snapshot: Snapshot = { status: { type: "absent" }, prompts: 1, ...seen }
  const message = structuredClone({
    [TAG]: "report",
    report: { type: "snapshot", run: runOf("bg_a"), seq: 1, snapshot },
  })
  return weigh(message) !== undefined && readMessage(message) !== undefined
}

const LONG = "x".repeat(WIRE.nameChars + 1)
const TOKENS = { input: 1, output: 2, reasoning: 3, cache: { read: 4, write: 5 } }
const SESSION = {
  id: "ses_1",
  directory: "/d",
  title: "t",
  time: { created: 1, updated: 2 },
  cost: 0.5,
  tokens: TOKENS,
}
const ASK = { id: "per_1", sessionID: "ses_1", permission: "bash", patterns: ["*"] }
const QUIET: Answers = { ses_1: SESSION, status: {}, message: [], todo: [], permission: [], question: [] }

describe("an odd answer of the server's is no fault of the worker", () => {
  test("less than nothing used is nothing", async () => {
    const odd = { ...SESSION, cost: -1, tokens: { ...TOKENS, input: -12, cache: { read: -1, write: 5 } } }
    const seen = await seenIn({ ...QUIET, ses_1: odd })
    expect(seen.tokens).toEqual({ input: 0, output: 2, reasoning: 3, cacheRead: 0, cacheWrite: 5 })
    expect(seen.cost).toBe(0)
    expect(passes(seen)).toBe(true)
  })

  test("a pattern longer than any message may carry is cut; its ask is heard", async () => {
    const seen = await seenIn({ ...QUIET, permission: [{ ...ASK, patterns: [LONG] }] })
    expect(seen.asks).toEqual([{ id: "per_1", permission: "bash", patterns: [LONG.slice(1)] }])
    expect(passes(seen)).toBe(true)
  })

  test("of asks and patterns without number the first are heard", async () => {
    const permission = Array.from({ length: WIRE.entries + 1 }, (_, n) => ({
      ...ASK,
      id: `per_${n}`,
      patterns: Array.from({ length: 30 }, () => "*"),
    }))
    const seen = await seenIn({ ...QUIET, permission })
    expect(seen.asks?.[0]).toMatchObject({ id: "per_0" })
    expect(passes(seen)).toBe(true)
  })

  test("a retry that cannot be counted is busy all the same", async () => {
    const status = { ses_1: { type: "retry", attempt: -1, message: "slow down", next: 0 } }
    expect((await seenIn({ ...QUIET, status })).status).toEqual({ type: "busy" })
  })

  test("whatever is understood of an answer passes the host's door", async () => {
    const number = fc.oneof(fc.double(), fc.integer(), fc.maxSafeInteger())
    const text = fc.oneof(fc.string(), fc.constantFrom("ses_1", "", LONG, "__proto__", "constructor"))
    const some = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(value, { nil: undefined })
    const session = fc.record({
      id: text,
      directory: text,
      title: text,
      parentID: some(text),
      time: fc.record({ created: number, updated: number }),
      cost: some(number),
      tokens: some(
        fc.record({
          input: number,
          output: number,
          reasoning: number,
          cache: fc.record({ read: number, write: number }),
        }),
      ),
    })
    const retry = fc.record({ type: fc.constant("retry"), attempt: number, message: text, next: number })
    const status = fc.record({ ses_1: fc.oneof(retry, fc.record({ type: text })) })
    const part = fc.record({
      id: text,
      type: fc.constantFrom("text", "tool"),
      text: some(text),
      tool: some(text),
      state: some(fc.record({ status: fc.constantFrom("running", "completed"), output: some(text) })),
    })
    const user = fc.record({ id: text, role: fc.constant("user"), time: fc.record({ created: number }) })
    const assistant = fc.record({
      id: text,
      role: fc.constant("assistant"),
      parentID: text,
      time: fc.record({ created: number, completed: some(number) }),
      finish: some(text),
      error: some(fc.record({ name: text, data: some(fc.record({ message: some(text) })) })),
      tokens: fc.record({ input: number, output: number, reasoning: number }),
    })
    const message = fc.record({ info: fc.oneof(user, assistant), parts: fc.array(part, { maxLength: 3 }) })
    const permission = fc.record({ id: text, sessionID: text, permission: text, patterns: fc.array(text) })
    const question = fc.record({ id: text, sessionID: text, questions: fc.array(fc.record({ question: text })) })
    const answers: fc.Arbitrary<Answers> = fc.record({
      ses_1: session,
      status,
      message: fc.array(message, { maxLength: 2 }),
      todo: fc.array(fc.record({ content: text, status: text })),
      permission: fc.array(permission, { maxLength: 2 }),
      question: fc.array(question, { maxLength: 2 }),
    })
    const understood = new Map<string, number>()
    await fc.assert(
      fc.asyncProperty(answers, async (answered) => {
        const seen = await seenIn(answered)
        for (const field of Object.keys(seen)) understood.set(field, (understood.get(field) ?? 0) + 1)
        expect(passes(seen)).toBe(true)
      }),
      { seed: 7, numRuns: 300 },
    )
    // Odd is not unreadable: each kind of answer is understood in a good part of them.
    for (const field of ["status", "newest", "newestUser", "todos", "asks", "tokens", "cost"] as const) {
      expect([field, (understood.get(field) ?? 0) > 30]).toEqual([field, true])
    }
  })
})
