/** The plugin as a guest: reloads, other plugins, wrong configuration, what is left when all is over. */

import { Database } from "bun:sqlite"
import { expect, test } from "bun:test"
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs"
import { join, resolve } from "node:path"

import { createOpencodeClient } from "@opencode-ai/sdk/v2/client"
import type { OpencodeClient } from "@opencode-ai/sdk/v2/client"

import { journalsIn } from "../../src/adapters/journal-files.ts"
import { basicAuth, startServer } from "../../src/adapters/opencode-server.ts"
import { projectFolder, stateFolder } from "../../src/adapters/state-folder.ts"
import { LANES, run } from "../helpers/command.ts"
import { Conversation, converse, launch, taskIn, until, work } from "../helpers/conversation.ts"
import { startPluginHome, usePluginHome } from "../helpers/plugin-home.ts"
import type { PluginHome } from "../helpers/plugin-home.ts"

const oc = usePluginHome()
const quick = (text: string, wait = 100) => [{ wait, text }]

test("the first prompt gets to the model before what is behind the tools is loaded", async () => {
  await using home = await startPluginHome()
  const rows = join(home.home.root, "state", "opencode-lanes")
  const c = await converse(home)
  const id = await c.say([{ hang: true }])
  await home.model.waitFor(() => home.model.inFlight(id) === 1)
  expect(existsSync(rows)).toBe(false)
  await c.abort()
  await until(async () => existsSync(rows))
}, 60_000)

test("an instance disposed and loaded again: ids stay known, what ran is told as interrupted, new work goes on", async () => {
  const c = await converse(oc)
  const [done, running] = await c.turn([
    { tools: [launch("d1", quick("before")), launch("d2", [{ hang: true }])] },
    { text: "ok" },
  ])
  await until(async () => (await c.notices()).length === 1)
  await c.idle()
  await oc.client.instance.dispose()
  const read = await c.call("background_output", { task_id: taskIn(done) })
  expect(read).toContain("---\n\nbefore")
  await until(async () => (await c.call("background_output", { task_id: taskIn(running) })).includes("**error**"))
  expect(await c.call("background_output", { task_id: taskIn(running) })).toContain("| Reason | INTERRUPTED: ")
  const [fresh] = await c.turn([{ tools: [launch("d3", quick("after"))] }, { text: "ok" }])
  await until(async () => (await c.notices()).some(({ text }) => text.includes(taskIn(fresh))))
}, 60_000)

test("an instance reloaded in the middle of a launch leaves no task in the dark", async () => {
  const c = await converse(oc)
  await c.say([{ tools: ["m1", "m2", "m3"].map((id) => launch(id, quick("x", 300))) }, { text: "ok" }])
  await until(async () => (await c.messages()).some(({ tools }) => tools.length > 0))
  await oc.client.instance.dispose()
  await c.idle()
  // The calls were cut off with their turn; what they stored is known by the conversation all the same.
  const known = await c.call("background_output", { task_id: "bg_00000000" })
  const ids = [...known.matchAll(/bg_(?!0{8})\w{8}/g)].map(([id]) => id)
  expect(ids.length).toBeLessThanOrEqual(3)
  for (const id of ids) {
    await until(async () =>
      /Task Result|\*\*(error|cancelled)\*\*/.test(await c.call("background_output", { task_id: id })),
    )
  }
  await until(async () => oc.model.inFlight("m") === 0)
}, 90_000)

test("after kill -9 of the host its tasks are told as interrupted, without a turn, when the conversation goes on", async () => {
  await using home = await startPluginHome()
  const before = await converse(home)
  const [hung, read] = await before.turn([
    { tools: [launch("z1", [{ hang: true }]), launch("z2", quick("kept"))] },
    { text: "ok" },
  ])
  await before.told(1)
  await before.idle()
  process.kill(home.server.pid, "SIGKILL")
  await home.server.exited
  await using server = await startServer({ cwd: home.directory, env: home.home.env })
  const headers = { authorization: basicAuth(server.password) }
  const client = createOpencodeClient({ baseUrl: server.url, directory: home.directory, headers })
  const c = new Conversation(home, client, before.id)
  const id = await c.say([{ text: "hello again" }])
  await until(async () => (await c.notices()).some(({ text }) => text.includes(`${taskIn(hung)} failed (INTERRUPTED)`)))
  await c.idle()
  expect(home.model.calls(id)).toHaveLength(1)
  expect(await c.notices()).toHaveLength(2)
  expect(await c.call("background_output", { task_id: taskIn(hung) })).toContain("| Reason | INTERRUPTED: ")
  expect(await c.call("background_output", { task_id: taskIn(read) })).toContain("---\n\nkept")
  expect(await c.call("delegate_task", { session_id: taskIn(hung), prompt: work("z3", quick("went on")) })).toContain(
    "continued",
  )
  await until(async () => (await c.notices()).length === 3)
}, 90_000)

test("two projects in one process: each one's tasks are in its own folder, and after kill -9 each hands over its own", async () => {
  await using home = await startPluginHome()
  const there = home.newDirectory()
  const [a, b] = [await converse(home), await converse(home, home.clientFor(there))]
  const [inA] = await a.turn([{ tools: [launch("two-a", [{ hang: true }])] }, { text: "ok" }])
  const [inB] = await b.turn([{ tools: [launch("two-b", [{ hang: true }])] }, { text: "ok" }])
  await home.model.waitFor(() => home.model.inFlight("two-") === 2)
  const tasksAt = async (cwd: string): Promise<string[]> => {
    const { stdout } = await run([...LANES, "list", "--json"], { cwd, env: home.home.env })
    return stdout.match(/bg_\w{8}/g) ?? []
  }
  expect([await tasksAt(home.directory), await tasksAt(there)]).toEqual([[taskIn(inA)], [taskIn(inB)]])
  expect(journalsOf(home, there).map(({ tasks }) => tasks)).toEqual([[taskIn(inB)]])
  // Steered from outside by the files of the second project, too.
  const events = await run([...LANES, "events"], { cwd: there, env: home.home.env })
  expect(events.stdout).toContain(taskIn(inB))
  const cancelled = taskIn(await b.call("delegate_task", launch("two-c", [{ hang: true }]).args))
  const said = await run([...LANES, "cancel", cancelled], { cwd: there, env: home.home.env })
  expect(said).toMatchObject({ exitCode: 0, stdout: expect.stringContaining(`${cancelled} is cancelled`) })
  expect(await b.call("background_output", { task_id: cancelled })).toContain("**cancelled**")

  process.kill(home.server.pid, "SIGKILL")
  await home.server.exited
  await using server = await startServer({ cwd: home.directory, env: home.home.env })
  const clientFor = (directory: string): OpencodeClient =>
    createOpencodeClient({
      baseUrl: server.url,
      directory,
      headers: { authorization: basicAuth(server.password) },
    })
  // The project that came second goes first now: the first one's tasks wait for somebody to come there.
  const second = new Conversation(home, clientFor(there), b.id)
  await second.turn([{ text: "hello again" }])
  await until(async () =>
    (await second.notices()).some(({ text }) => text.includes(`${taskIn(inB)} failed (INTERRUPTED)`)),
  )
  expect(await second.call("background_output", { task_id: taskIn(inB) })).toContain("| Reason | INTERRUPTED: ")
  const first = new Conversation(home, clientFor(home.directory), a.id)
  await first.turn([{ text: "hello again" }])
  await until(async () =>
    (await first.notices()).some(({ text }) => text.includes(`${taskIn(inA)} failed (INTERRUPTED)`)),
  )
  expect(journalsOf(home, there).map(({ tasks }) => tasks)).toEqual([[taskIn(inB), cancelled]])
  expect(journalsOf(home, home.directory).map(({ tasks }) => tasks)).toEqual([[taskIn(inA)]])
  expect([(await first.notices()).length, (await second.notices()).length]).toEqual([1, 2])
}, 120_000)

test("the lane of a provider is the process's, whatever the project", async () => {
  await using home = await startPluginHome({ settings: { providerConcurrency: { globex: 1 } } })
  const other = home.clientFor(home.newDirectory())
  const [a, b] = [await converse(home), await converse(home, other)]
  await a.call("delegate_task", { ...launch("l1", [{ hang: true }], { model: "globex/large" }).args })
  const second = await b.call("delegate_task", { ...launch("l2", [{ hang: true }], { model: "globex/large" }).args })
  expect(second).toContain("Lane: provider:globex (1/1 busy, 0 ahead)")
  await a.call("background_cancel", { all: true })
  await home.model.waitFor(() => home.model.inFlight("l2") === 1)
  await b.call("background_cancel", { all: true })
  await until(async () => home.model.inFlight("l") === 0)
}, 60_000)

test("beside a plugin with tools of these names ours have others, in that project alone, and the log says what to do", async () => {
  const folder = join(oc.home.root, "oh-my-opencode")
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, "index.js"), "export default { id: 'stand-in', server: async () => ({}) }\n")
  writeFileSync(
    join(folder, "package.json"),
    JSON.stringify({ name: "oh-my-opencode", version: "4.0.0", type: "module", main: "index.js" }),
  )
  await using home = await startPluginHome({ projectConfig: true })
  writeFileSync(join(home.directory, "opencode.json"), JSON.stringify({ plugin: [folder] }))
  const c = await converse(home)
  const elsewhere = await converse(home, home.clientFor(home.newDirectory()))
  expect(await elsewhere.call("background_cancel", { all: true })).toContain("No running or pending")
  const answer = await c.call("lanes_delegate", launch("apart", quick("fine")).args)
  expect(answer).toContain("lanes_delegate(session_id=")
  const [told] = await c.told(1)
  expect(told?.text).toContain(`lanes_output(task_id="${taskIn(answer)}")`)
  expect(await c.call("lanes_output", { task_id: taskIn(answer) })).toContain("---\n\nfine")
  const offered = home.model.log.map(({ tools }) => tools.filter((name) => /delegate/.test(name)).join(" and "))
  expect([...new Set(offered)].filter((names) => names !== "").toSorted()).toEqual(["delegate_task", "lanes_delegate"])
  // OpenCode makes addresses of paths in its files.
  await until(async () => logOf(home.home.root).includes(`message="opencode-lanes: file://${folder} is loaded too`))
}, 60_000)

test("with a wrong configuration OpenCode starts as ever and the tools say what is wrong", async () => {
  await using home = await startPluginHome({ files: { "opencode-lanes.json": '{ "defaultConcurrency": "three" }' } })
  const c = await converse(home)
  const answer = await c.call("delegate_task", launch("never", quick("x")).args)
  expect(answer).toMatch(
    /opencode-lanes\.json cannot be used; [^]*defaultConcurrency: expected an integer ≥ 1, got "three"/,
  )
  expect(home.model.calls("never")).toEqual([])
}, 60_000)

test("when all is over nothing is held, nothing is busy and memory does not slope; when all have left, no worker", async () => {
  await using home = await startPluginHome({ after: [resolve(import.meta.dir, "../helpers/rest-witness.js")] })
  const c = await converse(home)
  const sizes: number[] = []
  const workers: number[] = []
  for (let round = 0; round < 5; round++) {
    const ids = Array.from({ length: 5 }, (_, i) => `s${round}-${i}`)
    const before = (await c.notices()).length
    await c.turn([{ tools: ids.map((id) => launch(id, quick("done"))) }, { text: "ok" }])
    await c.told(before + 5)
    await c.idle()
    sizes.push(rss(home.server.pid))
    workers.push(rest(home.home.root).workers)
  }
  const { data = {} } = await home.client.session.status()
  expect(data).toEqual({})
  expect(home.model.inFlight()).toBe(0)
  // OpenCode itself keeps some of every message; a leak of ours per task would be a multiple of it.
  expect((sizes.at(-1) ?? 0) - (sizes.at(1) ?? 0)).toBeLessThan(80)
  await until(async () => Object.values(rest(home.home.root).sizes ?? {}).filter((n) => n > 0).length <= 3)
  // What stays are the rows that can be read for a day, by id and by session, and the time when each goes.
  expect(rest(home.home.root).sizes).toEqual({
    ...{ tasks: 25, sessions: 25, due: 25 },
    ...{ live: 0, runs: 0, outbox: 0, waiting: 0, slots: 0, draining: 0, promises: 0, deliveries: 0, behind: 0 },
  })
  expect(Math.max(...workers)).toBeGreaterThan(0)
  expect(workers.at(-1)).toBe(workers.at(1) ?? 0)
  expect(home.server.output()).not.toMatch(/opencode-lanes[ :]|bg_|background/)
  await home.client.instance.dispose()
  await until(async () => rest(home.home.root).sizes === undefined)
  await until(async () => rest(home.home.root).workers === 0)
}, 120_000)

test("with its agents and ultrawork switched off it adds neither", async () => {
  await using home = await startPluginHome({ settings: { agents: false, ultrawork: false } })
  const { data = [] } = await home.client.app.agents()
  expect(data.map(({ name }) => name)).not.toContain("librarian")
  const c = await converse(home)
  await home.client.session.prompt({
    sessionID: c.id,
    noReply: true,
    parts: [{ type: "text", text: "ulw: mend the login" }],
  })
  expect((await c.messages()).map(({ text }) => text)).toEqual(["ulw: mend the login"])
}, 60_000)

/** What the plugin holds, as a plugin beside it sees it. Without sizes: what is behind the tools has ended. */
function rest(root: string): { readonly sizes?: Record<string, number>; readonly workers: number } {
  return JSON.parse(readFileSync(join(root, "tmp", "rest"), "utf8")) as never
}

function rss(pid: number): number {
  const pages = Number(readFileSync(`/proc/${pid}/statm`, "utf8").split(" ")[1])
  return (pages * 4096) / 1_048_576
}

function logOf(root: string): string {
  const folder = join(root, "data", "opencode", "log")
  return readdirSync(folder)
    .map((name) => readFileSync(join(folder, name), "utf8"))
    .join("\n")
}

/** The journals of one project, and the tasks in each. */
function journalsOf({ home }: PluginHome, directory: string): { readonly file: string; readonly tasks: string[] }[] {
  return journalsIn(projectFolder(stateFolder(home.env), directory)).map((file) => {
    const database = new Database(file, { readonly: true })
    const tasks = database.query<{ id: string }, []>("SELECT id FROM tasks ORDER BY place").all()
    database.close()
    return { file, tasks: tasks.map(({ id }) => id) }
  })
}
