/** Which server `run`, `batch`, `resume` and `doctor` work on when none is named: one that runs where OpenCode's usually does. */
import { afterEach, expect, test } from "bun:test"
import { createLanes } from "../../src/index.ts"
import { chooseServer } from "../../src/cli/choose-server.ts"
import type { ChosenServer } from "../../src/cli/choose-server.ts"
import { serverFindings } from "../../src/cli/doctor/opencode.ts"
import { scripted, useOpenCode } from "../helpers/opencode.ts"

const oc = useOpenCode()
const said: string[] = []
afterEach(() => void said.splice(0))

/** Chooses as on a machine whose OpenCode, if it has one, listens at `usual`. */
function choose(usual: string, env: Record<string, string> = {}, wanted?: string): Promise<ChosenServer> {
  return chooseServer(wanted, (sentence) => void said.push(sentence), { usual, env })
}

test("an OpenCode that lets us in there is found, named, and worked on", async () => {
  const chosen = await choose(oc.url, { OPENCODE_SERVER_PASSWORD: oc.password })
  expect(chosen).toEqual({ whose: "found", address: oc.url, lanes: { server: oc.url } })
  expect(said).toEqual([`Using the OpenCode at ${oc.url}; --server spawn starts one apart.`])
  await using lanes = await createLanes({
    ...chosen.lanes,
    password: oc.password,
    directory: oc.directory,
    journal: false,
    configFiles: false,
  })
  const prompt = scripted("Find it.", { id: "found", turns: [{ text: "found you" }] })
  const { done } = await lanes.launch({ prompt, agent: "general" })
  expect(await done).toMatchObject({ state: "completed", text: "found you" })
})

test("doctor says where it is and that it answers", async () => {
  const env = { OPENCODE_SERVER_PASSWORD: oc.password }
  const chosen = await choose(oc.url, env)
  Object.assign(process.env, env)
  try {
    const [first] = await serverFindings(chosen, oc.directory, undefined, AbortSignal.timeout(10_000))
    expect(first).toMatchObject({ area: "server", mark: "ok" })
    expect(first?.sentence).toMatch(new RegExp(`^${oc.url} answers: OpenCode 1\\.18\\.33, \\d+ ms away$`))
  } finally {
    delete process.env["OPENCODE_SERVER_PASSWORD"]
  }
})

test("one that does not let us in is nobody's to use: a server of one's own", async () => {
  expect((await choose(oc.url, { OPENCODE_SERVER_PASSWORD: "wrong" })).whose).toBe("spawned")
  expect(said).toEqual([])
})

test("a stranger on that port is not OpenCode, and one that never answers is not waited for", async () => {
  using stranger = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response("a page") })
  expect((await choose(stranger.url.origin)).whose).toBe("spawned")
  using silent = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Promise<Response>(() => {}) })
  expect((await choose(silent.url.origin)).whose).toBe("spawned")
  await silent.stop(true)
  expect(said).toEqual([])
})

test("what is named is never looked for: by the option, then by LANES_SERVER", async () => {
  const env = { OPENCODE_SERVER_PASSWORD: oc.password, LANES_SERVER: "http://user:secret@127.0.0.1:9/api" }
  expect((await choose(oc.url, env, "spawn")).whose).toBe("spawned")
  expect((await choose(oc.url, { ...env, LANES_SERVER: "spawn" })).whose).toBe("spawned")
  const named = await choose(oc.url, env)
  expect(named).toMatchObject({ whose: "named", address: "http://127.0.0.1:9/api" })
  expect(said).toEqual([])
})
