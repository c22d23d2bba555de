/** What callers without types hand in: each wrong value is refused in one sentence that names it. */
import { describe, expect, test } from "bun:test"

import { checkClose, checkCreate, checkLaunch } from "../src/check-input.ts"
import { LanesError } from "../src/core/errors.ts"

const server = "http://127.0.0.1:4096"

function said(check: () => void): string | undefined {
  try {
    check()
  } catch (thrown) {
    if (thrown instanceof LanesError && thrown.code === "INVALID_INPUT") return thrown.message
    throw thrown
  }
  return undefined
}

describe("createLanes", () => {
  test.each([
    [{ server: {} }, /^server: expected an address .*, got \{\}\.$/],
    [{ server: [] }, /^server: .*got \[\]\.$/],
    [{ server: { spawn: false } }, /^server: .*got \{ spawn \}\.$/],
    [{ server: { spawn: true, binary: 5 } }, /^server\.binary: expected a non-empty string, got 5\.$/],
    [{ server: { spawn: true, env: "PATH" } }, /^server\.env: expected an object of variables, got "PATH"\.$/],
    [
      { server: { spawn: true, startTimeoutMs: "1s" } },
      /^server\.startTimeoutMs: expected milliseconds ≥ 1, got "1s"\.$/,
    ],
    [{ config: null }, /^config: expected an object, got null\.$/],
    [{ recover: "x" }, /^recover: expected "resume" or "ask", got "x"\.$/],
    [{ parent: "x" }, /^parent: expected a parent, or a function that makes one, got "x"\.$/],
    [{ parent: {} }, /^parent: expected/],
    [{ events: {} }, /^events: expected true, false or a source of events, got \{\}\.$/],
    [{ journal: {} }, /^journal: expected false, "memory", \{ folder \} or a journal of your own, got \{\}\.$/],
    [{ journal: { folder: 5 } }, /^journal: expected/],
    [{ page: { port: "80x" } }, /^page\.port: expected an integer from 0 to 65535, got "80x"\.$/],
    [{ page: { prot: 1 } }, /^page: expected true, false or \{ port, optional \}, got \{ prot \}\.$/],
    [{ page: { optional: 1 } }, /^page\.optional: expected true or false, got 1\.$/],
    [{ workerUrl: 5 }, /^workerUrl: expected a non-empty string, got 5\.$/],
    [{ threads: "many" }, /^threads: expected "workers" or "inline", got "many"\.$/],
  ])("%j", (options, says) => {
    expect(said(() => checkCreate({ server, ...options }))).toMatch(says)
  })

  test.each([
    { server: new URL(server) },
    { server: { spawn: true, binary: "opencode", env: {}, startTimeoutMs: 1 } },
    { server: { client: { getConfig: () => ({}) } } },
    { server: { transport: {}, name: "host" } },
    { recover: "ask", threads: "inline", journal: { folder: "/x" }, page: { port: 0, optional: true } },
    {
      parent: () => {},
      events: { follow: () => {} },
      journal: { write: () => {} },
      workerUrl: new URL("file:///w.js"),
    },
    { parent: { deliver: () => {} }, events: false, journal: "memory", page: true, config: {} },
  ])("takes what it says it takes: %j", (options) => {
    expect(said(() => checkCreate({ server, ...options }))).toBeUndefined()
  })
})

test.each([
  [{ parent: "ses_x" }, /^parent: expected an object with a sessionID, got "ses_x"\.$/],
  [{ parent: {} }, /^parent: expected an object with a sessionID, got \{\}\.$/],
  [{ description: "x".repeat(200), agent: 5 }, /^agent: expected a non-empty string, got 5\.$/],
])("launch: %j", (input, says) => {
  expect(said(() => checkLaunch({ prompt: "x", ...input }))).toMatch(says)
})

test("close", () => {
  expect(said(() => checkClose({ drainMs: "x" }))).toBe('drainMs: expected milliseconds ≥ 0, got "x".')
  expect(said(() => checkClose({ drainMs: -1 }))).toBe("drainMs: expected milliseconds ≥ 0, got -1.")
  expect(said(() => checkClose({ drainMs: 5_000 }))).toBeUndefined()
})

test("what came is shown in short", () => {
  expect(said(() => checkCreate({ server, directory: ["x".repeat(500)] }))?.length).toBeLessThan(150)
})
