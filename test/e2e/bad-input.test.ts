import { expect, test } from "bun:test"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

import type { CreateOptions } from "../../src/index.ts"
import { createLanes, LanesError } from "../../src/index.ts"
import { lanesOn } from "../helpers/lanes.ts"
import { useOpenCode } from "../helpers/opencode.ts"

const oc = useOpenCode()

/** The error a call ends with: always ours, one message that says what, where and what to do. */
async function refusal(call: () => Promise<unknown>): Promise<LanesError> {
  try {
    await call()
  } catch (thrown) {
    if (thrown instanceof LanesError) return thrown
    throw thrown
  }
  throw new Error("it was not refused")
}

const create = (options: Partial<CreateOptions>): Promise<LanesError> =>
  refusal(() =>
    createLanes({ server: oc.url, password: oc.password, configFiles: false, journal: "memory", ...options }),
  )

test("a dead port", async () => {
  const error = await create({ server: "http://127.0.0.1:9" })
  expect(error.code).toBe("SERVER_UNREACHABLE")
  expect(error.message).toContain("opencode serve")
})

test("a server that is not OpenCode", async () => {
  using stranger = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response("<h1>hello</h1>") })
  const error = await create({ server: stranger.url.href })
  expect(error.code).toBe("SERVER_NOT_OPENCODE")
})

test("a wrong password", async () => {
  const error = await create({ password: "wrong" })
  expect(error.code).toBe("SERVER_AUTH")
  expect(error.message).toContain("OPENCODE_SERVER_PASSWORD")
})

test.each(["four", "ftp://x", ""])("an address that is none: %p", async (server) => {
  const error = await create({ server })
  expect(error.code).toBe("CONFIG_INVALID")
  expect(error.message).toContain("http://127.0.0.1:4096")
})

test.each([undefined, 4096, null])("a server that is no server: %p", async (server) => {
  expect((await create({ server: server as never })).code).toBe("INVALID_INPUT")
})

test("an option of a wrong type names the option, what was expected and what came", async () => {
  const error = await create({ config: { providerConcurrency: { anthropic: "three" } } as never })
  expect(error.code).toBe("CONFIG_INVALID")
  expect(error.message).toContain('providerConcurrency.anthropic: expected an integer ≥ 0, got "three"')
  expect(error.message).toContain("createLanes({ config })")
})

test("a configuration file with a syntax error names file, line and column", async () => {
  const folder = mkdtempSync(join(tmpdir(), "lanes-config-"))
  const before = process.env["OPENCODE_CONFIG_DIR"]
  try {
    writeFileSync(join(folder, "opencode-lanes.jsonc"), '{\n  "defaultConcurrency": 3\n  "maxSteps": 5\n}\n')
    process.env["OPENCODE_CONFIG_DIR"] = folder
    const error = await create({ configFiles: true })
    expect(error.code).toBe("CONFIG_INVALID")
    expect(error.message).toMatch(/opencode-lanes\.jsonc:3:\d+/)
  } finally {
    if (before === undefined) delete process.env["OPENCODE_CONFIG_DIR"]
    else process.env["OPENCODE_CONFIG_DIR"] = before
    rmSync(folder, { recursive: true })
  }
})

test.each([
  [{ prompt: "" }, "prompt"],
  [{ prompt: 5 }, "prompt"],
  [{ prompt: "x", description: 5 }, "description"],
  [{ prompt: "x", agent: "" }, "agent"],
  [{ prompt: "x", model: "no-slash" }, "model"],
  [{ prompt: "x", ttlMs: 10 }, "ttlMs"],
  [{ prompt: "x", ttlMs: Number.NaN }, "ttlMs"],
  [null, "launch"],
])("a launch of %p is refused, naming %s", async (input, what) => {
  await using t = await lanesOn(oc)
  const error = await refusal(() => t.lanes.launch(input as never))
  expect(error.code).toBe("INVALID_INPUT")
  expect(error.message).toStartWith(`${what}: expected`)
  expect(t.heard).toEqual([])
})

test("ids that do not exist and limits that are none", async () => {
  await using t = await lanesOn(oc)
  expect((await refusal(() => t.lanes.continue("bg_nothere1", "x"))).code).toBe("TASK_UNKNOWN")
  expect((await refusal(async () => t.lanes.cancel("bg_nothere1"))).code).toBe("TASK_UNKNOWN")
  expect((await refusal(() => t.lanes.done("bg_nothere1"))).code).toBe("TASK_UNKNOWN")
  expect((await refusal(async () => t.lanes.setLimits({ defaultConcurrency: 0 }))).message).toContain(
    "defaultConcurrency",
  )
  expect((await refusal(async () => t.lanes.setLimits({ providerConcurrency: { x: -1 } }))).message).toContain(
    "providerConcurrency.x",
  )
})

test("full queues and full conversations are typed refusals, at once", async () => {
  await using t = await lanesOn(oc, { config: { defaultConcurrency: 1, maxQueued: 1, maxPerRoot: 1 } })
  const turns = [{ hang: true }]
  await t.run({ id: "q1", turns })
  await t.run({ id: "q2", turns }, { parent: { sessionID: "ses_parent", batch: "msg_1" } })
  expect((await refusal(() => t.run({ id: "q3", turns }))).code).toBe("QUEUE_FULL")
  t.lanes.setLimits({ defaultConcurrency: 2 })
  expect(
    (await refusal(() => t.run({ id: "q4", turns }, { parent: { sessionID: "ses_parent", batch: "msg_2" } }))).code,
  ).toBe("PARENT_LIMIT")
})
