/** Telling the conversation: each end once, one turn when all are done, whatever happens meanwhile. Counted in its messages. */

import { expect, test } from "bun:test"
import { writeFileSync } from "node:fs"
import { join, resolve } from "node:path"

import type { Conversation } from "../helpers/conversation.ts"
import { converse, launch, taskIn, until } from "../helpers/conversation.ts"
import { usePluginHome } from "../helpers/plugin-home.ts"

const helper = (name: string): string => resolve(import.meta.dir, "../helpers", name)
const oc = usePluginHome({ before: [helper("faulty-notices.js")], after: [helper("system-witness.js")] })
const quick = (text: string, wait = 100) => [{ wait, text }]

/** One message per task, and one of them answered. */
async function toldOnce(c: Conversation, ids: readonly string[]): Promise<void> {
  await c.told(ids.length)
  await until(async () => (await answered(c)).length > 0)
  await c.idle()
  const notices = await c.notices()
  expect(notices.map(({ text }) => headOf(text, ids)).toSorted()).toEqual([...ids].toSorted())
  expect(await answered(c)).toHaveLength(1)
}

function headOf(text: string, ids: readonly string[]): string {
  const line = text.split("\n")[1] ?? ""
  return ids.find((id) => line.includes(id)) ?? line
}

/** Notices that started a turn. */
async function answered(c: Conversation): Promise<string[]> {
  const notices = new Set((await c.notices()).map(({ id }) => id))
  return (await c.messages()).flatMap(({ parentID, tools }) =>
    parentID !== undefined && notices.has(parentID) && tools.length === 0 ? [parentID] : [],
  )
}

test("to an idle conversation, with its agent and model", async () => {
  const c = await converse(oc)
  const answers = await c.turn(
    [
      {
        tools: [launch("i1", quick("one", 300)), launch("i2", quick("two", 900)), launch("i3", quick("three", 1_500))],
      },
      { text: "launched" },
    ],
    { agent: "plan", onPrompt: [{ text: "read them" }] },
  )
  await toldOnce(c, answers.map(taskIn))
  const notices = await c.notices()
  expect(notices.map(({ agent }) => agent)).toEqual(["plan", "plan", "plan"])
  expect(new Set(notices.map(({ model }) => model))).toEqual(new Set(["acme/fast"]))
  const last = notices.at(-1)
  for (const id of answers.map(taskIn)) expect(last?.text).toContain(`background_output(task_id="${id}")`)
}, 30_000)

test("to one that is busy: after its turn, not into it", async () => {
  const c = await converse(oc)
  const id = await c.say(
    [{ tools: [launch("b1", quick("one")), launch("b2", quick("two"))] }, { stream: { chunks: 30, everyMs: 100 } }],
    { onPrompt: [{ text: "read them" }] },
  )
  await until(async () => oc.model.calls("b1").length + oc.model.calls("b2").length === 2)
  await until(async () => oc.model.calls(id).length === 2)
  await Bun.sleep(1_500)
  expect(await c.notices()).toEqual([])
  const ids = (await c.messages()).flatMap(({ tools }) => tools.map(({ output }) => taskIn(output)))
  await toldOnce(c, ids)
  // Two steps of the turn, one of the waking notice.
  expect(oc.model.calls(id)).toHaveLength(3)
}, 30_000)

test("when writing to it fails three times, also after it arrived", async () => {
  const c = await converse(oc)
  writeFileSync(join(oc.home.env["TMPDIR"] ?? "", "faulty-conversation"), c.id)
  const answers = await c.turn(
    [{ tools: [launch("f1", quick("one")), launch("f2", quick("two"))] }, { text: "launched" }],
    {
      onPrompt: [{ text: "read them" }],
    },
  )
  await toldOnce(c, answers.map(taskIn))
  expect(await Bun.file(join(oc.home.env["TMPDIR"] ?? "", "faults")).text()).toBe("3")
}, 60_000)

test("while somebody's own message is being answered: after it, with one turn", async () => {
  const c = await converse(oc)
  const launching = await c.say(
    [{ tools: [launch("u1", quick("one", 2_500)), launch("u2", quick("two", 2_500))] }, { text: "launched" }],
    { onPrompt: [{ text: "read them" }] },
  )
  await until(async () => oc.model.calls(launching).length === 2)
  await c.idle()
  const ids = (await c.messages()).flatMap(({ tools }) => tools.map(({ output }) => taskIn(output)))
  const own = await c.say([{ wait: 4_000, text: "an answer to what you wrote" }], { onPrompt: [{ text: "read them" }] })
  await toldOnce(c, ids)
  await until(async () => oc.model.calls(own).some(({ key }) => key === `${own}/turn/0`))
  await c.idle()
  expect(wakings(launching, own)).toHaveLength(1)
  expect(oc.model.calls(own).filter(({ key }) => key === `${own}/turn/0`)).toHaveLength(1)
  expect((await c.messages()).map(({ text }) => text)).toContain("an answer to what you wrote")
}, 60_000)

test("somebody who writes into the waking turn gets an answer, and starts no second one", async () => {
  const c = await converse(oc)
  const launching = await c.say(
    [{ tools: [launch("v1", quick("one")), launch("v2", quick("two"))] }, { text: "launched" }],
    { onPrompt: [{ wait: 2_000, text: "read them" }] },
  )
  await until(async () => wakings(launching).length === 1)
  const own = await c.say([{ text: "an answer to what you wrote" }], { onPrompt: [{ text: "read them again" }] })
  await until(async () => oc.model.calls(own).length === 1)
  await c.idle()
  const ids = (await c.messages()).flatMap(({ tools }) => tools.map(({ output }) => taskIn(output)))
  await toldOnce(c, ids)
  expect(wakings(launching, own)).toHaveLength(1)
  expect(oc.model.calls(own).map(({ key }) => key)).toEqual([`${own}/turn/0`])
}, 60_000)

test("when somebody writes at that very moment: all is told, each once, and what was written is answered", async () => {
  const c = await converse(oc)
  const answers = await c.turn([
    { tools: [launch("x1", quick("one", 700)), launch("x2", quick("two", 700))] },
    { text: "launched" },
  ])
  await until(async () => oc.model.inFlight("x1") + oc.model.inFlight("x2") === 0)
  const id = await c.say([{ wait: 400, text: "an answer to what you wrote" }], { onPrompt: [{ text: "read them" }] })
  await until(async () => (await c.notices()).length === 2)
  await until(async () => oc.model.calls(id).length > 0)
  await until(async () => {
    const messages = await c.messages()
    const last = messages.findLastIndex(({ role }) => role === "user")
    return messages.slice(last + 1).some(({ role }) => role === "assistant")
  })
  await c.idle()
  const ids = answers.map(taskIn)
  expect((await c.notices()).map(({ text }) => headOf(text, ids)).toSorted()).toEqual([...ids].toSorted())
  expect((await c.messages()).map(({ text }) => text)).toContain("an answer to what you wrote")
}, 30_000)

/** Requests at the model server that answer a notice. */
function wakings(...ids: string[]): string[] {
  return ids.flatMap((id) => oc.model.calls(id)).flatMap(({ key }) => (key.includes("/prompt/") ? [key] : []))
}

test("not of what it has read or cancelled itself", async () => {
  const c = await converse(oc)
  const [answer, hung] = await c.turn([
    { tools: [launch("r1", quick("one", 400)), launch("r2", [{ hang: true }])] },
    { text: "launched" },
  ])
  const read = await c.call("background_output", { task_id: taskIn(answer), block: true, timeout: 10_000 })
  expect(read).toContain("---\n\none")
  await c.call("background_cancel", { task_id: taskIn(hung) })
  await until(async () => oc.model.inFlight("r2") === 0)
  await c.idle()
  // The first may have been told before it was read: at most once, and never of the second.
  const told = (await c.notices()).map(({ text }) => text)
  expect(told.filter((text) => text.includes(taskIn(hung)))).toEqual([])
}, 30_000)

test("after a compaction the tasks at work are named again", async () => {
  const c = await converse(oc)
  const [answer] = await c.turn([{ tools: [launch("k1", [{ hang: true }])] }, { text: "launched" }])
  await oc.client.session.summarize({ sessionID: c.id, providerID: "acme", modelID: "fast" })
  await c.idle()
  const id = await c.say([{ text: "what was it" }])
  await oc.model.waitFor(() => oc.model.calls(id).length === 1)
  await c.idle()
  const seen = await systems(c)
  // The turn before knew it from its own words; the one after is told.
  expect(seen.at(0)).not.toContain(taskIn(answer))
  expect(seen.at(-1)).toContain(`- ${taskIn(answer)} "Task k1" running: background_output(task_id="${taskIn(answer)}")`)
  await c.call("background_cancel", { all: true })
}, 30_000)

/** The system prompts of a conversation's requests. */
async function systems(c: Conversation): Promise<string[]> {
  const text = await Bun.file(join(oc.home.env["TMPDIR"] ?? "", "system-prompts")).text()
  const all = text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as { sessionID?: string; system: string[] })
  return all.filter(({ sessionID }) => sessionID === c.id).map(({ system }) => system.join("\n"))
}
