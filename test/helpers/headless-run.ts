/** `opencode run` with the packed plugin and a scripted model. */

import { mkdirSync } from "node:fs"
import { join } from "node:path"
import { findBinary } from "../../src/adapters/opencode-binary.ts"
import { makePrivateHome } from "../../src/cli/demo/private-home.ts"
import { startScriptedModel } from "../../src/cli/demo/scripted-model.ts"
import type { ScriptedModel } from "../../src/cli/demo/scripted-model.ts"
import { packPlugin } from "./packed-plugin.ts"

export interface HeadlessHome extends AsyncDisposable {
  readonly model: ScriptedModel
  /** Starts `opencode run` with this prompt on its standard input. */
  run(prompt: string): HeadlessRun
}

export interface HeadlessRun {
  readonly pid: number
  readonly exited: Promise<number>
  readonly output: Promise<string>
  readonly errors: Promise<string>
  interrupt(): void
}

export function headlessHome(settings: Record<string, unknown> = {}): HeadlessHome {
  using undo = new DisposableStack()
  const packed = undo.use(packPlugin())
  const model = undo.adopt(startScriptedModel(), (started) => void started[Symbol.asyncDispose]())
  const home = undo.use(makePrivateHome({ model, plugins: [[packed.directory, settings]] }))
  const directory = join(home.projects, "project")
  mkdirSync(directory)
  Bun.spawnSync(["git", "init", "-q"], { cwd: directory, env: home.env })
  const children = new Set<ReturnType<typeof start>>()
  const start = (prompt: string) =>
    Bun.spawn([findBinary(), "run"], {
      cwd: directory,
      env: home.env,
      stdin: new Blob([prompt]),
      stdout: "pipe",
      stderr: "pipe",
    })
  const resources = undo.move()
  return {
    model,
    run(prompt) {
      const child = start(prompt)
      children.add(child)
      return {
        pid: child.pid,
        exited: child.exited,
        output: new Response(child.stdout).text(),
        errors: new Response(child.stderr).text(),
        interrupt: () => child.kill("SIGINT"),
      }
    },
    async [Symbol.asyncDispose]() {
      for (const child of children) {
        child.kill("SIGKILL")
        await child.exited
      }
      resources.dispose()
    },
  }
}
