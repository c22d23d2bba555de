import { describe, expect, test } from "bun:test"

import { pageOf, plainOf } from "../../workers/message-digest.ts"
import type { AssistantAnswer, MessageAnswer, PartAnswer } from "../../workers/opencode-shapes.ts"

function user(id: string, ...parts: PartAnswer[]): MessageAnswer {
  return { info: { id, role: "user", time: { created: 1 } }, parts }
}

function assistant(id: string, info: Partial<AssistantAnswer>, ...parts: PartAnswer[]): MessageAnswer {
  const whole = {
    id,
    role: "assistant",
    parentID: "msg_1",
    time: { created: 2 },
    tokens: { input: 0, output: 0, reasoning: 0 },
  } as const
  return { info: { ...whole, ...info }, parts }
}

const said = (text: string, more: Partial<PartAnswer> = {}): PartAnswer => ({
  id: `prt_${text}`,
  type: "text",
  text,
  ...more,
})
const tool = (state: NonNullable<PartAnswer["state"]>): PartAnswer => ({
  id: "prt_t",
  type: "tool",
  tool: "bash",
  state,
})
const done = { time: { created: 2, completed: 3 }, finish: "stop" }
const fingerprint = (...messages: MessageAnswer[]): string => pageOf(messages, 100).fingerprint

describe("a page of messages", () => {
  test("goes by the server's order, whatever the ids say", () => {
    const page = pageOf([user("msg_9"), assistant("msg_2", done), user("msg_1")], 100)
    expect(page).toMatchObject({ newest: { id: "msg_1" }, newestUser: "msg_1", users: ["msg_1", "msg_9"] })
    expect(pageOf([user("msg_9"), assistant("msg_2", done)], 100).newest).toMatchObject({
      id: "msg_2",
      completed: true,
    })
  })

  test("of an empty session has nothing", () => {
    expect(pageOf([], 100)).toEqual({ newest: null, fingerprint: "", users: [] })
  })

  test("has the final text without what OpenCode made up or left out", () => {
    const parts = [
      said("one"),
      said("made up", { synthetic: true }),
      said("left out", { ignored: true }),
      said(""),
      said("two"),
    ]
    expect(pageOf([assistant("msg_2", done, ...parts)], 100).newest).toMatchObject({ text: "one\n\ntwo", output: true })
  })

  test("has no text while the message is open, nor after a break", () => {
    const { newest } = pageOf([assistant("msg_2", {}, said("half"))], 100)
    expect(newest).toMatchObject({ completed: false, output: true })
    expect(newest).not.toHaveProperty("text")
  })

  test("knows a summary, an error without a message, and a tool that runs", () => {
    const error = { name: "MessageAbortedError" }
    expect(pageOf([assistant("msg_2", { ...done, summary: true })], 100).newest?.summary).toBe(true)
    expect(pageOf([assistant("msg_2", { error })], 100).newest?.error).toEqual({
      name: "MessageAbortedError",
      message: "MessageAbortedError",
    })
    expect(pageOf([assistant("msg_2", {}, tool({ status: "running" }))], 100).newest).toMatchObject({
      tool: "bash",
      output: false,
    })
    expect(pageOf([assistant("msg_2", {}, tool({ status: "error" }))], 100).newest).toMatchObject({ output: true })
    expect(pageOf([assistant("msg_2", {}, tool({ status: "completed" }))], 100).newest).not.toHaveProperty("tool")
  })

  test("counts blank text as no output", () => {
    expect(pageOf([assistant("msg_2", done, said(" \n"))], 100).newest?.output).toBe(false)
  })
})

describe("the fingerprint", () => {
  const base = assistant("msg_2", {}, said("a"), tool({ status: "running", metadata: { output: "1" } }))

  test("does not move with our own prompts", () => {
    expect(fingerprint(base, user("msg_3", said("go on")))).toBe(fingerprint(base))
  })

  test.each([
    [
      "a text that grows",
      assistant("msg_2", {}, { ...said("a"), text: "ab" }, tool({ status: "running", metadata: { output: "1" } })),
    ],
    [
      "a running tool that says more",
      assistant("msg_2", {}, said("a"), tool({ status: "running", metadata: { output: "12" } })),
    ],
    ["a tool that ends", assistant("msg_2", {}, said("a"), tool({ status: "completed", output: "1" }))],
    [
      "a new part",
      assistant("msg_2", {}, said("a"), tool({ status: "running", metadata: { output: "1" } }), said("b")),
    ],
    ["tokens", assistant("msg_2", { tokens: { input: 1, output: 0, reasoning: 0 } }, ...base.parts)],
    ["completion", assistant("msg_2", { time: { created: 2, completed: 9 } }, ...base.parts)],
    ["an error", assistant("msg_2", { error: { name: "APIError" } }, ...base.parts)],
    ["a finish reason", assistant("msg_2", { finish: "stop" }, ...base.parts)],
    ["a new message", assistant("msg_4", {}, ...base.parts)],
  ])("moves with %s", (_what, message) => {
    expect(fingerprint(message)).not.toBe(fingerprint(base))
  })
})

test("an error that says nothing is called by its name", () => {
  const message = assistant("msg_2", { error: { name: "MessageOutputLengthError", data: {} } })
  const error = { name: "MessageOutputLengthError", message: "MessageOutputLengthError" }
  expect(pageOf([message], 100).newest?.error).toEqual(error)
  expect(plainOf(message).error).toBe("MessageOutputLengthError")
})

test("a plain message has its tools' states and its error in words", () => {
  const error = { name: "APIError", data: { message: "no money" } }
  expect(plainOf(assistant("msg_2", { error }, said("so far"), tool({ status: "error", error: "no" })))).toEqual({
    id: "msg_2",
    role: "assistant",
    text: "so far",
    tools: [{ name: "bash", state: "error" }],
    error: "APIError: no money",
    created: 2,
  })
})
