import { expect, test } from "bun:test"

import type { Composed } from "../../src/compose.ts"
import type { TaskRow } from "../../src/core/task.ts"
import { USUAL } from "../../src/plugin/names.ts"
import { roomOf } from "../../src/plugin/texts/room.ts"
import { toolbox } from "../../src/plugin/tools/toolbox.ts"
import { Turns } from "../../src/plugin/turns.ts"
import { rowOf, settledRow } from "../helpers/rows.ts"

const parent = { sessionID: "ses_mine", batch: "msg_1" }
const call = { ...parent, messageID: "msg_1", agent: "build", abort: new AbortController().signal, metadata: () => {} }

/** What the tool says that waits for a task: `before` is it now, if it is to be gone on with, `after` when it has ended. */
async function waitFor(args: object, after: TaskRow, before?: TaskRow): Promise<string> {
  const spec = { ...after.spec, parent }
  let row = before && { ...before, spec }
  const end = async () => {
    const done = Promise.resolve().then(() => void (row = { ...after, spec }))
    return { id: after.id, done }
  }
  const composed = {
    coordinator: { get: () => row, findBySession: () => undefined, feed: () => {}, options: { taskTtlMs: 1_800_000 } },
    lanes: { launch: end, continue: end, on: () => () => {} },
    clock: { wall: () => 0 },
  } as unknown as Composed
  const desk = { directory: "/a", names: USUAL, room: roomOf({}), turns: new Turns(), open: async () => composed }
  const answer = await toolbox(desk)[USUAL.delegate]?.execute({ prompt: "x", run_in_background: false, ...args }, call)
  return typeof answer === "object" ? answer.output : (answer ?? "")
}

const IGNORED = "Note: load_skills, category ignored: put what the agent needs into the prompt."
const FOREIGN = { load_skills: ["a"], category: "quick" }

test("who waits is told what was not heeded, before the result and before a failure", async () => {
  expect(await waitFor(FOREIGN, settledRow())).toContain(`\n${IGNORED}\n\n---\n\nIt is in src/login.ts, line 1.`)
  expect(await waitFor(FOREIGN, settledRow({ state: "error" }))).toContain(`\n\n${IGNORED}\n\n## Original Prompt`)
  expect(await waitFor({}, settledRow())).not.toContain("Note:")
})

test("who waits for a follow-up is told that it was one", async () => {
  for (const state of ["running", "pending"] as const) {
    const row = rowOf({ state })
    const args = { session_id: row.id, agent: "oracle", ...FOREIGN }
    const lines = (await waitFor(args, settledRow({ id: row.id }), row)).split("\n")
    expect(lines.filter((line) => line.startsWith("Note: "))).toEqual([
      `Note: Follow-up queued for the ${state} task, in the same run; its model and limit stayed.`,
      "Note: It stays with the agent general.",
      IGNORED,
    ])
  }
})

test("who waits for a continued task is not told of a follow-up", async () => {
  const row = settledRow()
  expect(await waitFor({ session_id: row.id }, row, row)).not.toContain("Note:")
})
