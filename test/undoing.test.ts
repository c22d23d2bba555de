/** What is opened is closed, whatever fails on the way. */
import { expect, test } from "bun:test"

import { MemoryJournal } from "../src/adapters/memory-journal.ts"
import { createLanes } from "../src/compose.ts"
import { Undoing } from "../src/undoing.ts"

test("all is undone, the last first, once; the first failure is told when all is done", async () => {
  const undone: string[] = []
  const undoing = new Undoing()
  undoing.add(() => undone.push("first"))
  undoing.add(() => Promise.reject(new Error("second")))
  undoing.add(() => {
    throw new Error("third")
  })
  expect(undoing.all()).rejects.toThrow("third")
  await Bun.sleep(0)
  expect(undone).toEqual(["first"])
  await undoing.all()
  expect(undone).toEqual(["first"])
})

test("a journal that cannot be closed keeps nothing else open", async () => {
  using server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: () => Response.json({ healthy: true, version: "1.18.33" }),
  })
  class Stuck extends MemoryJournal {
    override close(): void {
      throw new Error("The disk is gone.")
    }
  }
  const lanes = await createLanes({
    server: server.url.href,
    journal: new Stuck(),
    configFiles: false,
    events: false,
    threads: "inline",
    page: true,
  })
  const { url = "" } = lanes.page ?? {}
  expect((await fetch(url)).status).toBeLessThan(500)
  expect(lanes.close()).rejects.toThrow("The disk is gone.")
  await lanes.close().catch(() => {})
  expect(fetch(url)).rejects.toThrow()
})
