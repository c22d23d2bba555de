import { afterEach, beforeEach, expect, test } from "bun:test"
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

import type { OwnerRequest } from "../../src/adapters/request-files.ts"
import { askOwner, requestFolder, serveRequests } from "../../src/adapters/request-files.ts"
import { LanesError } from "../../src/core/errors.ts"
import { until } from "../helpers/processes.ts"

let root: string
let journal: string
let undo: (() => void) | undefined
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "lanes-requests-"))
  journal = join(root, "a.db")
})
afterEach(() => {
  undo?.()
  rmSync(root, { recursive: true, force: true })
})

const serve = (answer: (request: OwnerRequest) => unknown): void => {
  undo = serveRequests(requestFolder(journal), answer)
}

const idOf = (request: OwnerRequest): string => ("id" in request ? request.id : request.type)

test("what is asked is answered, and nothing of it is left", async () => {
  serve((request) => ({ got: request }))
  const request = { type: "continue", id: "bg_1", prompt: "ÄÖÜ 😀\n\u0000" } as const
  expect(await askOwner(journal, request)).toEqual({ got: request })
  expect(readdirSync(requestFolder(journal))).toEqual([])
})

test("an error of the owner is the asker's", async () => {
  serve(() => {
    throw new LanesError("QUEUE_FULL", "There is no room.", "Wait.")
  })
  expect(askOwner(journal, { type: "cancel", id: "bg_1" })).rejects.toMatchObject({
    code: "QUEUE_FULL",
    message: "There is no room. Wait.",
  })
})

test("many ask at once, and each gets its own answer", async () => {
  serve(idOf)
  const ids = Array.from({ length: 20 }, (_, i) => `bg_${i}`)
  expect(await Promise.all(ids.map((id) => askOwner(journal, { type: "cancel", id })))).toEqual(ids)
})

test("an owner that does not listen: the request is taken back, and said to have changed nothing", async () => {
  mkdirSync(requestFolder(journal))
  expect(askOwner(journal, { type: "cancel", id: "bg_1" }, 200)).rejects.toMatchObject({
    message: expect.stringContaining("did not take the request"),
  })
  expect(readdirSync(requestFolder(journal))).toEqual([])
})

test("an owner that hangs: nobody claims that nothing was changed", async () => {
  serve(() => new Promise(() => {}))
  expect(askOwner(journal, { type: "cancel", id: "bg_1" }, 600)).rejects.toMatchObject({
    message: expect.stringContaining("has not answered"),
  })
})

test("what was asked of an owner that died is not done by its heir", async () => {
  mkdirSync(requestFolder(journal))
  writeFileSync(join(requestFolder(journal), "old.ask"), JSON.stringify({ type: "cancel", id: "bg_old" }))
  const asked: string[] = []
  serve((request) => asked.push(idOf(request)))
  await askOwner(journal, { type: "cancel", id: "bg_new" })
  expect(asked).toEqual(["bg_new"])
})

test("rubbish is refused, a link is not followed, and the rest is served all the same", async () => {
  const asked: string[] = []
  serve((request) => asked.push(idOf(request)))
  const secret = join(root, "secret")
  writeFileSync(secret, JSON.stringify({ type: "cancel", id: "bg_secret" }))
  const put = (name: string, text: string): void => writeFileSync(join(requestFolder(journal), name), text)
  symlinkSync(secret, join(requestFolder(journal), "link.ask"))
  put("torn.ask", '{"type":"cancel","id":')
  put("strange.ask", '{"type":"format-disk","id":"bg_1"}')
  put("null.ask", "null")
  put("nobody.ask", '{"type":"todos"}')
  put("huge.ask", `"${"x".repeat(5_000_000)}"`)
  await until(() => readdirSync(requestFolder(journal)).filter((name) => name.endsWith(".ask")).length === 0, 5_000)
  await askOwner(journal, { type: "cancel", id: "bg_good" })
  expect(asked).toEqual(["bg_good"])
  expect(existsSync(secret)).toBe(true)
})
