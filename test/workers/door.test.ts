import { describe, expect, test } from "bun:test"

import type { RunReport } from "../../src/core/inputs.ts"
import { readMessage, readPong, weigh } from "../../workers/door.ts"
import { TAG, WIRE } from "../../workers/link.ts"
import { runOf } from "../helpers/assignments.ts"

const run = runOf("bg_a")
const TOKENS = { input: 1, output: 2, reasoning: 3, cacheRead: 4, cacheWrite: 5 }
const REPORTS: readonly RunReport[] = [
  { type: "session", run, sessionID: "ses_1" },
  { type: "session", run, sessionID: "ses_1", todos: { open: 2, digest: "d" } },
  { type: "prompted", run, n: 0, messageID: "msg_1" },
  { type: "snapshot", run, seq: 0, snapshot: { status: { type: "absent" }, prompts: 1, newest: null } },
  {
    type: "snapshot",
    run,
    seq: 7,
    snapshot: {
      status: { type: "retry", attempt: 2, message: "overloaded", inMs: 1_500.5 },
      prompts: 1,
      fingerprint: "f",
      newest: {
        id: "msg_2",
        role: "assistant",
        parentID: "msg_1",
        completed: true,
        finish: "stop",
        error: { name: "E", message: "m" },
        summary: false,
        output: true,
        text: "done",
        cut: true,
        tool: "bash",
      },
      newestUser: "msg_1",
      todos: { open: 0, digest: "" },
      asks: [{ id: "per_1", permission: "edit", patterns: ["*"] }],
      tokens: TOKENS,
      cost: 0.25,
    },
  },
  { type: "poll-failed", run, seq: 3, failure: "timeout", message: "late" },
  { type: "failed", run, reason: "SESSION_GONE", message: "gone" },
  { type: "stopped", run, idle: false },
]

describe("the host's door", () => {
  test("every report passes unchanged", () => {
    for (const report of REPORTS)
      expect(readMessage(structuredClone({ [TAG]: "report", report }))).toEqual({ [TAG]: "report", report })
  })

  test("what the contract does not name is left outside", () => {
    const message = JSON.parse(
      `{"${TAG}":"ended","run":{"task":"t","epoch":1,"attempt":1,"more":1},"__proto__":{"x":1},"more":1}`,
    )
    const read = readMessage(message)
    expect(JSON.stringify(read)).toBe(`{"${TAG}":"ended","run":{"task":"t","epoch":1,"attempt":1}}`)
    expect(read && "x" in read).toBe(false)
  })

  const bad: readonly unknown[] = [
    null,
    "ready",
    { [TAG]: "Ready" },
    { [TAG]: "ended", run: { task: "t", epoch: -1, attempt: 1 } },
    { [TAG]: "ended", run: { task: "t", epoch: Number.NaN, attempt: 1 } },
    { [TAG]: "ended", run: { task: "t".repeat(WIRE.nameChars + 1), epoch: 1, attempt: 1 } },
    { [TAG]: "report", report: { ...REPORTS[2], n: "0" } },
    { [TAG]: "report", report: { type: "worker-lost", worker: "w", cause: "c", runs: [] } },
    { [TAG]: "fetch", call: 1, run, request: { method: "CONNECT", path: "/", headers: {} } },
    { [TAG]: "fetch", call: 1, run, request: { method: "GET", path: "//host/", headers: {} } },
    { [TAG]: "fetch", call: 1, run, request: { method: "GET", path: "/a\r\nhost: b", headers: {} } },
    { [TAG]: "fetch", call: 1, run, request: { method: "POST", path: "/", headers: { a: 1 } } },
    {
      [TAG]: "fetch",
      call: 1,
      run,
      request: { method: "POST", path: "/", headers: {}, body: "x".repeat(WIRE.bodyChars + 1) },
    },
  ]
  for (const [at, message] of bad.entries()) {
    test(`garbled message ${at} does not pass`, () => expect(readMessage(message)).toBeUndefined())
  }

  test("a garbled heart-beat does not pass", () => {
    expect(readPong({ heap: 1, runs: 2 })).toEqual({ heap: 1, runs: 2 })
    for (const pong of [undefined, null, {}, { heap: -1, runs: 0 }, { heap: Number.POSITIVE_INFINITY, runs: 0 }]) {
      expect(readPong(pong)).toBeUndefined()
    }
  })

  test("is told the weight of a message, and of none that has no end", () => {
    expect(weigh({ a: "xyz" })).toBe(4)
    const loop: Record<string, unknown> = {}
    loop["self"] = loop
    let bomb: unknown = "x"
    for (let n = 0; n < 10; n += 1) bomb = [bomb, bomb, bomb, bomb, bomb, bomb]
    let deep: unknown = "x"
    for (let n = 0; n < 100_000; n += 1) deep = [deep]
    for (const message of [loop, bomb, deep, new Uint8Array(1_000_000), { a: "x".repeat(30_000_000) }]) {
      expect(weigh(message)).toBeUndefined()
    }
  })
})
