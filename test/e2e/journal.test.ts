/** What outlives a process, and what other processes see and steer of it. */

import { Database } from "bun:sqlite"
import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

import { HostProcess } from "../../scripts/soak/host-process.ts"
import { LANES, run } from "../helpers/command.ts"
import { until } from "../helpers/conversation.ts"
import type { Ended } from "../helpers/command.ts"
import type { TestLanes } from "../helpers/lanes.ts"
import { lanesOn } from "../helpers/lanes.ts"
import { scripted, useOpenCode } from "../helpers/opencode.ts"

const oc = useOpenCode()
const LONG = [{ stream: { chunks: 600, everyMs: 50 } }]
let state: string
beforeAll(() => {
  state = mkdtempSync(join(tmpdir(), "lanes-state-"))
})
afterAll(() => rmSync(state, { recursive: true, force: true }))

/** Lanes on a project of their own, in a journal that commands find. */
function kept(directory: string, options: Parameters<typeof lanesOn>[1] = {}): Promise<TestLanes> {
  return lanesOn(oc, { directory, journal: { folder: join(state, "opencode-lanes") }, ...options })
}

function lanes(directory: string, ...words: string[]): Promise<Ended> {
  const env = { ...process.env, XDG_STATE_HOME: state, OPENCODE_SERVER_PASSWORD: oc.password }
  return run([...LANES, ...words], { cwd: directory, env })
}

describe("another process", () => {
  test("lists and reads tasks, and cancels one within a second", async () => {
    const directory = oc.newDirectory()
    await using t = await kept(directory)
    const [going, done] = [
      await t.run({ id: "going", turns: LONG }),
      await t.run({ id: "done", turns: [{ text: "forty-two" }] }),
    ]
    await done.done
    const listed = await lanes(directory, "list", "--json")
    const rows = listed.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { id: string; state: string; living: boolean })
    expect(rows.map(({ id, state: s, living }) => [id, s, living])).toEqual([
      [going.id, "running", true],
      [done.id, "completed", true],
    ])
    expect((await lanes(directory, "list")).stdout).toContain(going.id)
    expect(await lanes(directory, "output", done.id)).toMatchObject({ stdout: "forty-two\n", exitCode: 0 })
    const settled = t.lanes.waitFor("task:settled", ({ id }) => id === going.id)
    const asked = performance.now()
    const cancelled = await lanes(directory, "cancel", going.id)
    expect((await settled).outcome.reason).toBe("USER")
    const took = performance.now() - asked
    expect(cancelled).toMatchObject({ exitCode: 0, stdout: `${going.id} is cancelled; it was running.\n` })
    expect(took).toBeLessThan(1_000 + STARTING_MS)
    expect(await lanes(directory, "cancel", going.id)).toMatchObject({ stdout: `${going.id} is cancelled already.\n` })
    expect(await lanes(directory, "output", going.id)).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining("USER"),
    })
  })

  test("continues a task, follows it to its end, and reads all it said", async () => {
    const directory = oc.newDirectory()
    await using t = await kept(directory)
    const task = await t.run({ id: "first", turns: [{ text: "one" }] })
    await task.done
    const prompt = scripted("and?", { id: "second", turns: [{ wait: 300, text: "two" }] })
    expect(await lanes(directory, "continue", task.id, prompt, "--server", "spawn")).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining(`a process looks after ${task.id}`),
    })
    expect(await lanes(directory, "continue", task.id, prompt)).toMatchObject({ exitCode: 0, stdout: `${task.id}\n` })
    expect(await lanes(directory, "output", task.id, "--follow")).toMatchObject({ exitCode: 0, stdout: "two\n" })
    const { stdout } = await lanes(directory, "output", task.id, "--full")
    expect(stdout).toMatch(/one[^]*two/)
    // Events are written a moment after the rows they tell of.
    let settled: { type: string; epoch: number; id: string }[] = []
    while (settled.length < 2) {
      const events = await lanes(directory, "events", "--json", "--since", "10m")
      const lines = events.stdout.trim().split("\n")
      settled = lines.map((line) => JSON.parse(line)).filter(({ type }) => type === "task:settled")
    }
    expect(settled.map(({ id, epoch }) => [id, epoch])).toEqual([
      [task.id, 1],
      [task.id, 2],
    ])
  }, 20_000)

  test("follows events as they happen", async () => {
    const directory = oc.newDirectory()
    await using t = await kept(directory)
    const child = Bun.spawn([...LANES, "events", "--follow", "--json"], {
      cwd: directory,
      env: { ...process.env, XDG_STATE_HOME: state },
      stdout: "pipe",
    })
    try {
      const lines = child.stdout.pipeThrough(new TextDecoderStream()).getReader()
      let text = ""
      // It says nothing before something happens: asked again until the first task is heard of.
      const launching = setInterval(() => void t.run({ id: "heard", turns: [{ text: "heard" }] }), 1_000)
      while (!text.includes("task:settled")) text += (await lines.read()).value ?? ""
      clearInterval(launching)
      expect(text).toMatch(/task:queued[^]*task:started[^]*task:settled/)
    } finally {
      child.kill("SIGINT")
      expect(await child.exited).toBeOneOf([0, 130])
    }
  })

  test("says what it cannot know or do", async () => {
    const directory = oc.newDirectory()
    expect(await lanes(directory, "output", "bg_00000000")).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining("no task"),
    })
    expect(await lanes(directory, "cancel", "what")).toMatchObject({ exitCode: 2 })
    expect(await lanes(directory, "cancel")).toMatchObject({ exitCode: 2 })
    expect(await lanes(directory, "list")).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("No tasks") })
    expect(await lanes(directory, "resume")).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining("Nothing is left"),
    })
  })
})

describe("a server that is not ours", () => {
  test("goes on when the lanes close; the next ones take over without a second prompt", async () => {
    const directory = oc.newDirectory()
    const first = await kept(directory, { config: { defaultConcurrency: 1 } })
    const running = await first.run({
      id: "goes-on",
      turns: [{ stream: { chunks: 40, everyMs: 50 }, text: "still here" }],
    })
    const waiting = await first.run({ id: "waits", turns: [{ text: "my turn" }] })
    await oc.model.waitFor(() => oc.model.calls("goes-on").length > 0)
    await first.lanes.close()
    expect(oc.model.inFlight("goes-on")).toBe(1)
    const orphan = await lanes(directory, "list")
    expect(orphan.stderr).toContain("2 unfinished tasks have no coordinator")
    expect(await lanes(directory, "cancel", waiting.id)).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining("No coordinator"),
    })

    await using second = await kept(directory, { config: { defaultConcurrency: 1 } })
    expect(await second.lanes.done(running.id)).toMatchObject({ state: "completed", text: "still here" })
    expect(await second.lanes.done(waiting.id)).toMatchObject({ state: "completed", text: "my turn" })
    expect(oc.model.calls("goes-on")).toHaveLength(1)
    expect(oc.model.calls("waits")).toHaveLength(1)
    expect(second.lanes.get(running.id)?.sessionID).toBe(running.row()?.sessionID ?? "")
  })

  test("keeps the tasks of a host that was killed for lanes resume", async () => {
    const directory = oc.newDirectory()
    const folder = join(state, "opencode-lanes")
    await using host = new HostProcess({ url: oc.url, password: oc.password, directory, folder })
    await host.until("ready")
    const turns = [{ stream: { chunks: 20, everyMs: 50 }, text: "resumed" }]
    host.order({ type: "launch", script: "killed", prompt: scripted("Play killed", { id: "killed", turns }) })
    const { id } = await host.until("launched")
    await oc.model.waitFor(() => oc.model.calls("killed").length > 0)
    await host.kill()
    const resumed = await lanes(directory, "resume")
    expect(resumed.stderr).toContain("1 tasks go on")
    expect(resumed.exitCode).toBe(0)
    expect(await lanes(directory, "output", id)).toMatchObject({ exitCode: 0, stdout: "resumed\n" })
    expect(oc.model.calls("killed")).toHaveLength(1)
  })

  test("keeps a task of another project for that one's list, events and lanes resume, though its host was of this one", async () => {
    const [here, there] = [oc.newDirectory(), oc.newDirectory()]
    const folder = join(state, "opencode-lanes")
    await using host = new HostProcess({ url: oc.url, password: oc.password, directory: here, folder })
    await host.until("ready")
    const turns = [{ stream: { chunks: 20, everyMs: 50 }, text: "from afar" }]
    const prompt = scripted("Play afar", { id: "afar", turns })
    host.order({ type: "launch", script: "afar", prompt, directory: there })
    const { id } = await host.until("launched")
    await oc.model.waitFor(() => oc.model.calls("afar").length > 0)
    await until(async () => (await lanes(there, "events")).stdout.includes(id))
    expect((await lanes(here, "events")).stdout).not.toContain(id)
    await host.kill()
    expect((await lanes(there, "list")).stdout).toContain(id)
    expect(await lanes(there, "resume")).toMatchObject({
      exitCode: 0,
      stderr: expect.stringContaining("1 tasks go on"),
    })
    expect(await lanes(there, "output", id)).toMatchObject({ exitCode: 0, stdout: "from afar\n" })
    expect(oc.model.calls("afar")).toHaveLength(1)
  })

  test("stops what was cancelled by a host that died before it could", async () => {
    const directory = oc.newDirectory()
    const options = { url: oc.url, password: oc.password, directory, folder: join(state, "cancelled") }
    await using host = new HostProcess(options)
    await host.until("ready")
    host.order({ type: "launch", script: "orphan", prompt: scripted("Play orphan", { id: "orphan", turns: LONG }) })
    const { id } = await host.until("launched")
    await oc.model.waitFor(() => oc.model.calls("orphan").length > 0)
    await cancelInFile(host, id)
    expect(oc.model.inFlight("orphan")).toBe(1)
    await using next = new HostProcess(options)
    await next.until("ready")
    await oc.model.waitFor(() => oc.model.inFlight("orphan") === 0)
    const { rows } = await next.ask({ type: "rows" }, "rows")
    expect(rows.map(({ outcome }) => outcome?.reason)).toEqual(["USER"])
  })

  test("has forgotten everything when nothing was kept", async () => {
    const directory = oc.newDirectory()
    await using host = new HostProcess({ url: oc.url, password: oc.password, directory })
    await host.until("ready")
    host.order({
      type: "launch",
      script: "lost",
      prompt: scripted("Play lost", { id: "lost", turns: [{ text: "lost" }] }),
    })
    await host.until("launched")
    await host.kill()
    await using next = new HostProcess({ url: oc.url, password: oc.password, directory })
    expect((await next.until("ready")).tasks).toBe(0)
  })
})

describe("a journal that cannot be written", () => {
  test("refuses launches, and lets running tasks go on", async () => {
    const directory = oc.newDirectory()
    const folder = join(state, "full", "opencode-lanes")
    await using t = await kept(directory, { journal: { folder, maxBytes: 400_000 } })
    const task = await t.run({ id: "goes", turns: [{ wait: 1_000, text: "all the same" }] })
    const failed = t.lanes.waitFor("journal:error")
    expect(t.lanes.launch({ prompt: "x".repeat(500_000), agent: "general" })).rejects.toMatchObject({
      code: "JOURNAL_FAILED",
      message: expect.stringMatching(/was not stored.*full/),
    })
    await failed
    expect(t.lanes.list().map(({ id }) => id)).toEqual([task.id])
    expect(await task.done).toMatchObject({ state: "completed", text: "all the same" })
  })
})

/** Kills a host, and leaves its journal as if it had written a cancel and died before anything else. */
async function cancelInFile(host: HostProcess, id: string): Promise<void> {
  const { rows } = await host.ask({ type: "rows" }, "rows")
  await host.kill()
  const row = rows.find((each) => each.id === id)
  const outcome = { state: "cancelled", reason: "USER", sentence: "It was cancelled.", text: "", unsent: [] }
  const [file = ""] = [...new Bun.Glob("*/*.db").scanSync({ cwd: join(state, "cancelled"), absolute: true })]
  const database = new Database(file)
  database
    .query("UPDATE tasks SET row = ? WHERE id = ?")
    .run(JSON.stringify({ ...row, state: "cancelled", settledAt: Date.now(), outcome }), id)
  database.close()
}

/** A command's own start on a busy machine. */
const STARTING_MS = 2_000
