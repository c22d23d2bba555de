/** Hosts that run plugins in Node have no workers for us: there the same runs are driven inline, on the packed bundle. */

import { expect, test } from "bun:test"
import { copyFileSync, readdirSync, readFileSync, symlinkSync } from "node:fs"
import { join, resolve } from "node:path"
import { pathToFileURL } from "node:url"

import { basicAuth } from "../../src/adapters/opencode-server.ts"
import { converse, launch, taskIn, until } from "../helpers/conversation.ts"
import { startOpenCode } from "../helpers/opencode.ts"
import { packPlugin } from "../helpers/packed-plugin.ts"

test("under Node the plugin drives its tasks inline to their ends, and says so once", async () => {
  using packed = packPlugin()
  await using oc = await startOpenCode()
  const c = await converse(oc)
  await c.turn([{ text: "hello" }])
  const host = join(oc.home.root, "host.mjs")
  copyFileSync(resolve(import.meta.dir, "../helpers/node-host.mjs"), host)
  symlinkSync(resolve(import.meta.dir, "../../node_modules"), join(oc.home.root, "node_modules"))
  const calls = [
    launch("n1", [{ wait: 300, text: "in the background" }]),
    launch("n2", [{ tools: [{ name: "grep", args: { pattern: "login" } }] }, { text: "in the foreground" }], {
      run_in_background: false,
    }),
    { name: "(told)", args: { notices: 1 } },
    { name: "background_output", args: { task_id: "{{task}}", block: true, timeout: 30_000 } },
    launch("n3", [{ status: 400, message: "model exploded" }], { run_in_background: false }),
    launch("n4", [{ hang: true }]),
    { name: "background_cancel", args: { all: true } },
  ]
  await using node = Bun.spawn(["node", host], {
    cwd: oc.directory,
    env: {
      ...oc.home.env,
      PLUGIN: pathToFileURL(join(packed.directory, "dist", "server.js")).href,
      URL: oc.url,
      AUTH: basicAuth(oc.password),
      DIRECTORY: oc.directory,
      SESSION: c.id,
      CALLS: JSON.stringify(calls.map(({ name, args }) => [name, args])),
    },
    stdout: "pipe",
    stderr: "pipe",
  })
  const [out, err, code] = await Promise.all([
    new Response(node.stdout).text(),
    new Response(node.stderr).text(),
    node.exited,
  ])
  // It ends by itself: once nobody has come back for a while, nothing of ours keeps a host alive. And nothing was written.
  expect({ code, err }).toEqual({ code: 0, err: "" })
  const {
    answers,
    shown,
    untouched,
    agents,
    node: version,
  } = JSON.parse(out) as {
    answers: string[]
    shown: number
    untouched: boolean
    agents: string[]
    node: string
  }
  expect(version).toMatch(/^v\d+/)
  // A host's handlers of signals and errors are its own.
  expect(untouched).toBe(true)
  expect(agents).toEqual(["librarian", "oracle", "momus"])
  expect(answers[0]).toContain("Background task launched successfully.")
  expect(answers[1]).toContain("---\n\nin the foreground")
  expect(answers[2]).toContain("---\n\nin the background")
  expect(answers[3]).toMatch(/\| Reason \| SESSION_ERROR: .*model exploded/)
  expect(answers[5]).toContain("Cancelled 1 background task(s):")
  expect(shown).toBeGreaterThan(0)
  await until(async () => oc.model.inFlight("n4") === 0)
  expect(["n1", "n2", "n3"].map((id) => oc.model.calls(id).length)).toEqual([1, 2, 1])
  expect((await c.notices()).map(({ text }) => text)).toEqual([
    expect.stringContaining(`${taskIn(answers[0])} completed`),
  ])
  const lines = logOf(oc.home.root).split("\n")
  expect(lines.filter((line) => line.includes("runs are driven on the main thread"))).toHaveLength(1)
  expect(lines.filter((line) => /opencode-lanes sees in .*; Node \d\S+, without workers/.test(line))).toHaveLength(1)
}, 90_000)

function logOf(root: string): string {
  const folder = join(root, "data", "opencode", "log")
  return readdirSync(folder)
    .map((name) => readFileSync(join(folder, name), "utf8"))
    .join("\n")
}
