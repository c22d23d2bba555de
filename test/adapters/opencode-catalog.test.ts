import { describe, expect, test } from "bun:test"

import { nearNames } from "../../src/adapters/near-names.ts"
import { opencodeCatalog } from "../../src/adapters/opencode-catalog.ts"
import type { Transport } from "../../src/coordinator/ports.ts"
import { LanesError } from "../../src/core/errors.ts"
import { codeOf } from "../helpers/code-of.ts"
import { ManualClock } from "../helpers/manual-clock.ts"

const AGENTS = [
  { name: "build", mode: "primary", hidden: null },
  { name: "title", mode: "primary", hidden: true },
  { name: "general", mode: "subagent", hidden: null, model: null },
  { name: "explore", mode: "subagent" },
  { name: "Oracle", mode: "all", model: { providerID: "globex", modelID: "large" } },
  { name: "secret", mode: "subagent", hidden: true },
  { name: "broken", mode: "subagent", model: { providerID: "acme", modelID: "gone" } },
]
const PROVIDERS = {
  providers: [
    { id: "acme", models: { fast: {}, deep: {} } },
    { id: "globex", models: { large: {}, "deep/er": {} } },
  ],
}

type Answers = Record<string, unknown>

/** A server whose answers can be changed, and that can be silent. */
function scene(answers: Answers = {}) {
  const clock = new ManualClock()
  const has: Answers = {
    "/agent": AGENTS,
    "/config": { model: "acme/fast" },
    "/config/providers": PROVIDERS,
    ...answers,
  }
  const state = { has, asked: 0, silent: false, status: 200 }
  const transport: Transport = {
    fetch: ({ path }) => {
      state.asked += 1
      if (state.silent) return new Promise(() => {})
      const body = JSON.stringify(has[path.split("?", 1)[0] ?? ""])
      return Promise.resolve({ status: state.status, headers: {}, body })
    },
  }
  const catalog = opencodeCatalog({ transport, clock })
  const resolve = (request: { agent?: string; model?: string; parentModel?: string } = {}) =>
    catalog.resolve({ directory: "/a", ...request })
  const said = async (request: { agent?: string; model?: string }): Promise<string> =>
    String(await resolve(request).catch((thrown: unknown) => thrown))
  return { clock, state, catalog, resolve, said }
}

/** Lets everything that is ready happen. */
async function settle(): Promise<void> {
  for (let i = 0; i < 10; i++) await new Promise((resolve) => setImmediate(resolve))
}

describe("agents", () => {
  test("match without case, and get their exact name", async () => {
    const { resolve } = scene()
    expect((await resolve({ agent: "EXPLORE" })).agent).toBe("explore")
    expect((await resolve({ agent: "oracle" })).agent).toBe("Oracle")
  })

  test("that do not exist are AGENT_UNKNOWN, with those that can be called", async () => {
    const { resolve, said } = scene()
    expect(await codeOf(resolve({ agent: "explorer" }))).toBe("AGENT_UNKNOWN")
    const sentence = await said({ agent: "explorer" })
    expect(sentence).toContain("Oracle, broken, explore, general")
    expect(sentence).not.toMatch(/build|title|secret/)
  })

  test("that lead conversations are AGENT_PRIMARY; hidden ones can be called by name", async () => {
    const { resolve } = scene()
    expect(await codeOf(resolve({ agent: "Build" }))).toBe("AGENT_PRIMARY")
    expect((await resolve({ agent: "secret" })).agent).toBe("secret")
  })

  test("not named are `general`, where there is one to delegate to", async () => {
    expect((await scene().resolve()).agent).toBe("general")
    expect(await scene({ "/agent": [AGENTS[0]] }).resolve()).toEqual({ model: "acme/fast" })
    expect(await scene({ "/agent": [{ name: "general", mode: "primary" }] }).resolve()).not.toHaveProperty("agent")
  })
})

describe("models", () => {
  test("are the task's own, else the agent's, else the parent's, else the server's", async () => {
    const { resolve } = scene()
    const all = { agent: "oracle", model: "acme/deep", parentModel: "acme/fast" }
    expect((await resolve(all)).model).toBe("acme/deep")
    expect((await resolve({ agent: "oracle", parentModel: "acme/fast" })).model).toBe("globex/large")
    expect((await resolve({ agent: "explore", parentModel: "globex/deep/er" })).model).toBe("globex/deep/er")
    expect((await resolve({ agent: "explore" })).model).toBe("acme/fast")
    expect(await scene({ "/config": {} }).resolve()).not.toHaveProperty("model")
  })

  test("that do not exist are MODEL_UNKNOWN, with near ones", async () => {
    const { resolve, said } = scene()
    expect(await codeOf(resolve({ model: "acme/fst" }))).toBe("MODEL_UNKNOWN")
    expect(await said({ model: "acme/fst" })).toContain("Did you mean acme/fast")
    expect(await said({ model: "large" })).toMatch(/provider\/model.*globex\/large/)
    expect(await said({ model: "entirely/different-name" })).toContain("acme, globex")
    expect(await said({ agent: "broken" })).toContain('"broken" is set to the model "acme/gone"')
  })

  test("of a parent or a default that is gone are left out", async () => {
    expect((await scene().resolve({ parentModel: "acme/gone" })).model).toBe("acme/fast")
    expect(await scene({ "/config": { model: "acme/gone" } }).resolve()).toEqual({ agent: "general" })
  })
})

describe("reading", () => {
  test("happens once for all who wait, and not again while fresh", async () => {
    const { clock, state, resolve, catalog } = scene()
    await Promise.all([resolve(), resolve(), resolve()])
    expect(state.asked).toBe(3)
    clock.advance(29_000)
    await resolve()
    expect(state.asked).toBe(3)
    await catalog.resolve({ directory: "/b" })
    expect(state.asked).toBe(6)
  })

  test("an old answer is used at once, and replaced in the background", async () => {
    const { clock, state, resolve } = scene()
    await resolve()
    state.has["/config"] = { model: "acme/deep" }
    clock.advance(30_000)
    expect((await resolve()).model).toBe("acme/fast")
    await settle()
    expect((await resolve()).model).toBe("acme/deep")
  })

  test("an old answer is good enough while the server is silent", async () => {
    const { clock, state, resolve } = scene()
    await resolve()
    state.silent = true
    clock.advance(300_000)
    expect(await resolve()).toEqual({ agent: "general", model: "acme/fast" })
  })

  test("what is not found is looked for once more: an agent added a moment ago", async () => {
    const { state, resolve } = scene()
    await resolve()
    state.has["/agent"] = [...AGENTS, { name: "fresh", mode: "subagent" }]
    expect((await resolve({ agent: "fresh" })).agent).toBe("fresh")
  })

  test("a first answer that does not come is CATALOG_UNAVAILABLE after 5 s, and asked for again", async () => {
    const { clock, state, resolve } = scene()
    state.silent = true
    const code = codeOf(resolve())
    clock.advance(5_000)
    expect(await code).toBe("CATALOG_UNAVAILABLE")
    expect(clock.pending).toBe(0)
    state.silent = false
    expect((await resolve()).agent).toBe("general")
  })

  test.each([
    ["a password", 401, {}],
    ["a failure", 500, {}],
    ["agents that are none", 200, { "/agent": {} }],
    ["models that are none", 200, { "/config/providers": [] }],
    ["no config", 200, { "/config": null }],
  ])("%s is CATALOG_UNAVAILABLE", async (_what, status, answers) => {
    const { state, resolve } = scene(answers)
    state.status = status
    expect(await codeOf(resolve())).toBe("CATALOG_UNAVAILABLE")
  })

  test("an unreachable server is CATALOG_UNAVAILABLE, in its own words", async () => {
    const transport = { fetch: () => Promise.reject(new LanesError("SERVER_UNREACHABLE", "Nobody is at home.")) }
    const catalog = opencodeCatalog({ transport, clock: new ManualClock() })
    const error: unknown = await catalog.resolve({ directory: "/a" }).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: "CATALOG_UNAVAILABLE" })
    expect(String(error)).toContain("Nobody is at home.")
  })

  test("strange entries are left out, the rest is used", async () => {
    const agents = [null, 7, { mode: "subagent" }, ...AGENTS]
    const { resolve } = scene({
      "/agent": agents,
      "/config/providers": { providers: [null, { id: "acme", models: { fast: {} } }] },
    })
    expect(await resolve()).toEqual({ agent: "general", model: "acme/fast" })
  })
})

test("near names are the nearest first, and none when nothing is near", () => {
  const names = ["acme/fast", "acme/deep", "globex/large", "globex/deep"]
  expect(nearNames("deep", names)).toEqual(["acme/deep", "globex/deep"])
  expect(nearNames("ACME/FAST", names)[0]).toBe("acme/fast")
  expect(nearNames("acme/deap", names)[0]).toBe("acme/deep")
  expect(nearNames("zzzzzzzz", names)).toEqual([])
})
