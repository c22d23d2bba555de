import { describe, expect, test } from "bun:test"
import { startServer } from "../../src/adapters/opencode-server.ts"
import { startPrivateOpenCode } from "../../src/cli/demo/private-opencode.ts"
import { makePrivateHome } from "../../src/cli/demo/private-home.ts"
import { startScriptedModel } from "../../src/cli/demo/scripted-model.ts"
import { LANES, processesWith, run, watchTraces } from "../helpers/command.ts"

const LIMIT_MS = 60_000

/** A stand-in for the user's own set-up: its model answers whatever it is asked. */
describe("lanes demo --model", () => {
  test(
    "starts the user's OpenCode where he is, and says first what it will do",
    async () => {
      using traces = watchTraces()
      await using model = startScriptedModel()
      using home = makePrivateHome({ model })
      const env = { ...home.env, NO_COLOR: "1", LANES_TEST_TRACE: traces.folder }
      const { exitCode, stdout } = await run([...LANES, "demo", "--model", "acme/fast"], { cwd: home.projects, env })
      expect(stdout.split("\n").slice(0, 2)).toEqual([
        `This uses your OpenCode, with your configuration, in ${home.projects}`,
        "and sends 4 read-only tasks to the real model acme/fast. Its provider may charge you. Ctrl-C stops.",
      ])
      expect(stdout).toMatch(/queued +general +Check the documents +in model:acme\/fast/)
      expect(stdout).toMatch(/4 of 4 tasks completed/)
      expect(exitCode).toBe(0)
      const calls = model.log.filter(({ kind }) => kind !== "title")
      expect(calls.length).toBeGreaterThanOrEqual(4)
      expect(calls.every(({ provider, model: id }) => `${provider}/${id}` === "acme/fast")).toBe(true)
      expect(model.peak()).toBeLessThanOrEqual(2)
      expect(processesWith(traces.folder)).toEqual([])
    },
    LIMIT_MS,
  )

  test(
    "--server uses a running one and leaves it running",
    async () => {
      using traces = watchTraces()
      await using opencode = await startPrivateOpenCode()
      const { url, password, directory } = opencode
      const env = { ...traces.env, OPENCODE_SERVER_PASSWORD: password }
      const { exitCode, stdout } = await run([...LANES, "demo", "--json", "--model", "initech/mini", "--server", url], {
        cwd: directory,
        env,
      })
      expect(exitCode).toBe(0)
      expect(JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "")).toMatchObject({ tasks: 4, completed: 4 })
      const agents = stdout
        .match(/"type":"task:queued".*?"agent":"(\w+)"/g)
        ?.map((found) => /\w+(?="$)/.exec(found)?.[0])
      expect(agents).toEqual(["explore", "librarian", "oracle", "explore"])
      expect((await fetch(`${url}/global/health`)).status).toBe(401)

      const locked = await run([...LANES, "demo", "--model", "initech/mini", "--server", url], { env: traces.env })
      expect(locked.exitCode).toBe(1)
      expect(locked.stderr).toBe(
        `error: The server at ${url} refuses our password. Set OPENCODE_SERVER_PASSWORD, or in code the option \`password\`, to the one it was started with.\n`,
      )
      expect(traces.left()).toEqual({ files: [], processes: [] })
    },
    LIMIT_MS,
  )

  test(
    "ends with 1 when a task was not completed, and says why",
    async () => {
      using traces = watchTraces()
      using provider = Bun.serve({
        hostname: "127.0.0.1",
        port: 0,
        fetch: () => Response.json({ error: { message: "no credit left" } }, { status: 400 }),
      })
      using home = makePrivateHome({ model: { baseURL: () => `http://127.0.0.1:${provider.port}` } })
      await using server = await startServer({ cwd: home.projects, env: home.env })
      const env = { ...traces.env, OPENCODE_SERVER_PASSWORD: server.password }
      const command = [...LANES, "demo", "--model", "acme/fast", "--server", server.url]
      const { exitCode, stdout } = await run(command, { cwd: home.projects, env })
      expect(exitCode).toBe(1)
      expect(stdout).toMatch(/Find the entry point +failed: .*no credit left/)
      expect(stdout).toMatch(/0 of 4 tasks completed/)
    },
    LIMIT_MS,
  )
})
