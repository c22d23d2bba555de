import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { findBinary } from "../../src/adapters/opencode-binary.ts"
import { basicAuth, startServer } from "../../src/adapters/opencode-server.ts"
import { superviseServer } from "../../src/adapters/opencode-supervisor.ts"
import type { ServerLoss } from "../../src/adapters/opencode-supervisor.ts"
import { makePrivateHome } from "../../src/cli/demo/private-home.ts"
import type { PrivateHome } from "../../src/cli/demo/private-home.ts"
import { startScriptedModel } from "../../src/cli/demo/scripted-model.ts"
import type { ScriptedModel } from "../../src/cli/demo/scripted-model.ts"
import { scripted } from "../helpers/opencode.ts"
import { groupMembers, isAlive, until } from "../helpers/processes.ts"

let model: ScriptedModel
let home: PrivateHome

beforeAll(() => {
  model = startScriptedModel()
  home = makePrivateHome({ model })
})

afterAll(async () => {
  await model.close()
  home.dispose()
})

const health = (url: string, password: string): Promise<Response> =>
  fetch(`${url}/global/health`, { headers: { authorization: basicAuth(password) } })

describe("startServer", () => {
  test("answers to its password alone, and stop leaves no process", async () => {
    const server = await startServer({ cwd: home.projects, env: home.env })
    try {
      expect(server.url).toBe(`http://127.0.0.1:${server.port}`)
      expect((await health(server.url, server.password)).status).toBe(200)
      expect((await health(server.url, "wrong")).status).toBe(401)
      expect((await fetch(`${server.url}/session`)).status).toBe(401)
      expect(groupMembers(server.pid)).toContain(server.pid)
    } finally {
      await server.stop()
    }
    expect(groupMembers(server.pid)).toEqual([])
    expect(await failure(health(server.url, server.password))).toBeInstanceOf(Error)
    await server.stop()
  }, 30_000)

  test("stop ends a command its agent is running", async () => {
    const { server, commandPid } = await serverRunningACommand("stopped")
    expect(isAlive(commandPid)).toBe(true)
    await server.stop()
    expect(isAlive(commandPid)).toBe(false)
  }, 30_000)

  test("a program that ends at once is reported with what it said", async () => {
    const failing = program("failing", "echo no luck today >&2; exit 3")
    const start = startServer({ binary: failing, cwd: home.projects, env: home.env })
    expect(await failure(start)).toMatchObject({
      code: "SERVER_UNREACHABLE",
      message: expect.stringContaining("no luck"),
    })
  }, 30_000)

  test("a stranger on the port is not taken for it", async () => {
    using stranger = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => Response.json({ healthy: true }) })
    const start = startServer({ cwd: home.projects, env: home.env, port: Number(stranger.port) })
    expect(await failure(start)).toMatchObject({ code: "SERVER_UNREACHABLE" })
  }, 30_000)

  test("a program that never answers is ended at the time-out", async () => {
    const pidFile = join(home.root, "mute.pid")
    const mute = program("mute", `echo $$ > ${pidFile}; exec sleep 60`)
    const start = startServer({ binary: mute, cwd: home.projects, env: home.env, startTimeoutMs: 300 })
    expect(await failure(start)).toMatchObject({ code: "SERVER_TIMEOUT" })
    expect(isAlive(Number(readFileSync(pidFile, "utf8")))).toBe(false)
  }, 30_000)

  test("giving up leaves nothing behind", async () => {
    const pidFile = join(home.root, "given-up.pid")
    const mute = program("given-up", `echo $$ > ${pidFile}; exec sleep 60`)
    const giveUp = new AbortController()
    const start = startServer({ binary: mute, cwd: home.projects, env: home.env, signal: giveUp.signal })
    const outcome = failure(start)
    await until(() => existsSync(pidFile) && readFileSync(pidFile, "utf8").endsWith("\n"), 5000)
    giveUp.abort(new Error("changed my mind"))
    expect(await outcome).toMatchObject({ message: "changed my mind" })
    expect(isAlive(Number(readFileSync(pidFile, "utf8")))).toBe(false)
  }, 30_000)
})

describe("a host killed without warning", () => {
  test("takes its server and the server's commands with it within 3 s", async () => {
    const host = Bun.spawn([process.execPath, join(import.meta.dir, "../helpers/server-host.ts"), hostOptions()], {
      stdout: "pipe",
      stderr: "inherit",
    })
    const server = await firstLine(host.stdout)
    const commandPid = await runCommand(server.url, server.password, "host-killed")
    expect(isAlive(server.pid)).toBe(true)

    host.kill("SIGKILL")
    await host.exited
    const group = (): boolean => groupMembers(server.pid).length === 0
    await until(() => group() && !isAlive(commandPid), 3000)
  }, 30_000)
})

describe("superviseServer", () => {
  test("starts it again once, at the same place, then reports it gone", async () => {
    const losses: ServerLoss[] = []
    const back = Promise.withResolvers<void>()
    const server = await superviseServer({
      cwd: home.projects,
      env: home.env,
      onLost: (loss) => losses.push(loss),
      onBack: () => back.resolve(),
    })
    try {
      const firstPid = server.pid
      process.kill(firstPid, "SIGKILL")
      await back.promise
      expect(losses).toMatchObject([{ final: false, exit: { signal: "SIGKILL" } }])
      expect(server.pid).not.toBe(firstPid)
      expect((await health(server.url, server.password)).status).toBe(200)

      process.kill(server.pid, "SIGKILL")
      await server.gone
      expect(losses).toMatchObject([{ final: false }, { final: true }])
      await until(() => groupMembers(server.pid).length === 0, 5_000)
    } finally {
      await server.stop()
    }
  }, 60_000)

  test("a stop asked for is no loss", async () => {
    const losses: ServerLoss[] = []
    const server = await superviseServer({ cwd: home.projects, env: home.env, onLost: (loss) => losses.push(loss) })
    await server.stop()
    expect(losses).toEqual([])
    expect(groupMembers(server.pid)).toEqual([])
  }, 30_000)
})

describe("findBinary", () => {
  test("an explicit path, OPENCODE_BIN, node_modules and PATH, in this order", () => {
    const chosen = program("chosen", "true")
    const named = program("named", "true")
    expect(findBinary({ binary: chosen, env: { OPENCODE_BIN: named } })).toBe(chosen)
    expect(findBinary({ env: { OPENCODE_BIN: named } })).toBe(named)
    expect(findBinary({ env: {} })).toEndWith("node_modules/.bin/opencode")
    expect(findBinary({ binary: "named", env: { PATH: join(home.root, "programs") } })).toBe(named)
  })

  test("says what was asked for when it is not there", () => {
    expect(() => findBinary({ env: { OPENCODE_BIN: "/nowhere/opencode" } })).toThrow(
      'OPENCODE_BIN names "/nowhere/opencode", which is not an executable file.',
    )
  })
})

function failure(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  )
}

function program(name: string, body: string): string {
  const folder = join(home.root, "programs")
  mkdirSync(folder, { recursive: true })
  const path = join(folder, name)
  writeFileSync(path, `#!/bin/sh\n${body}\n`)
  chmodSync(path, 0o755)
  return path
}

function hostOptions(): string {
  return JSON.stringify({ cwd: home.projects, env: home.env })
}

async function serverRunningACommand(
  name: string,
): Promise<{ server: Awaited<ReturnType<typeof startServer>>; commandPid: number }> {
  const server = await startServer({ cwd: home.projects, env: home.env })
  return { server, commandPid: await runCommand(server.url, server.password, name) }
}

/** Has the agent run a command that lasts, and answers its process id. */
async function runCommand(url: string, password: string, name: string): Promise<number> {
  const pidFile = join(home.root, `${name}.pid`)
  const headers = { authorization: basicAuth(password), "content-type": "application/json" }
  const created = await fetch(`${url}/session`, { method: "POST", headers, body: "{}" })
  const { id } = (await created.json()) as { id: string }
  const args = { command: `sleep 60 & echo $! > ${pidFile}; wait`, description: "wait" }
  const text = scripted("wait", { id: name, turns: [{ tools: [{ name: "bash", args }] }] })
  const body = JSON.stringify({ parts: [{ type: "text", text }] })
  await fetch(`${url}/session/${id}/prompt_async`, { method: "POST", headers, body })
  await until(() => existsSync(pidFile) && readFileSync(pidFile, "utf8").endsWith("\n"), 15_000)
  return Number(readFileSync(pidFile, "utf8"))
}

async function firstLine(stream: ReadableStream<Uint8Array>): Promise<{ url: string; pid: number; password: string }> {
  let text = ""
  for await (const chunk of stream.pipeThrough(new TextDecoderStream())) {
    text += chunk
    if (text.includes("\n")) break
  }
  return JSON.parse(text.split("\n")[0] ?? "") as { url: string; pid: number; password: string }
}
