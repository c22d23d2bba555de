import { expect, test } from "bun:test"
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { findBinary } from "../../src/adapters/opencode-binary.ts"
import { makePrivateHome } from "../../src/cli/demo/private-home.ts"
import { hostFiles } from "../../src/cli/host-files.ts"
import { run } from "../helpers/command.ts"

/** A list in each place where OpenCode might look for one. */
const PLACES = [
  "config/opencode/config.json",
  "config/opencode/opencode.json",
  "config/opencode/opencode.jsonc",
  "home/.opencode/opencode.json",
  "extra/opencode.json",
  "extra/opencode.jsonc",
  "extra/config.json",
  "one.json",
  "projects/opencode.json",
  "projects/p/opencode.json",
  "projects/p/opencode.jsonc",
  "projects/p/config.json",
  "projects/p/a/opencode.json",
  "projects/p/a/b/opencode.jsonc",
  "projects/p/.opencode/opencode.jsonc",
  "projects/p/a/.opencode/opencode.json",
  "projects/p/a/b/c/opencode.json",
]
const listed = (place: string): string => `file:///nowhere/${place}`

test("reads the lists that OpenCode reads, in its order", async () => {
  using home = makePrivateHome({ model: { baseURL: () => "http://127.0.0.1:9" }, projectConfig: true })
  const at = (place: string): string => join(home.root, place)
  const write = (place: string, text: string): void => {
    mkdirSync(dirname(at(place)), { recursive: true })
    writeFileSync(at(place), text)
  }
  for (const place of PLACES) write(place, JSON.stringify({ plugin: [listed(place)] }))
  write("projects/p/opencode.json", `\uFEFF${JSON.stringify({ plugin: [listed("with a mark")] })}`)
  write("projects/p/a/opencode.json", '{ "plugin": ["file:///nowhere/1"], "plugin": ["file:///nowhere/2"] }')
  const directory = at("projects/p/a/b")
  Bun.spawnSync(["git", "init", "-q"], { cwd: at("projects/p"), env: home.env })
  const env = {
    ...home.env,
    OPENCODE_CONFIG: at("one.json"),
    OPENCODE_CONFIG_DIR: at("extra"),
    OPENCODE_CONFIG_CONTENT: JSON.stringify({ plugin: [listed("content")] }),
  }
  const compare = async (more: Record<string, string> = {}): Promise<number> => {
    // A pipe may be cut: OpenCode does not wait for it to be read.
    const shell = ["sh", "-c", `"$0" debug config > "$1"`, findBinary({ env }), at("said.json")]
    expect(await run(shell, { cwd: directory, env: { ...env, ...more } })).toMatchObject({ exitCode: 0 })
    const { plugin } = JSON.parse(readFileSync(at("said.json"), "utf8")) as { plugin: string[] }
    expect(hostFiles(directory, { ...env, ...more }).flatMap(({ plugins }) => plugins ?? [])).toEqual(plugin)
    return plugin.length
  }
  expect(await compare()).toBe(12)
  // In the user's own folder, and only there, a list takes the place of that before it.
  rmSync(at("config/opencode/opencode.jsonc"))
  write("config/opencode/opencode.jsonc", "{}")
  expect(await compare({ OPENCODE_DISABLE_PROJECT_CONFIG: "1" })).toBe(6)
}, 30_000)

test("names what cannot be read, and goes on", () => {
  using home = makePrivateHome({ model: { baseURL: () => "http://127.0.0.1:9" }, projectConfig: true })
  const file = join(home.projects, "opencode.json")
  const troubleOf = (text: string): string | undefined => {
    writeFileSync(file, text)
    writeFileSync(`${file}c`, '{ "plugin": ["opencode-lanes"] }')
    const files = hostFiles(home.projects, home.env)
    expect(files.some(({ ours }) => ours === "opencode-lanes")).toBe(true)
    return files.find(({ trouble }) => trouble !== undefined)?.trouble
  }
  expect(troubleOf("[]")).toBe(`${file}: this is not an object`)
  expect(troubleOf('{\n  "plugin": [')).toBe(`${file}:2: this is not valid JSON with comments`)
  expect(troubleOf('{ "plugin": "opencode-lanes" }')).toBe(`${file}: "plugin" is to be a list`)
  expect(troubleOf("")).toBeUndefined()
  rmSync(file)
  mkdirSync(file)
  expect(hostFiles(home.projects, home.env).map(({ trouble }) => trouble)).toContainEqual(
    expect.stringContaining(`${file} cannot be read: EISDIR`),
  )
})
