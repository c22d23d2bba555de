/** A real OpenCode server with a scripted model, shared by the tests of one file. */

import { afterAll, beforeAll } from "bun:test"
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { createOpencodeClient } from "@opencode-ai/sdk/v2/client"
import type { OpencodeClient } from "@opencode-ai/sdk/v2/client"
import { basicAuth, startServer } from "../../src/adapters/opencode-server.ts"
import type { OpenCodeServer } from "../../src/adapters/opencode-server.ts"
import { makePrivateHome } from "../../src/cli/demo/private-home.ts"
import type { PrivateHome, PrivateHomeOptions } from "../../src/cli/demo/private-home.ts"
import { startScriptedModel } from "../../src/cli/demo/scripted-model.ts"
import type { ScriptedModel } from "../../src/cli/demo/scripted-model.ts"

export { scripted } from "../../src/cli/demo/scripted-model.ts"

/** A running OpenCode with its model and one project. */
export interface TestOpenCode extends AsyncDisposable {
  readonly url: string
  readonly password: string
  readonly server: OpenCodeServer
  readonly model: ScriptedModel
  readonly home: PrivateHome
  /** A git repository with a few files. */
  readonly directory: string
  /** SDK v2 client bound to `directory`. */
  readonly client: OpencodeClient
  /** Another project, and a client bound to it by {@link clientFor}. */
  newDirectory(): string
  clientFor(directory: string): OpencodeClient
}

/** Everything a private home takes, but the model. */
export type UseOpenCodeOptions = Omit<PrivateHomeOptions, "model">

/**
 * Starts one OpenCode before the first test of the file and stops it after the last.
 * The returned object may be used inside tests and hooks only.
 */
export function useOpenCode(options: UseOpenCodeOptions = {}): TestOpenCode {
  let running: TestOpenCode | undefined
  beforeAll(async () => {
    running = await startOpenCode(options)
  }, 60_000)
  afterAll(async () => {
    await running?.[Symbol.asyncDispose]()
  }, 20_000)
  return new Proxy({} as TestOpenCode, {
    get: (_target, key) => {
      if (running === undefined) throw new Error("OpenCode runs only inside tests and hooks")
      return Reflect.get(running, key)
    },
  })
}

/** The same for one test: `await using opencode = await startOpenCode()`. */
export async function startOpenCode(options: UseOpenCodeOptions = {}): Promise<TestOpenCode> {
  await using undo = new AsyncDisposableStack()
  const model = undo.use(startScriptedModel())
  const home = undo.use(makePrivateHome({ ...options, model }))
  let projects = 0
  const newDirectory = (): string => makeProject(join(home.projects, `project-${(projects += 1)}`), home.env)
  const directory = newDirectory()
  const server = undo.use(await startServer({ cwd: directory, env: home.env }))
  const clientFor = (folder: string): OpencodeClient =>
    createOpencodeClient({
      baseUrl: server.url,
      directory: folder,
      headers: { authorization: basicAuth(server.password) },
    })
  const resources = undo.move()
  return {
    url: server.url,
    password: server.password,
    server,
    model,
    home,
    directory,
    client: clientFor(directory),
    newDirectory,
    clientFor,
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  }
}

function makeProject(folder: string, env: Record<string, string>): string {
  mkdirSync(join(folder, "src"), { recursive: true })
  writeFileSync(join(folder, "README.md"), "# Sample\n\nA project with a login.\n")
  writeFileSync(
    join(folder, "src", "login.ts"),
    "export function login(user: string): string {\n  return `hello ${user}`\n}\n",
  )
  writeFileSync(join(folder, "src", "main.ts"), 'import { login } from "./login.ts"\n\nlogin("you")\n')
  const author = ["-c", "user.name=Sample", "-c", "user.email=sample@example.invalid", "-c", "commit.gpgsign=false"]
  for (const args of [
    ["init", "-q"],
    ["add", "."],
    [...author, "commit", "-q", "-m", `Start ${folder}`],
  ]) {
    const { exitCode, stderr } = Bun.spawnSync(["git", ...args], { cwd: folder, env })
    if (exitCode !== 0) throw new Error(`git ${args.at(-1)} failed: ${stderr.toString()}`)
  }
  return folder
}
