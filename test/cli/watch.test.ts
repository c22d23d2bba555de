/** `lanes watch` and `lanes serve` beside a coordinator in another process: this one. */

import { describe, expect, test } from "bun:test"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

import { openReaders } from "../../src/adapters/journal-reader.ts"
import { askOwner } from "../../src/adapters/request-files.ts"
import { sqliteLibrary } from "../../src/adapters/sqlite-library.ts"
import { LANES, quoted, run } from "../helpers/command.ts"
import { lanesOn } from "../helpers/lanes.ts"
import type { TestLanes } from "../helpers/lanes.ts"
import { useOpenCode } from "../helpers/opencode.ts"
import { until } from "../helpers/processes.ts"
import { TestTerminal } from "../helpers/terminal.ts"

// The agent `general` is denied TODOs.
const agents = {
  planner: { mode: "subagent", description: "Plans", prompt: "You plan.", permission: { todowrite: "allow" } },
}
const oc = useOpenCode({ agents })
const endless = { stream: { chunks: 600, everyMs: 100 } }

interface Beside extends AsyncDisposable {
  readonly t: TestLanes
  /** Its folder, for other files as well. */
  readonly state: string
  readonly env: Record<string, string | undefined>
}

/** A coordinator whose journal other processes find. */
async function coordinator(config: object = {}): Promise<Beside> {
  const state = mkdtempSync(join(tmpdir(), "lanes-watch-"))
  const t = await lanesOn(oc, { journal: { folder: join(state, "opencode-lanes") }, config })
  return {
    t,
    state,
    env: { ...process.env, XDG_STATE_HOME: state, NO_COLOR: undefined, FORCE_COLOR: undefined },
    [Symbol.asyncDispose]: async () => {
      await t.lanes.close()
      rmSync(state, { recursive: true, force: true })
    },
  }
}

describe.skipIf(Bun.which("tmux") === null)("lanes watch in a terminal", () => {
  test("shows the tasks, cancels one, looks into another, and gives the terminal back", async () => {
    await using beside = await coordinator({ defaultConcurrency: 2 })
    const { t, env } = beside
    const list = [{ content: "Look for the login", status: "completed", priority: "high" }]
    const done = await t.run(
      {
        id: "w-done",
        turns: [{ tools: [{ name: "todowrite", args: { todos: list } }] }, { text: "The login is in src/login.ts" }],
      },
      { description: "Find the login", agent: "planner" },
    )
    await done.done
    using terminal = new TestTerminal({ columns: 110, rows: 24 }, env)
    terminal.type(`clear; echo before; ${quoted([...LANES, "watch", "--dir", oc.directory])}; echo exit=$?`)
    await terminal.shows(/✓ Find the login +planner +done/)
    expect(terminal.cursorVisible).toBe(false)

    const first = await t.run({ id: "w-one", turns: [endless] }, { description: "Refactor the session store" })
    const second = await t.run({ id: "w-two", turns: [endless] }, { description: "Write the tests" })
    const third = await t.run({ id: "w-three", turns: [endless] }, { description: "Wait in the queue" })
    await terminal.shows(/● Refactor the session store +general +running/)
    await terminal.shows(/○ Wait in the queue +general +waiting/)
    await terminal.shows(/^default ■■ 2\/2 queue 1/)
    await terminal.shows(/2 running +1 queued +1 done/)

    // The first key chooses the first row, the next one moves.
    terminal.press("Down")
    terminal.press("Down")
    terminal.press("c")
    await terminal.shows(/Cancel "Write the tests"\? +y \/ n/)
    terminal.press("n")
    await terminal.shows(/c cancel/)
    expect(t.lanes.get(second.id)?.state).toBe("running")
    terminal.press("c")
    await terminal.shows(/Cancel "Write the tests"/)
    terminal.press("y")
    await terminal.shows(/– Write the tests +general +cancelled/)
    expect(t.lanes.get(second.id)?.outcome).toMatchObject({ state: "cancelled", reason: "USER" })
    await terminal.shows(/● Wait in the queue/)

    terminal.type("/login")
    await terminal.shows(/✓ Find the login/)
    expect(terminal.screen().some((line) => line.includes("Wait in the queue"))).toBe(false)
    terminal.press("Enter")
    await terminal.shows(/done FINISHED/)
    await terminal.shows(/── todos, 1 of 1 done/)
    await terminal.shows(/✓ done +Look for the login/)
    terminal.press("End")
    await terminal.shows(/── assistant/)
    await terminal.shows(/The login is in src\/login\.ts/)
    terminal.press("Escape")
    await terminal.shows(/task +agent +state/)

    terminal.press("q")
    await terminal.shows(/^exit=0$/)
    expect(terminal.cursorVisible).toBe(true)
    // What stood there before stands there again, and what is typed is echoed.
    expect(terminal.screen()).toContain("before")
    terminal.type("echo typed")
    await terminal.shows(/echo typed/)
    expect([first, third].map((task) => task.row()?.state)).toEqual(["running", "running"])
  }, 90_000)

  test("fits a narrow terminal without colours, and gives it back when it is ended from outside", async () => {
    await using beside = await coordinator()
    const { t, env } = beside
    await t.run(
      { id: "n-one", turns: [endless] },
      { description: "Refactor the session store and everything that depends on it" },
    )
    using terminal = new TestTerminal({ columns: 40, rows: 12 }, { ...env, NO_COLOR: "1" })
    const pid = join(beside.state, "pid")
    const command = quoted([...LANES, "watch", "--dir", oc.directory])
    terminal.type(`clear; (sh -c 'echo $PPID' > ${pid}; exec ${command}); echo exit=$?`)
    await terminal.shows(/● Refactor the/)
    expect(terminal.screen().length).toBeLessThanOrEqual(12)
    // A line that wrapped would begin with its rest.
    for (const line of terminal.screen().filter((text) => text !== "")) expect(line).toMatch(/^( |default|\d+ running)/)
    process.kill(Number(readFileSync(pid, "utf8")), "SIGTERM")
    await terminal.shows(/^exit=143$/)
    expect(terminal.cursorVisible).toBe(true)
  }, 60_000)
})

test("without a terminal it is a line per event", async () => {
  await using beside = await coordinator()
  const { t, env } = beside
  const child = Bun.spawn([...LANES, "watch", "--dir", oc.directory], {
    env,
    stdin: "ignore",
    stdout: "pipe",
    stderr: "inherit",
  })
  let text = ""
  const reading = (async () => {
    for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) text += chunk
  })()
  await until(() => text.includes("lanes: default"), 15_000)
  const task = await t.run({ id: "p-one", turns: [{ text: "x" }] }, { description: "Say x" })
  await task.done
  await until(() => /done +general +Say x/.test(text), 15_000)
  expect(text).toMatch(/queued +general +Say x/)
  // oxlint-disable-next-line no-control-regex -- that there are none is what is looked for
  expect(text).not.toMatch(/\u001B/)
  child.kill("SIGTERM")
  await reading
  expect(await child.exited).toBe(143)
}, 60_000)

/** `lanes serve` in a process of its own, entered by its link. */
async function served(env: Record<string, string | undefined>): Promise<
  {
    post(path: string, body: object): Promise<{ status: number; body: Record<string, never> }>
    read(path: string): Promise<Record<string, never>>
  } & AsyncDisposable
> {
  const child = Bun.spawn([...LANES, "serve", "--dir", oc.directory], {
    env,
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  })
  let text = ""
  const reading = (async () => {
    for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) text += chunk
  })()
  await until(() => text.includes("\n"), 15_000)
  const link = new URL(text.trim())
  expect(link.hostname).toBe("127.0.0.1")
  let cookie = ""
  const send = (path: string, body: object): Promise<Response> =>
    fetch(new URL(path, link), {
      method: "POST",
      headers: { "content-type": "application/json", origin: link.origin, cookie },
      body: JSON.stringify(body),
    })
  const entered = await send("/api/session", { token: link.hash.replace("#link=", "") })
  cookie = entered.headers.get("set-cookie")?.split(";")[0] ?? ""
  return {
    post: async (path, body) => {
      const answer = await send(path, body)
      return { status: answer.status, body: (await answer.json()) as Record<string, never> }
    },
    read: async (path) =>
      (await (await fetch(new URL(path, link), { headers: { cookie } })).json()) as Record<string, never>,
    [Symbol.asyncDispose]: async () => {
      child.kill("SIGINT")
      await reading
      expect(await child.exited).toBe(0)
    },
  }
}

test("lanes serve shows and steers the tasks of the other process", async () => {
  await using beside = await coordinator()
  const { t, env } = beside
  const first = { content: "Look", status: "completed", priority: "high" }
  const second = { content: "Tell", status: "in_progress", priority: "high" }
  const turns = [{ tools: [{ name: "todowrite", args: { todos: [first, second] } }] }, endless]
  const task = await t.run({ id: "s-one", turns }, { description: "Serve me", agent: "planner" })
  await oc.model.waitFor(() => oc.model.calls("s-one").length > 1)
  await using page = await served(env)
  expect(await page.read("/api/snapshot")).toMatchObject({
    can: ["cancel", "cancelAll", "continue", "setLimits", "messages", "todos"],
    lanes: [{ lane: "default", used: 1 }],
    tasks: [{ id: task.id, state: "running", description: "Serve me" }],
  })
  expect(await page.read(`/api/tasks/${task.id}/todos`)).toMatchObject([
    { content: "Look", status: "completed" },
    { content: "Tell", status: "in_progress" },
  ])
  expect((await page.post(`/api/tasks/${task.id}/cancel`, {})).status).toBe(200)
  expect(t.lanes.get(task.id)?.state).toBe("cancelled")
}, 60_000)

test("lanes serve shows the lanes of the other process and changes their limits", async () => {
  // Set in code: no configuration file speaks of these lanes.
  await using beside = await coordinator({ defaultConcurrency: 1, providerConcurrency: { globex: 3, acme: 1 } })
  const { t, env } = beside
  await t.run({ id: "l-one", turns: [endless] }, { model: "acme/fast" })
  const waiting = await t.run({ id: "l-two", turns: [endless] }, { model: "acme/fast" })
  await using page = await served(env)
  const rest = { lane: "default", used: 0, limit: 1, queued: 0 }
  const globex = { lane: "provider:globex", used: 0, limit: 3, queued: 0 }
  expect((await page.read("/api/snapshot"))["lanes"] as unknown).toEqual([
    rest,
    globex,
    { lane: "provider:acme", used: 1, limit: 1, queued: 1 },
  ])
  expect(waiting.row()?.state).toBe("pending")

  const raised = await page.post("/api/limits", { lane: "provider:acme", limit: 2 })
  expect(raised.status).toBe(200)
  expect(waiting.row()?.state).toBe("running")
  expect((await page.post("/api/limits", { lane: "provider:acme", limit: 0 })).status).toBe(200)
  // One lane's limit is changed, and no other.
  expect(t.lanes.usage()).toEqual([rest, globex, { lane: "provider:acme", used: 2, limit: null, queued: 0 }])
  // Rows come by the journal, some ms behind the owner's answer.
  const shown = async (): Promise<unknown> => (await page.read("/api/snapshot"))["lanes"]
  while (!JSON.stringify(await shown()).includes('"used":2')) await Bun.sleep(50)
  expect(await shown()).toEqual([rest, globex, { lane: "provider:acme", used: 2, limit: null, queued: 0 }])
  expect(await page.post("/api/limits", { lane: "provider:nobody", limit: 1 })).toMatchObject({ status: 404 })
  expect(await page.post("/api/limits", { lane: "default", limit: 0 })).toMatchObject({ status: 400 })
}, 60_000)

test("lanes limits shows and changes them, and what is no limit is refused by the owner with a sentence", async () => {
  await using beside = await coordinator({ defaultConcurrency: 2 })
  const { t, env, state } = beside
  const limits = (...words: string[]) => run([...LANES, "limits", ...words, "--dir", oc.directory], { env })
  expect(await limits()).toMatchObject({ stdout: "default  □□ 0/2\n", exitCode: 0 })
  expect(await limits("3,acme=1")).toMatchObject({
    stdout: "default        □□□ 0/3\nprovider:acme  □ 0/1\n",
    exitCode: 0,
  })
  expect(t.lanes.usage().map(({ lane, limit }) => [lane, limit])).toEqual([
    ["default", 3],
    ["provider:acme", 1],
  ])
  expect(await limits("acme=0")).toMatchObject({ stdout: "default        □□□ 0/3\nprovider:acme  0/∞\n" })
  expect(await limits("lots")).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('got "lots"') })

  const open = await sqliteLibrary()
  const [reader] = open === undefined ? [] : openReaders(open, join(state, "opencode-lanes"), () => {})
  if (reader === undefined) throw new Error("There is no journal")
  using journal = reader
  const asked = (wrong: unknown): Promise<unknown> =>
    askOwner(journal.file, { type: "limits", limits: wrong as object })
  for (const [wrong, sentence] of [
    [{ taskTtlMs: 1_000 }, 'expected defaultConcurrency, providerConcurrency, modelConcurrency, got "taskTtlMs"'],
    [{ defaultConcurrency: 0 }, "defaultConcurrency: expected an integer ≥ 1, got 0"],
    [{ providerConcurrency: { acme: -1 } }, "providerConcurrency.acme: expected an integer ≥ 0, got -1"],
    [{ modelConcurrency: null }, "modelConcurrency: expected an object of limits, got null"],
    ["all", "expected an object with limits"],
  ] as const)
    expect(asked(wrong)).rejects.toMatchObject({ code: "INVALID_INPUT", message: expect.stringContaining(sentence) })
  expect(t.lanes.usage().map(({ limit }) => limit)).toEqual([3, null])

  await t.lanes.close()
  expect(await limits("4")).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining("No coordinator runs here now"),
  })
}, 60_000)
