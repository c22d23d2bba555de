import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"

import { createOpencodeClient } from "@opencode-ai/sdk/v2/client"

import { basicAuth, startServer } from "../../src/adapters/opencode-server.ts"
import { makePrivateHome } from "../../src/cli/demo/private-home.ts"
import { startScriptedModel } from "../../src/cli/demo/scripted-model.ts"
import type { KillWorld } from "./kill-rounds.ts"

/** A real OpenCode with the scripted model, and a folder for journals: all of a soak's own, gone after it. */
export async function startWorld(): Promise<KillWorld & AsyncDisposable & { readonly pid: number }> {
  await using undo = new AsyncDisposableStack()
  const model = undo.use(startScriptedModel())
  const home = undo.use(makePrivateHome({ model }))
  const directory = join(home.projects, "soak")
  mkdirSync(directory, { recursive: true })
  writeFileSync(join(directory, "login.ts"), "export const login = 1\n")
  const server = undo.use(await startServer({ cwd: directory, env: home.env }))
  const client = createOpencodeClient({
    baseUrl: server.url,
    directory,
    headers: { authorization: basicAuth(server.password) },
  })
  const resources = undo.move()
  const folder = join(home.root, "journals")
  return {
    url: server.url,
    password: server.password,
    pid: server.pid,
    directory,
    folder,
    client,
    model,
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  }
}
