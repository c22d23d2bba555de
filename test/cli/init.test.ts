import { afterAll, beforeEach, describe, expect, test } from "bun:test"
import { chmodSync, chownSync, existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync } from "node:fs"
import { rmSync, statSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"

const MAIN = resolve(import.meta.dir, "../../src/cli/main.ts")
const root = mkdtempSync(join(tmpdir(), "lanes-init-"))
const RECOMMENDED = { defaultConcurrency: 5, providerConcurrency: { anthropic: 3, openai: 2 } }
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
  return initIn(project, {}, ...args)
}

function initIn(
  cwd: string,
  more: Record<string, string>,
  ...args: string[]
): { code: number; output: string; errors: string } {
  const env = { PATH: process.env["PATH"] ?? "", HOME: root, XDG_CONFIG_HOME: join(own, ".."), ...more }
  const { exitCode, stdout, stderr } = Bun.spawnSync([process.execPath, MAIN, "init", ...args], { cwd, env })
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
  expect(Bun.JSONC.parse(readFileSync(join(own, "opencode-lanes.json"), "utf8"))).toEqual({
    $schema: expect.any(String),
    ...RECOMMENDED,
  })
  expect(existsSync(join(own, "opencode.json"))).toBe(false)
})

test("--global writes for all projects; limits somebody has set stay alone", () => {
  writeFileSync(join(own, "oh-my-opencode.json"), '{ "background_task": { "defaultConcurrency": 2 } }')
  const { code, output } = init("--global")
  expect(code).toBe(0)
  expect(output).toContain(`${join(own, "oh-my-opencode.json")} sets limits already.`)
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

describe("limits in a file that sets others", () => {
  test("none: they are added, the rest stays", () => {
    const file = join(own, "opencode-lanes.jsonc")
    writeFileSync(file, '{\n  // one by one\n  "wake": "each",\n}\n')
    expect(init().output).toContain(`${file}: recommended limits added.`)
    const text = readFileSync(file, "utf8")
    expect(text).toContain("// one by one")
    expect(Bun.JSONC.parse(text)).toEqual({ wake: "each", ...RECOMMENDED })
    expect(existsSync(join(own, "opencode-lanes.json"))).toBe(false)
  })

  test("one, even for a model alone: it stays the only one", () => {
    const file = join(own, "opencode-lanes.json")
    const text = '{ "modelConcurrency": { "openai/gpt-5.2": 1 } }'
    writeFileSync(file, text)
    expect(init().output).toContain(`${file} sets limits already.`)
    expect(readFileSync(file, "utf8")).toBe(text)
  })
})

test("a folder that is not there is not made", () => {
  const { code, errors } = init("--dir", "typo/nosuch")
  expect(code).toBe(2)
  expect(errors).toContain(`there is no folder ${join(project, "typo/nosuch")}`)
  expect(existsSync(join(project, "typo"))).toBe(false)
})

describe("a file stays what it was", () => {
  test("a link: what it leads to is written, with its mode and owner", () => {
    const real = join(own, "dotfiles.json")
    const link = join(project, "opencode.json")
    writeFileSync(real, "{}")
    chmodSync(real, 0o600)
    const user = process.getuid?.() === 0 ? 65_534 : statSync(real).uid
    chownSync(real, user, statSync(real).gid)
    symlinkSync(real, link)
    expect(init().code).toBe(0)
    expect(lstatSync(link).isSymbolicLink()).toBe(true)
    expect(JSON.parse(readFileSync(real, "utf8"))).toEqual({ plugin: ["opencode-lanes"] })
    expect({ mode: statSync(real).mode & 0o777, user: statSync(real).uid }).toEqual({ mode: 0o600, user })
    expect(readdirSync(own).toSorted()).toEqual(["dotfiles.json", "opencode-lanes.json"])
  })

  test("read-only: it is left alone, and nothing else is written", () => {
    const file = join(project, "opencode.json")
    writeFileSync(file, "{}")
    chmodSync(file, 0o444)
    const { code, errors } = init()
    expect(code).toBe(1)
    expect(errors).toContain(`${file} is read-only`)
    expect(readFileSync(file, "utf8")).toBe("{}")
    expect(readdirSync(own)).toEqual([])
  })

  test("a link that leads nowhere", () => {
    const link = join(project, "opencode.json")
    symlinkSync(join(own, "nowhere.json"), link)
    expect(init().errors).toContain(`${link} is a link that leads nowhere`)
    expect(lstatSync(link).isSymbolicLink()).toBe(true)
  })

  test("a comment in an empty list", () => {
    const file = join(project, "opencode.json")
    writeFileSync(file, '{\n  "plugin": [ // "opencode-lanes"\n  ]\n}\n')
    expect(init().code).toBe(0)
    const text = readFileSync(file, "utf8")
    expect(text).toContain('// "opencode-lanes"')
    expect(Bun.JSONC.parse(text)).toEqual({ plugin: ["opencode-lanes"] })
  })
})

describe("what OpenCode reads already is not added again", () => {
  const LISTS = '{ "plugin": ["opencode-lanes"] }'

  test.each([
    ["above, in the project", () => join(project, "opencode.json")],
    ["beside a file that does not list it", () => join(project, "a", "b", "opencode.json")],
    ["in a folder .opencode", () => join(project, ".opencode", "opencode.json")],
    ["in the user's folder", () => join(own, "opencode.jsonc")],
  ])("%s", (_what, place) => {
    const directory = join(project, "a", "b")
    for (const folder of [directory, join(project, ".opencode")]) mkdirSync(folder, { recursive: true })
    const beside = join(directory, "opencode.jsonc")
    writeFileSync(beside, '{ "plugin": ["other"] }')
    writeFileSync(place(), LISTS)
    const files = readdirSync(directory)
    const { code, output } = initIn(directory, {})
    expect({ code, output }).toEqual({
      code: 0,
      output: expect.stringContaining(`${place()} lists the plugin already.`) as string,
    })
    expect(readFileSync(beside, "utf8")).toBe('{ "plugin": ["other"] }')
    expect(readdirSync(directory)).toEqual(files)
  })

  test("in the user's folder beside that of OPENCODE_CONFIG_DIR", () => {
    writeFileSync(join(own, "opencode.json"), LISTS)
    const extra = join(own, "..", "extra")
    const { output } = initIn(project, { OPENCODE_CONFIG_DIR: extra }, "--global")
    expect(output).toContain(`${join(own, "opencode.json")} lists the plugin already.`)
    expect(existsSync(join(extra, "opencode.json"))).toBe(false)
  })

  test("as the path of the plugin's own file", () => {
    const file = join(project, "opencode.json")
    writeFileSync(file, '{ "plugin": ["file:///somewhere/opencode-lanes/dist/server.js"] }')
    expect(init().output).toContain(`${file} lists the plugin already.`)
  })

  test("in a project, --global still writes for all of them", () => {
    writeFileSync(join(project, "opencode.json"), LISTS)
    expect(init("--global").output).toContain(`${join(own, "opencode.json")}: the plugin opencode-lanes added.`)
  })
})

test("in the user's folder the list that counts is added to", () => {
  writeFileSync(join(own, "config.json"), "{}")
  writeFileSync(join(own, "opencode.json"), '{ "plugin": ["other"] }')
  writeFileSync(join(own, "opencode.jsonc"), "{}")
  expect(init("--global").code).toBe(0)
  expect(JSON.parse(readFileSync(join(own, "opencode.json"), "utf8"))).toEqual({ plugin: ["other", "opencode-lanes"] })
})

test("a mark of the byte order is no error", () => {
  const file = join(project, "opencode.json")
  writeFileSync(file, "\uFEFF{}")
  expect(init().code).toBe(0)
  expect(Bun.JSONC.parse(readFileSync(file, "utf8"))).toEqual({ plugin: ["opencode-lanes"] })
})

test.each([
  ["no object", "[]", "this is not an object"],
  [
    "the key twice, of which OpenCode takes the last",
    '{ "plugin": ["a"], "plugin": [] }',
    '"plugin" stands there twice',
  ],
])("%s: the file is left alone, and named", (_what, text, says) => {
  const file = join(project, "opencode.json")
  writeFileSync(file, text)
  const { code, errors } = init()
  expect(code).toBe(1)
  expect(errors).toContain(file)
  expect(errors).toContain(says)
  expect(readFileSync(file, "utf8")).toBe(text)
})
