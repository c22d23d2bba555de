/** `"plugin": ["opencode-lanes"]`: OpenCode itself fetches the package from a registry, here one on the loopback. */

import { expect, test } from "bun:test"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"

import { LANES, run } from "../helpers/command.ts"
import { converse, launch, taskIn, until } from "../helpers/conversation.ts"
import { startOpenCode } from "../helpers/opencode.ts"
import { packPlugin } from "../helpers/packed-plugin.ts"
import { stubRegistry } from "../helpers/stub-registry.ts"

test("lanes init lists it by its name, OpenCode installs it, a task runs to its end, and doctor says what is loaded", async () => {
  using packed = packPlugin()
  using registry = stubRegistry(packed)
  await using oc = await startOpenCode({
    env: { npm_config_offline: "false", npm_config_registry: registry.url, npm_config_audit: "false" },
  })
  const env = { ...oc.home.env, OPENCODE_SERVER_PASSWORD: oc.password, LANES_SERVER: oc.url }
  expect(await run([...LANES, "init", "--global"], { cwd: oc.directory, env })).toMatchObject({ exitCode: 0 })
  const listed = JSON.parse(readFileSync(join(oc.home.configFolder, "opencode.json"), "utf8")) as { plugin: unknown }
  expect(listed.plugin).toEqual(["opencode-lanes"])
  const c = await converse(oc)
  const answer = await c.call("delegate_task", launch("installed", [{ text: "from the registry" }]).args)
  expect(answer).toContain("Background task launched successfully.")
  await c.told(1)
  expect(await c.call("background_output", { task_id: taskIn(answer) })).toContain("---\n\nfrom the registry")
  const [call] = oc.model.calls("installed")
  expect(call?.tools).not.toContain("delegate_task")
  const installed = join(
    oc.home.root,
    "cache/opencode/packages/opencode-lanes@latest/node_modules/opencode-lanes/dist/server.js",
  )
  expect(existsSync(installed)).toBe(true)
  // Self-contained: nothing else is fetched for it.
  expect(new Set(registry.asked.filter((path) => !path.startsWith("/opencode-lanes")))).toEqual(new Set())

  await until(async () => logOf(oc.home.root).includes("opencode-lanes sees in"))
  const { stdout } = await run([...LANES, "doctor", "--json"], { cwd: oc.directory, env })
  const { findings } = JSON.parse(stdout) as { findings: { area: string; mark: string; sentence: string }[] }
  const said = findings.filter(({ area }) => area === "plugin").map(({ mark, sentence }) => `${mark} ${sentence}`)
  const { version } = JSON.parse(readFileSync(join(packed.directory, "package.json"), "utf8")) as { version: string }
  expect(said).toEqual([
    expect.stringMatching(/^ok .*opencode\.json lists "opencode-lanes": version \S+ in .*\/opencode-lanes$/),
    expect.stringContaining(`ok OpenCode loaded version ${version} from ${installed} (`),
    expect.stringMatching(
      new RegExp(
        `^ok it sees in ${oc.directory}: lanes default \\d+.*; set by .*opencode-lanes\\.json; ` +
          "tools delegate_task, background_output, background_cancel; Bun 1\\.3\\.\\d+, with workers$",
      ),
    ),
  ])
}, 90_000)

function logOf(root: string): string {
  const folder = join(root, "data", "opencode", "log")
  return readdirSync(folder)
    .map((name) => readFileSync(join(folder, name), "utf8"))
    .join("\n")
}
