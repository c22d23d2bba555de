import { describe, expect, test } from "bun:test"
import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { LaneEvent } from "../../src/index.ts"
import { LANES, quoted, watchTraces } from "../helpers/command.ts"
import type { Ended } from "../helpers/command.ts"
import { scripted, useOpenCode } from "../helpers/opencode.ts"
import { until } from "../helpers/processes.ts"
import { inTerminal } from "../helpers/pty.ts"

const oc = useOpenCode()
const LIMIT_MS = 60_000

/** The environment of a user whose OpenCode is the test's. */
function env(more: Record<string, string> = {}): Record<string, string | undefined> {
  return { ...oc.home.env, OPENCODE_SERVER_PASSWORD: oc.password, LANES_SERVER: oc.url, ...more }
}

function start(words: readonly string[], stdin?: string, more: Record<string, string> = {}) {
  return Bun.spawn([...LANES, ...words], {
    cwd: oc.directory,
    env: env(more),
    stdin: stdin === undefined ? "ignore" : new Blob([stdin]),
    stdout: "pipe",
    stderr: "pipe",
  })
}

function lanes(words: readonly string[], stdin?: string, more?: Record<string, string>): Promise<Ended> {
  return ended(start(words, stdin, more))
}

async function ended(child: ReturnType<typeof start>): Promise<Ended> {
  const [stdout, stderr, exitCode] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ])
  return { stdout, stderr, exitCode }
}

const answers = (id: string, text: string): string => scripted(`Play ${id}`, { id, turns: [{ text }] })
const hangs = (id: string): string => scripted(`Play ${id}`, { id, turns: [{ hang: true }] })

/** The environment in which a queue takes so many. */
function shortQueue(maxQueued: number): Record<string, string> {
  const folder = join(oc.home.root, `queue-${maxQueued}`)
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, "opencode-lanes.json"), JSON.stringify({ maxQueued }))
  return { OPENCODE_CONFIG_DIR: folder }
}

/** A file of one task per line. */
function batchFile(lines: readonly (object | string)[]): Disposable & { path: string } {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "lanes-batch-")))
  const path = join(folder, "tasks.jsonl")
  writeFileSync(path, lines.map((line) => (typeof line === "string" ? line : JSON.stringify(line))).join("\n"))
  return { path, [Symbol.dispose]: () => rmSync(folder, { recursive: true }) }
}

describe("lanes run", () => {
  test(
    "prints the text on stdout and everything else on stderr",
    async () => {
      const { exitCode, stdout, stderr } = await lanes(["run", answers("run-text", "The answer.\n\n- one\n- two")])
      expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: "The answer.\n\n- one\n- two\n" })
      expect(stderr).toMatch(/started +general +Play run-text/)
      expect(stderr).toMatch(/Completed in [\d.]+s\.\n$/)
    },
    LIMIT_MS,
  )

  test(
    "without a server it starts one and stops it again",
    async () => {
      using traces = watchTraces()
      const more = { LANES_SERVER: "spawn", OPENCODE_SERVER_PASSWORD: "", TMPDIR: traces.folder }
      const { exitCode, stdout, stderr } = await lanes(["run", answers("run-spawn", "Spawned.")], undefined, more)
      expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: "Spawned.\n" })
      expect(stderr).toMatch(/Starting OpenCode/)
      expect(traces.left().processes).toEqual([])
    },
    LIMIT_MS,
  )

  test.skipIf(!existsSync("/dev/full"))(
    "a result that cannot be written is a failure, and said",
    async () => {
      const prompt = answers("run-full", "Lost.")
      const full = (words: string, stdin: string): Promise<Ended> =>
        ended(
          Bun.spawn(["sh", "-c", `${quoted(LANES)} ${words} > /dev/full`], {
            cwd: oc.directory,
            env: env(),
            stdin: new Blob([stdin]),
            stdout: "pipe",
            stderr: "pipe",
          }),
        )
      for (const { exitCode, stderr } of [
        await full("run", prompt),
        await full("run --json", prompt),
        await full("batch -", JSON.stringify({ prompt })),
      ]) {
        expect(exitCode).toBe(1)
        expect(stderr).toMatch(/\nerror: What belongs on stdout cannot be written there: ENOSPC.*\n$/)
      }
    },
    LIMIT_MS,
  )

  test(
    "reads the prompt from stdin, takes agent and model",
    async () => {
      const prompt = answers("run-stdin", "Read.")
      const { exitCode, stdout, stderr } = await lanes(["run", "--agent", "Explore", "--model=globex/large"], prompt)
      expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: "Read.\n" })
      expect(stderr).toMatch(/started +explore /)
      expect(oc.model.calls("run-stdin").map(({ provider, model }) => `${provider}/${model}`)).toEqual(["globex/large"])
    },
    LIMIT_MS,
  )

  test(
    "--json: events and the summary, nothing else, on stdout",
    async () => {
      const { exitCode, stdout } = await lanes(["run", "--json", answers("run-json", "As data.")])
      expect(exitCode).toBe(0)
      const lines = stdout
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line) as LaneEvent | { type: "summary" })
      expect(lines.at(-1)).toMatchObject({
        type: "summary",
        tasks: 1,
        completed: 1,
        results: [{ agent: "general", outcome: { state: "completed", text: "As data." } }],
      })
      expect(lines.filter(({ type }) => type === "task:settled")).toHaveLength(1)
    },
    LIMIT_MS,
  )

  test(
    "a task that fails: exit 1, the reason on stderr, nothing on stdout",
    async () => {
      const { exitCode, stdout, stderr } = await lanes(["run", "--ttl", "1s", hangs("run-ttl")])
      expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: "" })
      expect(stderr).toMatch(/TTL: /)
      await oc.model.waitFor(() => oc.model.inFlight("run-ttl") === 0, { timeoutMs: 5_000 })
    },
    LIMIT_MS,
  )

  test.each([
    [["run", "--agent", "explorer", "x"], 1, /There is no agent "explorer"\. Use one of: explore, general\./],
    [["run", "--model", "acme/fst", "x"], 1, /There is no model "acme\/fst"\. Did you mean acme\/fast/],
  ])("what only the server knows: %j", async (words, code, says) => {
    const { exitCode, stdout, stderr } = await lanes(words)
    expect({ exitCode, stdout }).toEqual({ exitCode: code, stdout: "" })
    expect(stderr).toMatch(says)
  })

  test(
    "--no-wait leaves the task to its server and prints its id",
    async () => {
      const prompt = scripted("Play run-later", { id: "run-later", turns: [{ wait: 1_500, text: "Later." }] })
      const { exitCode, stdout, stderr } = await lanes(["run", "--no-wait", prompt])
      expect(exitCode).toBe(0)
      expect(stdout).toMatch(/^bg_\w{8}\n$/)
      const [, session = ""] = /session (ses_\w+)/.exec(stderr) ?? []
      // Nobody of ours is there any more: the server alone brings it to its end.
      await oc.model.waitFor((calls) =>
        calls.find(({ scriptId, endedAt }) => scriptId === "run-later" && endedAt !== undefined),
      )
      let texts: string[] = []
      while (!texts.includes("Later.")) {
        const { data = [] } = await oc.client.session.messages({ sessionID: session })
        texts = data.flatMap(({ parts }) => parts.flatMap((part) => (part.type === "text" ? [part.text] : [])))
      }
    },
    LIMIT_MS,
  )

  test(
    "lanes continue goes on in the session of a task whose process has ended",
    async () => {
      await lanes(["run", scripted("Play run-first", { id: "run-first", turns: [{ text: "First." }] })])
      const { stdout } = await lanes(["list", "--json"])
      const rows = stdout
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as { id: string; sessionID: string; spec: { prompt: string } })
      const task = rows.find(({ spec }) => spec.prompt.startsWith("Play run-first"))
      // Where it ran is in its journal; nobody has to name it again.
      const again = await lanes(["continue", task?.id ?? "", answers("run-second", "Second.")], undefined, {
        LANES_SERVER: "",
      })
      expect(again).toMatchObject({ exitCode: 0, stdout: "Second.\n" })
      expect(again.stderr).toContain(`Reaching the OpenCode at ${oc.url}\n`)
      const [call] = oc.model.calls("run-second")
      expect(call?.sessionId).toBe(task?.sessionID ?? "none")
      const elsewhere = await lanes(["continue", task?.id ?? "", "--server", "http://127.0.0.1:9", "Third."])
      expect(elsewhere).toMatchObject({ exitCode: 1, stdout: "" })
      expect(elsewhere.stderr).toContain("Reaching the OpenCode at http://127.0.0.1:9\n")
      const silent = await inTerminal(`${quoted(LANES)} continue ${task?.id}`, { cwd: oc.directory, env: env() })
      expect(silent.exitCode).toBe(2)
      expect(Bun.stripANSI(silent.stdout)).toBe(
        `error: lanes continue ${task?.id}: there is no prompt. Write lanes continue ${task?.id} "…", or pipe it in.\n`,
      )
    },
    LIMIT_MS,
  )

  test(
    "Ctrl-C cancels, aborts the session and says so",
    async () => {
      const child = start(["run", hangs("run-stop")])
      await oc.model.waitFor(() => oc.model.inFlight("run-stop") === 1, { timeoutMs: 20_000 })
      child.kill("SIGINT")
      expect(await child.exited).toBe(130)
      const stderr = await new Response(child.stderr).text()
      expect(stderr).toMatch(/tasks are cancelled, their sessions aborted/)
      expect(stderr).toMatch(/USER: It was cancelled\./)
      expect(oc.model.inFlight("run-stop")).toBe(0)
    },
    LIMIT_MS,
  )

  test(
    "Ctrl-C once more leaves at once, though the server never answers the abort",
    async () => {
      let aborts = 0
      using deaf = Bun.serve({
        hostname: "127.0.0.1",
        port: 0,
        idleTimeout: 0,
        fetch: (request) => {
          const { pathname, search } = new URL(request.url)
          if (!pathname.endsWith("/abort"))
            return fetch(new Request(`${oc.url}${pathname}${search}`, request), { decompress: false })
          aborts += 1
          return new Promise<Response>(() => {})
        },
      })
      const child = start(["run", hangs("run-leave")], undefined, { LANES_SERVER: deaf.url.origin })
      await oc.model.waitFor(() => oc.model.inFlight("run-leave") === 1, { timeoutMs: 20_000 })
      child.kill("SIGINT")
      await until(() => aborts > 0, 5_000)
      // What follows within half a second counts as the same one.
      const again = setInterval(() => child.kill("SIGINT"), 100)
      expect(await child.exited).toBe(130)
      clearInterval(again)
      const stderr = await new Response(child.stderr).text()
      expect(stderr).toMatch(/Ctrl-C again leaves at once/)
      expect(stderr).not.toMatch(/0 of 1 tasks completed/)
      await deaf.stop(true)
    },
    LIMIT_MS,
  )
})

describe("lanes batch", () => {
  test(
    "runs the tasks side by side within the limits and prints the texts in the order of the lines",
    async () => {
      const tasks = [1, 2, 3].map((n) => ({
        description: `Part ${n}`,
        prompt: scripted(`Play many-${n}`, {
          id: `many-${n}`,
          turns: [{ wait: n === 1 ? 1_500 : 300, text: `Text ${n}.` }],
        }),
        ...(n === 3 ? { agent: "explore", model: "globex/large", ttl: "1m" } : {}),
      }))
      using file = batchFile([tasks[0] ?? "", "", ...tasks.slice(1)])
      const { exitCode, stdout, stderr } = await lanes(["batch", file.path, "--limits", "4,acme=1"])
      expect(exitCode).toBe(0)
      expect(stdout.replaceAll(/bg_\w{8}, done in [\d.]+s/g, "·")).toBe(
        ["## 1. Part 1 (·)\n\nText 1.\n", "## 2. Part 2 (·)\n\nText 2.\n", "## 3. Part 3 (·)\n\nText 3.\n"].join("\n"),
      )
      expect(stderr).toMatch(/queued +general +Part 2 +behind 1 in provider:acme|Part 2 .*in provider:acme/)
      expect(stderr).toMatch(/3 of 3 tasks completed/)
      expect(oc.model.peak("many-")).toBe(2)
      expect(oc.model.calls("many-3")[0]?.provider).toBe("globex")
    },
    LIMIT_MS,
  )

  test(
    "one that fails makes it exit 1, the others are done all the same; - reads stdin",
    async () => {
      const tasks = [
        { description: "Good", prompt: answers("mixed-1", "Fine.") },
        {
          description: "Bad",
          prompt: scripted("Play mixed-2", { id: "mixed-2", turns: [{ status: 400, message: "no" }] }),
        },
      ]
      const { exitCode, stdout } = await lanes(["batch", "-"], tasks.map((task) => JSON.stringify(task)).join("\n"))
      expect(exitCode).toBe(1)
      expect(stdout).toMatch(/## 1\. Good \(bg_\w{8}, done in .*\)\n\nFine\.\n/)
      expect(stdout).toMatch(/## 2\. Bad \(bg_\w{8}, failed in .*\)\n\n.*no/)
    },
    LIMIT_MS,
  )

  test(
    "more tasks than the queue takes: the rest waits outside",
    async () => {
      const tasks = [1, 2, 3, 4].map((n) => ({
        description: `Part ${n}`,
        prompt: answers(`full-${n}`, `Text ${n}.`),
      }))
      using file = batchFile(tasks)
      const { exitCode, stdout, stderr } = await lanes(["batch", file.path, "--limits", "1"], undefined, shortQueue(2))
      expect(exitCode).toBe(0)
      expect([...stdout.matchAll(/Text \d/g)].map(([text]) => text)).toEqual([1, 2, 3, 4].map((n) => `Text ${n}`))
      expect(stderr).not.toMatch(/behind [3-9]/)
      expect(oc.model.peak("full-")).toBe(1)
    },
    LIMIT_MS,
  )

  test.each([
    ['{"prompt":', 2, /line 2: not JSON/],
    ['{"promt": "x"}', 2, /line 2: there is no key "promt"\. Did you mean "prompt"\?/],
    ['["x"]', 2, /line 2: expected an object/],
    ['{"prompt": " "}', 2, /line 2: prompt: expected a non-empty string/],
    ['{"prompt": "x", "ttl": 300}', 2, /line 2: ttl: expected a time of at least 1s/],
    ['{"prompt": "x", "model": "fast"}', 2, /line 2: model: expected provider\/model/],
    ['{"prompt": "x", "agent": "nobody"}', 2, /line 2: There is no agent "nobody"/],
    ['{"prompt": "x", "model": "acme/none"}', 2, /line 2: There is no model "acme\/none"/],
  ])(
    "a bad line names its number, and nothing is launched: %s",
    async (line, code, says) => {
      const id = `bad-${Bun.hash(line)}`
      using file = batchFile([{ prompt: answers(id, "Never.") }, line])
      const { exitCode, stdout, stderr } = await lanes(["batch", file.path])
      expect({ exitCode, stdout }).toEqual({ exitCode: code, stdout: "" })
      expect(stderr).toMatch(says)
      expect(oc.model.calls(id)).toEqual([])
    },
    LIMIT_MS,
  )

  test(
    "Ctrl-C cancels those that run and those that wait, and launches none of the rest",
    async () => {
      using file = batchFile([1, 2, 3, 4].map((n) => ({ description: `Part ${n}`, prompt: hangs(`stop-${n}`) })))
      const child = start(["batch", file.path, "--limits", "2"], undefined, shortQueue(1))
      await oc.model.waitFor(() => oc.model.inFlight("stop-") === 2, { timeoutMs: 20_000 })
      child.kill("SIGINT")
      expect(await child.exited).toBe(130)
      expect(await new Response(child.stderr).text()).toMatch(/0 of 3 tasks completed/)
      expect(oc.model.inFlight("stop-")).toBe(0)
      expect(oc.model.calls("stop-3")).toEqual([])
    },
    LIMIT_MS,
  )
})
