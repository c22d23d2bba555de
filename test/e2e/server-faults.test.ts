import { expect, test } from "bun:test"

import { readdirSync, readFileSync } from "node:fs"

import { lanesOn } from "../helpers/lanes.ts"
import type { TestLanes } from "../helpers/lanes.ts"
import { scripted, startOpenCode } from "../helpers/opencode.ts"
import type { TestOpenCode } from "../helpers/opencode.ts"

const LONG = [{ stream: { chunks: 600, everyMs: 50 } }]

test("an instance disposed under a task: interrupted, then prompted once to go on", async () => {
  await using oc = await startOpenCode()
  await using t = await lanesOn(oc)
  const task = await t.run({ id: "disposed", turns: LONG, onPrompt: [{ text: "picked up again" }] })
  await streaming(t, oc, "disposed")
  await oc.client.instance.dispose()
  expect(await task.done).toMatchObject({ state: "completed", text: "picked up again" })
  expect(t.of("task:nudged", task.id).map((e) => e.kind)).toEqual(["resume"])
}, 60_000)

test("the same with recover: ask is settled as interrupted", async () => {
  await using oc = await startOpenCode()
  await using t = await lanesOn(oc, { config: { recover: "ask" } })
  const task = await t.run({ id: "disposed", turns: LONG })
  await streaming(t, oc, "disposed")
  await oc.client.instance.dispose()
  expect(await task.done).toMatchObject({ state: "error", reason: "INTERRUPTED" })
}, 60_000)

test("a server of ours that is killed comes back, and its tasks go on", async () => {
  await using oc = await startOpenCode()
  await using t = await lanesOn(oc, { server: { spawn: true, env: oc.home.env } })
  const [running, queued] = [
    await t.run({ id: "killed", turns: LONG, onPrompt: [{ text: "survived" }] }),
    await t.run({ id: "after", turns: [{ text: "untouched" }] }),
  ]
  await streaming(t, oc, "killed")
  expect((await queued.done).text).toBe("untouched")
  const back = t.lanes.waitFor("server:back")
  process.kill(serverAt(running.row()?.spec.server ?? ""), "SIGKILL")
  await back
  expect(await running.done).toMatchObject({ state: "completed", text: "survived" })
  expect(t.of("task:nudged", running.id).map((e) => e.kind)).toEqual(["resume"])
  expect(t.of("server:lost")).toHaveLength(1)
}, 60_000)

test("a server that stays away ends its tasks as lost", async () => {
  await using oc = await startOpenCode()
  await using t = await lanesOn(oc, { config: { serverLostMs: 2_000 } })
  const task = await t.run({ id: "away", turns: LONG })
  await oc.model.waitFor(() => oc.model.calls("away").length > 0)
  await oc.server.stop()
  expect(await task.done).toMatchObject({ state: "error", reason: "SERVER_LOST" })
  expect(t.of("server:lost")).toHaveLength(1)
}, 60_000)

test("a worker that dies under a task hands it over: no second prompt, no second session", async () => {
  await using oc = await startOpenCode()
  await using t = await lanesOn(oc, { workerUrl: new URL("../helpers/crashing-worker.ts", import.meta.url) })
  const task = await t.lanes.launch({
    agent: "general",
    prompt: scripted("long", { id: "orphan", turns: [{ stream: { chunks: 30, everyMs: 100 }, text: "whole" }] }),
  })
  await oc.model.waitFor(() => oc.model.calls("orphan").length > 0)
  const orders = new BroadcastChannel("crash-workers")
  orders.postMessage("now")
  orders.close()
  expect(await task.done).toMatchObject({ state: "completed", text: "whole" })
  expect(t.of("worker:lost")).toHaveLength(1)
  expect(oc.model.calls("orphan")).toHaveLength(1)
  expect((await oc.client.session.list({})).data).toHaveLength(1)
}, 60_000)

/** Resolves when the answer has begun: before that an interrupted turn would be played from its start. */
async function streaming(t: TestLanes, oc: TestOpenCode, id: string): Promise<void> {
  await oc.model.waitFor(() => oc.model.calls(id).length > 0)
  await t.lanes.waitFor("task:progress")
  await t.lanes.waitFor("task:progress")
}

/** The process that serves this address, found by its arguments. */
function serverAt(url: string): number {
  const { port } = new URL(url)
  const pid = readdirSync("/proc").find((entry) => {
    if (!/^\d+$/.test(entry)) return false
    try {
      const args = readFileSync(`/proc/${entry}/cmdline`, "utf8").split("\0")
      return args.includes("serve") && args.at(args.indexOf("--port") + 1) === port && !args[0]?.endsWith("sh")
    } catch {
      return false
    }
  })
  if (pid === undefined) throw new Error(`nobody serves ${url}`)
  return Number(pid)
}
