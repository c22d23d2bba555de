/** `lanes watch` and `lanes serve` beside a coordinator in another process: this one. */

import { describe, expect, test } from "bun:test"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

import { LANES, quoted } from "../helpers/command.ts"
import { lanesOn } from "../helpers/lanes.ts"
import type { TestLanes } from "../helpers/lanes.ts"
import { useOpenCode } from "../helpers/opencode.ts"
import { until } from "../helpers/processes.ts"
import { TestTerminal } from "../helpers/terminal.ts"

const oc = useOpenCode()
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
    const done = await t.run(
      { id: "w-done", turns: [{ text: "The login is in src/login.ts" }] },
      { description: "Find the login" },
    )
    await done.done
    using terminal = new TestTerminal({ columns: 110, rows: 24 }, env)
    terminal.type(`clear; echo before; ${quoted([...LANES, "watch", "--dir", oc.directory])}; echo exit=$?`)
    await terminal.shows(/✓ Find the login +general +done/)
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

test("lanes serve shows and steers the tasks of the other process", async () => {
  await using beside = await coordinator()
  const { t, env } = beside
  const task = await t.run({ id: "s-one", turns: [endless] }, { description: "Serve me" })
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
  const post = (path: string, body: object, cookie = ""): Promise<Response> =>
    fetch(new URL(path, link), {
      method: "POST",
      headers: { "content-type": "application/json", origin: link.origin, cookie },
      body: JSON.stringify(body),
    })
  const entered = await post("/api/session", { token: link.hash.replace("#link=", "") })
  const cookie = entered.headers.get("set-cookie")?.split(";")[0] ?? ""
  const read = async (path: string): Promise<Record<string, never>> =>
    (await (await fetch(new URL(path, link), { headers: { cookie } })).json()) as Record<string, never>
  const snapshot = await read("/api/snapshot")
  expect(snapshot).toMatchObject({
    can: ["cancel", "cancelAll", "continue", "messages"],
    lanes: [{ lane: "default", used: 1 }],
    tasks: [{ id: task.id, state: "running", description: "Serve me" }],
  })
  await until(() => t.lanes.get(task.id)?.sessionID !== undefined, 10_000)
  expect((await post(`/api/tasks/${task.id}/cancel`, {}, cookie)).status).toBe(200)
  expect(t.lanes.get(task.id)?.state).toBe("cancelled")
  expect((await post("/api/limits", { lane: "default", limit: 2 }, cookie)).status).toBe(501)
  child.kill("SIGINT")
  await reading
  expect(await child.exited).toBe(0)
}, 60_000)
