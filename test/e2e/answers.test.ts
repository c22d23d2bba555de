import { expect, test } from "bun:test"

import { lanesOn } from "../helpers/lanes.ts"
import { scripted, useOpenCode } from "../helpers/opencode.ts"

// The agent `general` is denied TODOs.
const agents = {
  planner: { mode: "subagent", description: "Plans", prompt: "You plan.", permission: { todowrite: "allow" } },
}
const oc = useOpenCode({ permission: { edit: "ask" }, agents })
const TODO = (status: string) => ({
  name: "todowrite",
  args: { todos: [{ content: "look", status, priority: "high" }] },
})

test("three tasks run side by side, each in its own session", async () => {
  await using t = await lanesOn(oc)
  const tasks = await Promise.all(
    ["p1", "p2", "p3"].map((id) => t.run({ id, turns: [{ wait: 700, text: `answer ${id}` }] })),
  )
  const outcomes = await Promise.all(tasks.map((task) => task.done))
  expect(outcomes.map((o) => o.reason)).toEqual(["FINISHED", "FINISHED", "FINISHED"])
  expect(outcomes.map((o) => o.text)).toEqual(["answer p1", "answer p2", "answer p3"])
  expect(new Set(outcomes.map((o) => o.sessionID)).size).toBe(3)
  expect(oc.model.peak("p")).toBe(3)
  for (const { id } of tasks) {
    const order = t.heard.filter((e) => "id" in e && e.id === id && e.type.startsWith("task:")).map((e) => e.type)
    expect(order.filter((type) => type !== "task:snapshot" && type !== "task:progress")).toEqual([
      "task:queued",
      "task:started",
      "task:session",
      "task:settled",
    ])
  }
})

test("a short answer settles at once: far below the five seconds of a bare idle", async () => {
  await using t = await lanesOn(oc, { config: { minIdleMs: 5_000, pollIntervalMs: 2_000 } })
  const outcome = await (await t.run({ id: "fast", turns: [{ wait: 100, text: "quick" }] })).done
  expect(outcome).toMatchObject({ state: "completed", reason: "FINISHED", text: "quick", truncated: false })
  expect(outcome.durationMs).toBeLessThan(5_000)
})

test("a long stream is not taken for an end", async () => {
  await using t = await lanesOn(oc, { config: { stablePolls: 1, minStabilityMs: 0, minIdleMs: 0 } })
  const outcome = await (await t.run({ id: "stream", turns: [{ stream: { chunks: 40, everyMs: 100 } }] })).done
  expect(outcome.reason).toBe("FINISHED")
  expect(outcome.durationMs).toBeGreaterThan(4_000)
  expect(outcome.text).not.toBe("")
})

test("a silent tool is not taken for an end", async () => {
  await using t = await lanesOn(oc, { config: { stablePolls: 1, minStabilityMs: 0, minIdleMs: 0 } })
  const turns = [{ tools: [{ name: "bash", args: { command: "sleep 4", description: "wait" } }] }, { text: "slept" }]
  const outcome = await (await t.run({ id: "silent", turns })).done
  expect(outcome).toMatchObject({ reason: "FINISHED", text: "slept" })
  expect(outcome.durationMs).toBeGreaterThan(4_000)
})

test("tool calls run in the session and are seen on the bus", async () => {
  await using t = await lanesOn(oc)
  const turns = [
    { tools: [{ name: "grep", args: { pattern: "login" } }] },
    { tools: [{ name: "read", args: { filePath: `${oc.directory}/src/login.ts` } }] },
    { text: "found it", usage: { in: 30, out: 7 } },
  ]
  const task = await t.run({ id: "tools", turns })
  const outcome = await task.done
  expect(outcome.text).toBe("found it")
  expect(outcome.tokens.output).toBeGreaterThanOrEqual(7)
  expect(oc.model.calls("tools")).toHaveLength(3)
  expect(task.row()?.steps).toBe(3)
  const messages = await t.lanes.messages(task.id)
  expect(messages.flatMap((m) => m.tools.map((tool) => tool.name))).toEqual(["grep", "read"])
})

test("open TODOs are asked for, and the answer after them is the result", async () => {
  await using t = await lanesOn(oc)
  const turns = [{ tools: [TODO("in_progress")] }, { text: "stopped early" }]
  const onPrompt = [{ tools: [TODO("completed")] }, { text: "now done" }]
  const task = await t.run({ id: "todo", turns, onPrompt }, { agent: "Planner" })
  expect(await task.done).toMatchObject({ reason: "FINISHED", text: "now done" })
  expect(t.of("task:nudged", task.id).map((e) => e.kind)).toEqual(["nudge"])
})

test("TODOs that stay open end the task as such, after the nudges", async () => {
  await using t = await lanesOn(oc, { config: { todoNudges: 1, staleTimeoutMs: 2_000 } })
  const task = await t.run(
    { id: "todos-open", turns: [{ tools: [TODO("pending")] }, { text: "half" }], onPrompt: [{ text: "still half" }] },
    { agent: "planner" },
  )
  expect(await task.done).toMatchObject({ state: "error", reason: "TODOS_OPEN", text: "still half" })
  expect(t.of("task:nudged", task.id)).toHaveLength(1)
})

test("a provider that says 429 and then answers is waited for", async () => {
  await using t = await lanesOn(oc)
  const outcome = await (
    await t.run({
      id: "slow-down",
      turns: [{ status: 429, retryAfter: 1, message: "slow down", times: 1, text: "after all" }],
    })
  ).done
  expect(outcome).toMatchObject({ reason: "FINISHED", text: "after all" })
})

test("a provider's error is the task's error, with its text", async () => {
  await using t = await lanesOn(oc)
  const outcome = await (await t.run({ id: "bad", turns: [{ status: 400, message: "model exploded" }] })).done
  expect(outcome).toMatchObject({ state: "error", reason: "SESSION_ERROR" })
  expect(outcome.sentence).toContain("model exploded")
})

test("an empty answer is an answer", async () => {
  await using t = await lanesOn(oc)
  expect(await (await t.run({ id: "empty", turns: [{ empty: true }] })).done).toMatchObject({
    reason: "FINISHED",
    text: "",
  })
})

test("an answer cut at the model's length limit counts and says so", async () => {
  await using t = await lanesOn(oc)
  const outcome = await (await t.run({ id: "length", turns: [{ text: "so far", finish: "length" }] })).done
  expect(outcome).toMatchObject({ state: "completed", truncated: true, text: "so far" })
})

test("a stream that never says why it ends is stopped by the step limit", async () => {
  await using t = await lanesOn(oc, { config: { maxSteps: 4 } })
  const beyond = { text: "and on", finish: null }
  const outcome = await (await t.run({ id: "endless", turns: [], beyond })).done
  expect(outcome).toMatchObject({ state: "error", reason: "STEP_LIMIT" })
  await oc.model.waitFor(() => oc.model.inFlight("endless") === 0)
})

test("an unknown agent and an unknown model are refused before anything is started", async () => {
  await using t = await lanesOn(oc)
  expect(t.run({ id: "x", turns: [] }, { agent: "nobody" })).rejects.toMatchObject({
    code: "AGENT_UNKNOWN",
    message: expect.stringContaining("general"),
  })
  expect(t.run({ id: "x", turns: [] }, { agent: "build" })).rejects.toMatchObject({ code: "AGENT_PRIMARY" })
  expect(t.run({ id: "x", turns: [] }, { model: "acme/nothing" })).rejects.toMatchObject({ code: "MODEL_UNKNOWN" })
  expect(t.heard).toEqual([])
})

test("a permission ask is rejected with a word to the model, which goes on", async () => {
  await using t = await lanesOn(oc)
  const turns = [
    { tools: [{ name: "write", args: { filePath: `${oc.directory}/x.txt`, content: "1" } }] },
    { text: "then without" },
  ]
  const task = await t.run({ id: "ask", turns })
  expect(await task.done).toMatchObject({ state: "completed", text: "then without" })
  expect(t.of("task:permission", task.id)).toMatchObject([{ permission: "edit", action: "rejected" }])
})

test("a permission ask is seen without events too", async () => {
  await using t = await lanesOn(oc, { events: false })
  const turns = [
    { tools: [{ name: "write", args: { filePath: `${oc.directory}/x.txt`, content: "1" } }] },
    { text: "then without" },
  ]
  const task = await t.run({ id: "ask-polled", turns })
  expect(await task.done).toMatchObject({ state: "completed", text: "then without" })
})

test("what follows a compaction is the result, not the summary", async () => {
  await using t = await lanesOn(oc)
  const turns = [
    { tools: [{ name: "grep", args: { pattern: "login" } }], usage: { in: 198_000, out: 10 } },
    { text: "after the summary" },
  ]
  const task = await t.run({ id: "compact", turns, onSummary: { text: "a summary" } })
  expect(await task.done).toMatchObject({ reason: "FINISHED", text: "after the summary" })
  expect(oc.model.log.some((call) => call.kind === "summary")).toBe(true)
})

test("without events everything is the same, only slower", async () => {
  await using t = await lanesOn(oc, { events: false })
  const tasks = await Promise.all([
    t.run({ id: "no-1", turns: [{ wait: 300, text: "one" }] }),
    t.run(
      {
        id: "no-2",
        turns: [{ tools: [TODO("in_progress")] }, { text: "early" }],
        onPrompt: [{ tools: [TODO("completed")] }, { text: "two" }],
      },
      { agent: "planner" },
    ),
  ])
  expect((await Promise.all(tasks.map((task) => task.done))).map((o) => o.text)).toEqual(["one", "two"])
})

test("the inline fallback drives the same runs", async () => {
  await using t = await lanesOn(oc, { threads: "inline" })
  const outcome = await (
    await t.run({
      id: "inline",
      turns: [{ tools: [{ name: "grep", args: { pattern: "login" } }] }, { text: "inline too" }],
    })
  ).done
  expect(outcome).toMatchObject({ reason: "FINISHED", text: "inline too" })
  expect(t.of("worker:started")).toEqual([])
})

test("an existing SDK client serves as the connection", async () => {
  await using t = await lanesOn(oc, { server: oc.client })
  expect((await (await t.run({ id: "client", turns: [{ text: "by client" }] })).done).text).toBe("by client")
})

test("a task in a foreign session adopts it", async () => {
  await using t = await lanesOn(oc)
  const { data } = await oc.client.session.create({ title: "somebody's" })
  const sessionID = data?.id ?? ""
  const task = await t.lanes.launch({
    agent: "general",
    prompt: scripted("go", { id: "adopt", turns: [{ text: "in here" }] }),
    sessionID,
  })
  expect(await task.done).toMatchObject({ text: "in here", sessionID })
})
