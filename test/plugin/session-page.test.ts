import { expect, test } from "bun:test"

import { USUAL } from "../../src/plugin/names.ts"
import { roomOf } from "../../src/plugin/texts/room.ts"
import { page } from "../../src/plugin/texts/session-page.ts"
import { rowOf, settledRow } from "../helpers/rows.ts"

type Message = Parameters<typeof page>[1][number]

const ROOM = roomOf({})
const running = rowOf({ state: "running", sessionID: "ses_1" })
const said = (id: string, role: Message["role"], text: string, tools: Message["tools"] = []): Message => ({
  id,
  role,
  text,
  tools,
})
const prompt = said("msg_1", "user", "Is there a login?")
const show = (row: typeof running, messages: Message[], since?: string): string =>
  page(row, messages, since, USUAL, ROOM)
const cursorOf = (shown: string): string => /(?:Cursor: |since=")([^"\s]+)/.exec(shown)?.[1] ?? `none in: ${shown}`

test("an answer still being written is shown again, from its beginning", () => {
  const first = show(running, [prompt, said("msg_2", "assistant", "")])
  expect(first).toContain("### assistant (so far)\n\n(nothing)")
  const answer = "NOT found: there is no such login."
  const second = show(running, [prompt, said("msg_2", "assistant", answer)], cursorOf(first))
  expect(second).toContain(`### assistant (so far)\n\n${answer}`)
  expect(second).not.toContain("### user")
  const last = show(settledRow(), [prompt, said("msg_2", "assistant", answer)], cursorOf(second))
  expect(last).toContain(`### assistant\n\n${answer}`)
  expect(show(settledRow(), [prompt, said("msg_2", "assistant", answer)], cursorOf(last))).toContain(
    "(no new messages)",
  )
})

test("what a stopped task had written by then is not lost", () => {
  const stopped = rowOf({ state: "cancelled", sessionID: "ses_1" })
  const first = show(stopped, [prompt, said("msg_2", "assistant", "")])
  const aborted = { ...said("msg_2", "assistant", "There is a"), error: "MessageAbortedError" }
  const next = show(stopped, [prompt, aborted], cursorOf(first))
  expect(next).toContain("### assistant\n\nThere is a\n\n[error: MessageAbortedError]")
  expect(show(stopped, [prompt, aborted], cursorOf(next))).toContain("(no new messages)")
})

test("text that comes in front of a running tool is not lost, nor with a prompt waiting behind it", () => {
  const tool = (state: string) => [{ name: "bash", state }]
  const waiting = said("msg_3", "user", "And the tests?")
  const first = show(running, [prompt, said("msg_2", "assistant", "", tool("running")), waiting])
  expect(first).toContain("### user\n\nAnd the tests?")
  const next = show(
    running,
    [prompt, said("msg_2", "assistant", "Tests fail.", tool("completed")), waiting, said("msg_4", "assistant", "")],
    cursorOf(first),
  )
  expect(next).toContain("### assistant\n\nTests fail.\n\n[tools: bash (completed)]\n\n### user\n\nAnd the tests?")
})

test.each([
  ["ASCII", "word "],
  ["CJK", "語"],
  ["lines", "a\n"],
  ["pairs", "😀"],
])("pages of %s are within what the host lets through, and together they are everything", (_what, piece) => {
  const messages = [
    prompt,
    ...Array.from({ length: 7 }, (_, i) =>
      said(`msg_${i + 2}`, "assistant", `<${i}${piece.repeat(20_000 / (i + 1))}${i}>`),
    ),
  ]
  let [text, since] = ["", undefined as string | undefined]
  for (let pages = 0; pages < 60; pages++) {
    const shown = show(settledRow(), messages, since)
    expect(Buffer.byteLength(shown)).toBeLessThanOrEqual(51_200)
    expect(shown.split("\n").length).toBeLessThanOrEqual(2_000)
    expect(shown.isWellFormed()).toBe(true)
    const body = shown.slice(shown.indexOf("\n\n### "), shown.lastIndexOf("\n\n---\n"))
    text += body.replace(/^\n\n### assistant \(continued\)\n\n/, "")
    since = cursorOf(shown)
    if (shown.includes("That is all so far.")) break
  }
  expect(text).toBe(messages.map(({ role, text: whole }) => `\n\n### ${role}\n\n${whole}`).join(""))
})

test("an answer still being written that no page holds is shown at both ends; one that a page holds gets a page", () => {
  const long = said("msg_2", "assistant", `begins ${"語".repeat(30_000)} ends`)
  const alone = show(running, [long])
  expect(alone).toMatch(
    /begins 語+\n\n\[… the middle is left out …\]\n\n語+ ends\n\n---\nThat is all so far\. Cursor: none yet$/,
  )
  const behind = [
    { ...prompt, text: "x".repeat(30_000) },
    { ...long, text: `begins ${"y".repeat(30_000)} ends` },
  ]
  const first = show(running, behind)
  expect(first).toContain("There is more: background_output(task_id=")
  expect(first).not.toContain("begins")
  expect(show(running, behind, cursorOf(first))).toContain(behind[1]?.text ?? "")
})

test("a split answer goes on where the page ended when its task has been continued", () => {
  const long = said("msg_2", "assistant", `${"x".repeat(60_000)} the end.`)
  const first = show(settledRow(), [prompt, long])
  expect(cursorOf(first)).toMatch(/^msg_2@\d+$/)
  const next = show(running, [prompt, long, said("msg_3", "user", "Go on.")], cursorOf(first))
  expect(next).toMatch(/### assistant \(continued\)\n\nx+ the end\.\n\n### user\n\nGo on\./)
})

test("a cursor of another session is answered as such", () => {
  expect(show(running, [prompt], "msg_9")).toContain('There is no message "msg_9" in this session')
})
