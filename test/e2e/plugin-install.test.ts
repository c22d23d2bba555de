/** `"plugin": ["opencode-lanes"]`: OpenCode itself fetches the package from a registry, here one on the loopback. */

import { expect, test } from "bun:test"
import { existsSync } from "node:fs"
import { join } from "node:path"

import { converse, launch, taskIn } from "../helpers/conversation.ts"
import { startOpenCode } from "../helpers/opencode.ts"
import { packPlugin } from "../helpers/packed-plugin.ts"
import { stubRegistry } from "../helpers/stub-registry.ts"

test("by its bare name it is installed, its tools are offered, and a task runs to its end", async () => {
  using packed = packPlugin()
  using registry = stubRegistry(packed)
  await using oc = await startOpenCode({
    plugins: ["opencode-lanes"],
    env: { npm_config_offline: "false", npm_config_registry: registry.url, npm_config_audit: "false" },
  })
  const c = await converse(oc)
  const answer = await c.call("delegate_task", launch("installed", [{ text: "from the registry" }]).args)
  expect(answer).toContain("Background task launched successfully.")
  await c.told(1)
  expect(await c.call("background_output", { task_id: taskIn(answer) })).toContain("---\n\nfrom the registry")
  const [call] = oc.model.calls("installed")
  expect(call?.tools).not.toContain("delegate_task")
  const installed = join(oc.home.root, "cache/opencode/packages/opencode-lanes@latest/node_modules")
  expect(existsSync(join(installed, "opencode-lanes/dist/session-worker.js"))).toBe(true)
  // Self-contained: nothing else is fetched for it.
  expect(new Set(registry.asked.filter((path) => !path.startsWith("/opencode-lanes")))).toEqual(new Set())
}, 90_000)
