import { expect, test } from "bun:test"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

import type { AnyPart, Hooks } from "../../src/plugin/host-shapes.ts"
import plugin from "../../src/plugin/server.ts"

/** What an instance tells a turn that asks for ultrawork. */
async function toldBy(hooks: Hooks): Promise<string> {
  const message = { id: "msg_1", sessionID: "ses_1" }
  const parts: AnyPart[] = [{ ...message, id: "prt_1", messageID: "msg_1", type: "text", text: "ulw: mend it" }]
  await hooks["chat.message"](message, { message, parts })
  return parts
    .slice(1)
    .map((part) => ("text" in part ? part.text : ""))
    .join("\n")
}

test("each project's instance names its own tools, whatever those of the newest are called", async () => {
  using undo = new DisposableStack()
  const root = undo.adopt(mkdtempSync(join(tmpdir(), "lanes-instances-")), (made) => rmSync(made, { recursive: true }))
  const before = process.env["OPENCODE_CONFIG_DIR"]
  undo.defer(() => {
    if (before === undefined) delete process.env["OPENCODE_CONFIG_DIR"]
    else process.env["OPENCODE_CONFIG_DIR"] = before
  })
  process.env["OPENCODE_CONFIG_DIR"] = root
  const load = async (directory: string, plugins: string[]): Promise<Hooks> => {
    const hooks = await plugin.server({ client: {}, directory: join(root, directory), worktree: "" })
    await hooks.config({ plugin: plugins })
    return hooks
  }
  const [apart, usual] = [await load("a", ["oh-my-opencode"]), await load("b", [])]
  expect([apart, usual].map(({ tool }) => Object.keys(tool)[1])).toEqual(["lanes_output", "background_output"])
  expect(await toldBy(apart)).toMatch(/with lanes_delegate in[^]*with lanes_output/)
  expect(await toldBy(usual)).toMatch(/with delegate_task in[^]*with background_output/)
  await Promise.all([apart.dispose(), usual.dispose()])
})
