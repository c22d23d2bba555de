import { describe, expect, test } from "bun:test"
import { startScriptedModel } from "../../src/cli/demo/scripted-model.ts"
import type { Script } from "../../src/cli/demo/scripted-model.ts"
import { choose, fill, locate } from "../../src/cli/demo/script.ts"
import { scripted, useOpenCode } from "../helpers/opencode.ts"

const user = (text: string) => ({ role: "user", text })
const assistant = { role: "assistant", text: "" }
const todo = (status: string) => ({
  name: "todowrite",
  args: { todos: [{ content: "look around", status, priority: "high" }] },
})

describe("played by a real OpenCode session", () => {
  const opencode = useOpenCode({
    providers: { acme: { fast: {}, tiny: { context: 9000, output: 1000 }, small: {} }, globex: { large: {} } },
  })

  async function newSession(): Promise<string> {
    const { data } = await opencode.client.session.create({})
    if (!data) throw new Error("no session")
    return data.id
  }

  /** Prompts and waits until the session has nothing left to do. */
  async function play(sessionID: string, text: string, model?: string) {
    const [providerID = "", modelID = ""] = model?.split("/") ?? []
    const chosen = model === undefined ? {} : { model: { providerID, modelID } }
    const { data } = await opencode.client.session.prompt({ sessionID, parts: [{ type: "text", text }], ...chosen })
    if (!data || data.info.role !== "assistant") throw new Error("no answer")
    return { ...data, info: data.info }
  }

  async function playScript(script: Script, model?: string) {
    const sessionID = await newSession()
    const { info, parts } = await play(sessionID, scripted("please", script), model)
    const text = parts.map((part) => (part.type === "text" ? part.text : "")).join("")
    return { sessionID, info, parts, text, calls: opencode.model.calls(script.id) }
  }

  test("text, tokens and cost; the title is asked for and not counted", async () => {
    const { sessionID, info, text, calls } = await playScript({
      id: "text",
      turns: [{ text: "hello", usage: { in: 1000, out: 500 } }],
    })
    expect(text).toBe("hello")
    expect(info).toMatchObject({ finish: "stop", tokens: { input: 1000, output: 500 }, cost: 0.002 })
    expect(calls).toMatchObject([
      { kind: "turn", provider: "acme", model: "fast", sessionId: sessionID, aborted: false },
    ])
    const title = await opencode.model.waitFor((log) =>
      log.find((call) => call.kind === "title" && call.sessionId === sessionID),
    )
    expect(title).toMatchObject({ model: "small", scriptId: undefined })
    expect(opencode.model.peak((call) => call.sessionId === sessionID)).toBe(1)
  }, 20_000)

  test("the log tells providers apart", async () => {
    const { calls } = await playScript({ id: "other-provider", turns: [{ text: "hi" }] }, "globex/large")
    expect(calls).toMatchObject([{ provider: "globex", model: "large" }])
  }, 20_000)

  test("several tools in one turn, their results in the next", async () => {
    const read = (file: string) => ({ name: "read", args: { filePath: `${opencode.directory}/${file}` } })
    const { text, calls, sessionID } = await playScript({
      id: "tools",
      turns: [{ tools: [read("README.md"), read("src/login.ts")] }, { text: "saw: {{tool}}" }],
    })
    expect(text).toContain("export function login")
    expect(calls).toHaveLength(2)
    const { data } = await opencode.client.session.messages({ sessionID })
    const states = data?.flatMap(({ parts }) =>
      parts.flatMap((part) => (part.type === "tool" ? [part.state.status] : [])),
    )
    expect(states).toEqual(["completed", "completed"])
  }, 20_000)

  test("a long stream is one call, in flight while it lasts", async () => {
    const run = playScript({ id: "stream", turns: [{ reasoning: "hm", stream: { chunks: 10, everyMs: 30 } }] })
    await opencode.model.waitFor((log) => log.some((call) => call.scriptId === "stream"))
    expect(opencode.model.inFlight("stream")).toBe(1)
    const { text, calls, parts } = await run
    expect(text.trim().split(" ")).toHaveLength(10)
    expect(parts.some((part) => part.type === "reasoning" && part.text === "hm")).toBe(true)
    expect((calls[0]?.endedAt ?? 0) - (calls[0]?.startedAt ?? 0)).toBeGreaterThanOrEqual(250)
    expect(opencode.model.inFlight("stream")).toBe(0)
  }, 20_000)

  test("429 once, then the same turn in full", async () => {
    const { text, calls } = await playScript({
      id: "limited",
      turns: [{ status: 429, retryAfter: 1, message: "slow down", times: 1, text: "in the end" }],
    })
    expect(text).toBe("in the end")
    expect(calls.map((call) => call.status)).toEqual([429, 200])
  }, 20_000)

  test("a lasting error ends the run with its message", async () => {
    const { info } = await playScript({ id: "refused", turns: [{ status: 400, message: "no such thing" }] })
    expect(info.error).toMatchObject({ name: "APIError", data: { message: "no such thing", statusCode: 400 } })
  }, 20_000)

  test("hang: silence until the client leaves", async () => {
    const sessionID = await newSession()
    const script: Script = { id: "hang", turns: [{ hang: true, times: 1, text: "awake" }] }
    const run = play(sessionID, scripted("please", script))
    await opencode.model.waitFor((log) => log.some((call) => call.scriptId === "hang"))
    await opencode.client.session.abort({ sessionID })
    expect((await run).info.error?.name).toBe("MessageAbortedError")
    const [call] = await opencode.model.waitFor((log) => {
      const ended = log.filter(({ scriptId, endedAt }) => scriptId === "hang" && endedAt !== undefined)
      return ended.length > 0 ? ended : undefined
    })
    expect(call).toMatchObject({ aborted: true })

    const { parts } = await play(sessionID, "go on")
    expect(parts).toContainEqual(expect.objectContaining({ type: "text", text: "awake" }))
  }, 20_000)

  test("finish: length, and none at all", async () => {
    const cut = await playScript({ id: "cut", turns: [{ text: "half a sen", finish: "length" }] })
    expect(cut.info.finish).toBe("length")
    const open = await playScript({ id: "open", turns: [{ text: "a", finish: null }, { text: "b" }] })
    expect(open.text).toBe("b")
    expect(open.calls.map((call) => call.key)).toEqual(["open/turn/0", "open/turn/1"])
  }, 20_000)

  test("an empty answer is an answer without parts of its own", async () => {
    const { info, parts } = await playScript({ id: "empty", turns: [{ empty: true }] })
    expect(info.finish).toBe("stop")
    expect(parts.map((part) => part.type)).toEqual(["step-start", "step-finish"])
  }, 20_000)

  test("later prompts play onPrompt, then are quoted", async () => {
    const { sessionID } = await playScript({
      id: "todos",
      turns: [{ tools: [todo("in_progress")] }, { text: "that is all" }],
      onPrompt: [{ tools: [todo("completed")] }, { text: "now it is done" }],
    })
    const open = await opencode.client.session.todo({ sessionID })
    expect(open.data).toMatchObject([{ status: "in_progress" }])
    const nudged = await play(sessionID, "You have open TODOs.")
    expect(nudged.parts).toContainEqual(expect.objectContaining({ text: "now it is done" }))
    const closed = await opencode.client.session.todo({ sessionID })
    expect(closed.data).toMatchObject([{ status: "completed" }])
    const quoted = await play(sessionID, "And the weather?")
    expect(quoted.parts).toContainEqual(expect.objectContaining({ text: "Noted: And the weather?" }))
  }, 20_000)

  test("a follow-up during the run does not disturb the turns", async () => {
    const sessionID = await newSession()
    const script: Script = {
      id: "follow-up",
      turns: [{ stream: { chunks: 5, everyMs: 50 } }],
      onPrompt: [{ text: "that too" }],
    }
    const run = play(sessionID, scripted("please", script))
    await opencode.model.waitFor((log) => log.some((call) => call.scriptId === "follow-up"))
    const later = await play(sessionID, "and one more thing")
    await run
    expect(later.parts).toContainEqual(expect.objectContaining({ text: "that too" }))
    expect(opencode.model.calls("follow-up").map((call) => call.key)).toEqual([
      "follow-up/turn/0",
      "follow-up/prompt/0",
    ])
  }, 20_000)

  test("the script goes on after a compaction", async () => {
    const filePath = `${opencode.directory}/README.md`
    const { text, calls, sessionID } = await playScript(
      {
        id: "compacted",
        turns: [
          { tools: [{ name: "read", args: { filePath } }], usage: { in: 9500, out: 10 } },
          { text: "still here" },
        ],
      },
      "acme/tiny",
    )
    expect(text).toBe("still here")
    expect(calls.map((call) => call.key)).toEqual(["compacted/turn/0", "compacted/turn/1"])
    expect(opencode.model.log.filter((call) => call.sessionId === sessionID && call.kind === "summary")).toHaveLength(1)
  }, 20_000)

  test("the peak counts overlapping calls of one family", async () => {
    const turns = [{ stream: { chunks: 3, everyMs: 100 } }]
    await Promise.all([playScript({ id: "peak-a", turns }), playScript({ id: "peak-b", turns })])
    expect(opencode.model.peak("peak-")).toBe(2)
    expect(opencode.model.peak("peak-a")).toBe(1)
  }, 20_000)
})

describe("the script alone", () => {
  test("a script may hold prompts with scripts of their own", () => {
    const inner = scripted("child", { id: "inner", turns: [{ text: "{{user}} </script>" }] })
    const outer = scripted("parent", {
      id: "outer",
      turns: [{ tools: [{ name: "delegate_task", args: { prompt: inner } }] }],
    })
    const found = locate([user(outer)])
    expect(found?.script.id).toBe("outer")
    const prompt = fill(found?.script.turns[0]?.tools?.[0]?.args["prompt"], [user("not for the child")])
    expect(locate([user(String(prompt))])?.script.turns).toEqual([{ text: "{{user}} </script>" }])
  })

  test("the newest script counts, whatever the older one was doing", () => {
    const messages = [
      user(scripted("one", { id: "one", turns: [{ text: "1" }] })),
      assistant,
      user(scripted("two", { id: "two", turns: [{ text: "2" }] })),
    ]
    expect(locate(messages)).toMatchObject({ script: { id: "two" }, progress: { played: 0 } })
  })

  test("asked again without news it plays `beyond`", () => {
    const messages = [user(scripted("x", { id: "x", turns: [{ text: "1" }], beyond: { text: "again" } })), assistant]
    const found = locate(messages)
    expect(found && choose(found.script, found.progress, "").turn).toEqual({ text: "again" })
  })

  test("ids of a notice are filled in, in order and once each", () => {
    const notice = user("bg_aaaaaaaa done, bg_bbbbbbbb done, read bg_aaaaaaaa")
    expect(fill({ a: "{{task}}", b: ["{{task:1}}"], c: "{{task:2}}" }, [notice])).toEqual({
      a: "bg_aaaaaaaa",
      b: ["bg_bbbbbbbb"],
      c: "{{task:2}}",
    })
  })

  test("a wait that cannot come true says what was seen", async () => {
    await using model = startScriptedModel()
    const wait = model.waitFor((log) => log.length > 0, { timeoutMs: 10 })
    expect(await wait.catch((error: Error) => error.message)).toContain("no calls at all")
  })
})
