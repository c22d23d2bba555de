import { expect, test } from "bun:test"

import { lanesOn } from "../helpers/lanes.ts"
import { scripted, useOpenCode } from "../helpers/opencode.ts"

const oc = useOpenCode()

test("a lane is never over its limit, counted at the model, cancels included", async () => {
  await using t = await lanesOn(oc, { config: { providerConcurrency: { acme: 2 } } })
  const tasks = await Promise.all(
    Array.from({ length: 9 }, (_, i) =>
      t.run({ id: `lane${i}`, turns: [{ stream: { chunks: 6, everyMs: 100 }, text: `${i}` }] }, { model: "acme/fast" }),
    ),
  )
  expect(t.lanes.usage()).toContainEqual({ lane: "provider:acme", used: 2, limit: 2, queued: 7 })
  tasks[5]?.cancel()
  await oc.model.waitFor(() => oc.model.calls("lane0").length > 0)
  tasks[0]?.cancel()
  const outcomes = await Promise.all(tasks.map((task) => task.done))
  expect(outcomes.map((o) => o.state)).toEqual(tasks.map((_, i) => (i === 0 || i === 5 ? "cancelled" : "completed")))
  expect(oc.model.peak("lane")).toBeLessThanOrEqual(2)
  expect(oc.model.calls("lane5")).toEqual([])
  expect(Math.max(...t.of("lane:granted").map((e) => e.used))).toBe(2)
  // First in, first out.
  expect(t.of("task:started").map((e) => e.id)).toEqual(tasks.filter((_, i) => i !== 5).map((task) => task.id))
})

test("models of one provider share its lane, a model with a limit of its own has its own", async () => {
  await using t = await lanesOn(oc, {
    config: { providerConcurrency: { acme: 1 }, modelConcurrency: { "acme/deep": 1 } },
  })
  const turns = [{ wait: 200, text: "x" }]
  const tasks = [
    await t.run({ id: "m1", turns }, { model: "acme/fast" }),
    await t.run({ id: "m2", turns }, { model: "acme/small" }),
    await t.run({ id: "m3", turns }, { model: "acme/deep" }),
    await t.run({ id: "m4", turns }, { model: "globex/large" }),
  ]
  expect(tasks.map((task) => [task.lane.lane, task.lane.ahead])).toEqual([
    ["provider:acme", 0],
    ["provider:acme", 0],
    ["model:acme/deep", 0],
    ["default", 0],
  ])
  expect(tasks.map((task) => task.row()?.state)).toEqual(["running", "pending", "running", "running"])
  await Promise.all(tasks.map((task) => task.done))
})

test("cancel of a pending task: it never starts", async () => {
  await using t = await lanesOn(oc, { config: { defaultConcurrency: 1 } })
  const [first, second] = [
    await t.run({ id: "c1", turns: [{ wait: 300, text: "a" }] }),
    await t.run({ id: "c2", turns: [{ text: "b" }] }),
  ]
  expect(second.cancel()).toMatchObject({ state: "cancelled" })
  expect(await second.done).toMatchObject({ state: "cancelled", reason: "USER" })
  expect((await first.done).state).toBe("completed")
  expect(oc.model.calls("c2")).toEqual([])
})

test("cancel of a running task is final at once, stops the model, and gives the slot back", async () => {
  await using t = await lanesOn(oc, { config: { defaultConcurrency: 1 } })
  const running = await t.run({ id: "r1", turns: [{ stream: { chunks: 600, everyMs: 100 } }] })
  const next = await t.run({ id: "r2", turns: [{ text: "next" }] })
  await oc.model.waitFor(() => oc.model.calls("r1").length > 0)
  const started = t.lanes.waitFor("task:started", (e) => e.id === next.id)
  running.cancel()
  expect(running.row()?.state).toBe("cancelled")
  await started
  await oc.model.waitFor(() => oc.model.calls("r1").every((call) => call.aborted))
  expect((await next.done).text).toBe("next")
  expect(oc.model.peak("r")).toBe(1)
})

test("cancel while the session is being made leaves no session behind", async () => {
  await using t = await lanesOn(oc)
  const directory = oc.newDirectory()
  const task = await t.run({ id: "early", turns: [{ text: "never" }] }, { directory })
  task.cancel()
  expect((await task.done).state).toBe("cancelled")
  await t.lanes.close()
  const { data } = await oc.clientFor(directory).session.list({})
  expect(data).toEqual([])
  expect(oc.model.calls("early")).toEqual([])
})

test("the time bound aborts the session and says so", async () => {
  await using t = await lanesOn(oc)
  const task = await t.run({ id: "ttl", turns: [{ stream: { chunks: 600, everyMs: 100 } }] }, { ttlMs: 1_500 })
  expect(await task.done).toMatchObject({ state: "error", reason: "TTL" })
  await oc.model.waitFor(() => oc.model.calls("ttl").every((call) => call.aborted))
})

test("a silent hang is stale, long before the time bound", async () => {
  await using t = await lanesOn(oc, { config: { staleTimeoutMs: 2_000 } })
  const task = await t.run({ id: "hang", turns: [{ hang: true }] })
  expect(await task.done).toMatchObject({ state: "error", reason: "STALE" })
  await oc.model.waitFor(() => oc.model.calls("hang").every((call) => call.aborted))
})

test("a stream that goes on is not stale", async () => {
  await using t = await lanesOn(oc, { config: { staleTimeoutMs: 2_000 } })
  const task = await t.run({ id: "alive", turns: [{ stream: { chunks: 40, everyMs: 100 } }] })
  expect((await task.done).state).toBe("completed")
})

test("a settled task goes on in its session, under a new epoch, with its context", async () => {
  await using t = await lanesOn(oc)
  const first = await t.run({ id: "go", turns: [{ text: "first answer" }] })
  const before = await first.done
  const second = await t.lanes.continue(first.id, scripted("and?", { id: "go-on", turns: [{ text: "second answer" }] }))
  expect(second).toMatchObject({ id: first.id, epoch: 2 })
  expect(await second.done).toMatchObject({ text: "second answer", sessionID: before.sessionID ?? "", epoch: 2 })
  expect(oc.model.calls("go-on")[0]?.messages).toBeGreaterThan(oc.model.calls("go")[0]?.messages ?? 99)
  expect(t.of("task:settled", first.id).map((e) => e.outcome.text)).toEqual(["first answer", "second answer"])
})

test("a cancelled task can be continued at once; the new run waits for the old one to be gone", async () => {
  await using t = await lanesOn(oc)
  const task = await t.run({ id: "stop", turns: [{ stream: { chunks: 600, everyMs: 50 } }] })
  await oc.model.waitFor(() => oc.model.calls("stop").length > 0)
  task.cancel()
  const again = await t.lanes.continue(task.id, scripted("once more", { id: "again", turns: [{ text: "better" }] }))
  expect((await again.done).text).toBe("better")
  expect(oc.model.peak((call) => call.scriptId === "stop" || call.scriptId === "again")).toBe(1)
})

test("a follow-up into a running task is answered before it is done, in the same epoch", async () => {
  await using t = await lanesOn(oc)
  const turns = [{ wait: 800, tools: [{ name: "grep", args: { pattern: "login" } }] }, { text: "first" }]
  const task = await t.run({ id: "follow", turns, onPrompt: [{ text: "also that" }] })
  await oc.model.waitFor(() => oc.model.calls("follow").length > 0)
  const same = await t.lanes.continue(task.id, "and look at that too")
  expect(same.epoch).toBe(1)
  expect(await task.done).toMatchObject({ text: expect.stringMatching(/also that|first/), unsent: [] })
  const messages = await t.lanes.messages(task.id)
  const asked = messages.findIndex((m) => m.role === "user" && m.text.includes("look at that too"))
  expect(asked).toBeGreaterThan(0)
  expect(messages.slice(asked + 1).some((m) => m.role === "assistant")).toBe(true)
})

test("limits change while tasks run: lowered stops nobody, raised starts the waiting", async () => {
  await using t = await lanesOn(oc, { config: { defaultConcurrency: 2 } })
  const turns = [{ stream: { chunks: 10, everyMs: 100 } }]
  const tasks = await Promise.all(["l1", "l2", "l3", "l4"].map((id) => t.run({ id, turns })))
  t.lanes.setLimits({ defaultConcurrency: 1 })
  expect(tasks.map((task) => task.row()?.state)).toEqual(["running", "running", "pending", "pending"])
  t.lanes.setLimits({ defaultConcurrency: 4 })
  expect(tasks.map((task) => task.row()?.state)).toEqual(["running", "running", "running", "running"])
  expect((await Promise.all(tasks.map((task) => task.done))).map((o) => o.state)).toEqual(tasks.map(() => "completed"))
  expect(t.of("lane:limit").map((e) => e.limit)).toEqual([1, 4])
})

test("escape in a task's session cancels it, and says who did", async () => {
  await using t = await lanesOn(oc)
  const task = await t.run({ id: "escape", turns: [{ stream: { chunks: 600, everyMs: 50 } }] })
  await oc.model.waitFor(() => oc.model.calls("escape").length > 0)
  await oc.client.session.abort({ sessionID: task.row()?.sessionID ?? "" })
  expect(await task.done).toMatchObject({
    state: "cancelled",
    reason: "USER",
    sentence: expect.stringContaining("in its session"),
  })
})

test("a session deleted under a task is gone, and its model is stopped", async () => {
  await using t = await lanesOn(oc)
  const task = await t.run({ id: "deleted", turns: [{ stream: { chunks: 600, everyMs: 50 } }] })
  await oc.model.waitFor(() => oc.model.calls("deleted").length > 0)
  await oc.client.session.delete({ sessionID: task.row()?.sessionID ?? "" })
  expect(await task.done).toMatchObject({ state: "error", reason: "SESSION_GONE" })
  await oc.model.waitFor(() => oc.model.calls("deleted").every((call) => call.aborted))
})

test("a deleted conversation takes its tasks with it, the running and the waiting", async () => {
  await using t = await lanesOn(oc, { config: { defaultConcurrency: 1 } })
  const { data: conversation } = await oc.client.session.create({ title: "a conversation" })
  const parent = { sessionID: conversation?.id ?? "", batch: "msg_1" }
  const tasks = [
    await t.run({ id: "under1", turns: [{ stream: { chunks: 600, everyMs: 50 } }] }, { parent }),
    await t.run({ id: "under2", turns: [] }, { parent }),
  ]
  await oc.model.waitFor(() => oc.model.calls("under1").length > 0)
  await oc.client.session.delete({ sessionID: parent.sessionID })
  expect((await Promise.all(tasks.map((task) => task.done))).map((o) => o.reason)).toEqual(["PARENT", "PARENT"])
  await oc.model.waitFor(() => oc.model.calls("under1").every((call) => call.aborted))
})

test("closing aborts what runs on, empties the queue and refuses launches", async () => {
  await using t = await lanesOn(oc, { config: { defaultConcurrency: 1 } })
  const tasks = [
    await t.run({ id: "x1", turns: [{ stream: { chunks: 600, everyMs: 50 } }] }),
    await t.run({ id: "x2", turns: [] }),
  ]
  await oc.model.waitFor(() => oc.model.calls("x1").length > 0)
  await t.lanes.close()
  expect((await Promise.all(tasks.map((task) => task.done))).map((o) => o.reason)).toEqual(["SHUTDOWN", "SHUTDOWN"])
  await oc.model.waitFor(() => oc.model.calls("x1").every((call) => call.aborted))
  expect(t.run({ id: "x3", turns: [] })).rejects.toMatchObject({ code: "CLOSED" })
})

test("closing with a drain lets runs finish", async () => {
  await using t = await lanesOn(oc)
  const task = await t.run({ id: "drain", turns: [{ wait: 500, text: "in time" }] })
  await t.lanes.close({ drainMs: 10_000 })
  expect((await task.done).text).toBe("in time")
})
