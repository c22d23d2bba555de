import { afterAll, beforeEach, expect, test } from "bun:test"
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"

const MAIN = resolve(import.meta.dir, "../../src/cli/main.ts")
const root = mkdtempSync(join(tmpdir(), "lanes-init-"))
let project = ""
let own = ""
let made = 0

beforeEach(() => {
  const folder = join(root, String((made += 1)))
  project = join(folder, "project")
  own = join(folder, "config", "opencode")
  for (const path of [project, own, join(project, ".git")]) mkdirSync(path, { recursive: true })
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

function init(...args: string[]): { code: number; output: string; errors: string } {
  const env = { PATH: process.env["PATH"] ?? "", HOME: root, XDG_CONFIG_HOME: join(own, "..") }
  const { exitCode, stdout, stderr } = Bun.spawnSync([process.execPath, MAIN, "init", ...args], { cwd: project, env })
  return { code: exitCode, output: stdout.toString(), errors: stderr.toString() }
}

test("adds the plugin beside what is there, comments and all, once", () => {
  const file = join(project, "opencode.jsonc")
  writeFileSync(file, '{\n  // mine\n  "plugin": ["other"], // keep\n}\n')
  expect(init().code).toBe(0)
  const once = readFileSync(file, "utf8")
  expect(once).toContain("// mine")
  expect(once).toContain("// keep")
  expect(Bun.JSONC.parse(once)).toEqual({ plugin: ["other", "opencode-lanes"] })
  expect(init().output).toContain("lists the plugin already")
  expect(readFileSync(file, "utf8")).toBe(once)
})

test("makes the files that are not there; limits go into the reader's own folder", () => {
  expect(init().code).toBe(0)
  expect(JSON.parse(readFileSync(join(project, "opencode.json"), "utf8"))).toMatchObject({ plugin: ["opencode-lanes"] })
  expect(Bun.JSONC.parse(readFileSync(join(own, "opencode-lanes.json"), "utf8"))).toMatchObject({
    defaultConcurrency: 5,
  })
  expect(existsSync(join(own, "opencode.json"))).toBe(false)
})

test("--global writes for all projects; limits somebody has set stay alone", () => {
  writeFileSync(join(own, "oh-my-opencode.json"), '{ "background_task": { "defaultConcurrency": 2 } }')
  expect(init("--global").code).toBe(0)
  expect(JSON.parse(readFileSync(join(own, "opencode.json"), "utf8"))).toMatchObject({ plugin: ["opencode-lanes"] })
  expect(existsSync(join(own, "opencode-lanes.json"))).toBe(false)
  expect(existsSync(join(project, "opencode.json"))).toBe(false)
})

test("--print writes nothing", () => {
  const { code, output } = init("--print")
  expect(code).toBe(0)
  expect(output).toContain('"opencode-lanes"')
  expect(existsSync(join(project, "opencode.json"))).toBe(false)
})

test("a file that cannot be read is left alone, and named with the line", () => {
  const file = join(project, "opencode.json")
  writeFileSync(file, '{\n  "plugin": [\n')
  const { code, errors } = init()
  expect(code).not.toBe(0)
  expect(errors).toContain(`${file}:3: this is not valid JSON`)
  expect(readFileSync(file, "utf8")).toBe('{\n  "plugin": [\n')
})
