import { afterEach, beforeEach, describe, expect, test } from "bun:test"
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { readJsonc } from "../../src/adapters/config-jsonc.ts"
import { LanesError } from "../../src/core/errors.ts"

let folder: string
let file: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lanes-jsonc-"))
  file = join(folder, "opencode-lanes.jsonc")
})

afterEach(() => rmSync(folder, { recursive: true, force: true }))

function refused(): string {
  try {
    readJsonc(file)
  } catch (thrown) {
    if (thrown instanceof LanesError && thrown.code === "CONFIG_INVALID") return thrown.message
    throw thrown
  }
  throw new Error("it was accepted")
}

describe("what is JSONC", () => {
  const accepted: [string, unknown][] = [
    ['{"a": 1}', { a: 1 }],
    ['\ufeff// one\n{ /* two */ "a": [1, 2,], "b": { "c": null, }, } // three', { a: [1, 2], b: { c: null } }],
    ["{}", {}],
    ["", undefined],
    [" \n// nothing but this\n", undefined],
    ["3", 3],
    ['{"a": 1, "a": 2}', { a: 2 }],
  ]
  for (const [text, value] of accepted) {
    test(`${JSON.stringify(text)} is read`, () => {
      writeFileSync(file, text)
      expect(readJsonc(file)).toEqual(value)
    })
  }

  const broken: [string, string][] = [
    ['{\n  "a": 1\n  "b": 2\n}', ":3:3: a comma is missing here."],
    ['{\r\n  "a": tru\r\n}', ":2:8: a word stands here that is no JSON; strings need double quotes."],
    ["{\n  a: 1\n}", ":2:3: a word stands here that is no JSON"],
    ['{ "a" 1 }', ":1:7: a colon is missing here, between key and value."],
    ['{ "a": }', ":1:8: a value is missing here."],
    ['{ "a": 1', ":1:9: a closing } is missing."],
    ['{ "a": [1', ":1:10: a closing ] is missing."],
    ['{} {"a": 1}', ":1:4: the file should end here, but more follows."],
    ['{ "a": "x\n" }', ":1:8: a string is not closed on its line."],
    ["{} /* open", ":1:4: a comment is opened and not closed."],
    ['{ "a": "\\x" }', ":1:8: this escape does not exist in JSON"],
  ]
  for (const [text, place] of broken) {
    test(`${JSON.stringify(text)} is refused at its place`, () => {
      writeFileSync(file, text)
      expect(refused()).toContain(`${file}${place}`)
    })
  }

  test("objects have no prototype to choose", () => {
    writeFileSync(file, '{ "__proto__": { "a": 1 }, "b": {} }')
    const value = readJsonc(file) as Record<string, object>
    expect(Object.getPrototypeOf(value)).toBeNull()
    expect(Object.keys(value)).toEqual(["__proto__", "b"])
    expect(value["a"]).toBeUndefined()
  })

  test("one key alone can be read, an own one", () => {
    writeFileSync(file, '{ "a": { "b": 1 }, "deep": [[[]]] }')
    expect(readJsonc(file, "a")).toEqual({ b: 1 })
    expect(readJsonc(file, "constructor")).toBeUndefined()
  })
})

describe("what cannot be read says why", () => {
  test("a missing file is none", () => {
    expect(readJsonc(file)).toBeUndefined()
    expect(readJsonc(join(file, "below"))).toBeUndefined()
  })

  test("a directory", () => {
    mkdirSync(file)
    expect(refused()).toBe(`${file}: cannot be read: it is a directory, not a file. Make it readable, or remove it.`)
  })

  test("links in a circle", () => {
    symlinkSync(file, join(folder, "other"))
    symlinkSync(join(folder, "other"), file)
    expect(refused()).toContain("its symbolic links lead in a circle")
  })

  test("a link that leads nowhere", () => {
    symlinkSync(join(folder, "gone"), file)
    expect(refused()).toContain("a symbolic link that leads nowhere")
  })

  test("a link to a file is followed", () => {
    writeFileSync(join(folder, "real.json"), '{"a": 1}')
    symlinkSync(join(folder, "real.json"), file)
    expect(readJsonc(file)).toEqual({ a: 1 })
  })

  test("more than a megabyte", () => {
    writeFileSync(file, `{"a": "${"x".repeat(1_048_576)}"}`)
    expect(refused()).toContain("bytes are too large for a configuration (at most 1 MB)")
    writeFileSync(file, `{"a": "${"x".repeat(1_000_000)}"}`)
    expect(readJsonc(file)).toHaveProperty("a")
  })

  test("a depth that would exhaust a parser", () => {
    for (const deep of [100, 300_000]) {
      writeFileSync(file, "[".repeat(deep) + "]".repeat(deep))
      expect(refused()).toContain("nested too deeply")
    }
  })

  test("a pipe, without waiting for a writer", () => {
    expect(Bun.spawnSync(["mkfifo", file]).exitCode).toBe(0)
    expect(refused()).toContain("not an ordinary file")
  })

  // To the superuser every file is readable.
  test.skipIf(process.getuid?.() === 0)("a file without permission", () => {
    writeFileSync(file, "{}")
    chmodSync(file, 0o000)
    expect(refused()).toContain("permission is denied")
  })
})

test("a bundle of it starts away from node_modules, as the plugin has to", async () => {
  const entry = resolve(import.meta.dir, "../../src/adapters/config-jsonc.ts")
  const built = await Bun.build({ entrypoints: [entry], target: "node", outdir: folder })
  expect(built.success).toBe(true)
  const bundle = (await import(join(folder, "config-jsonc.js"))) as { readJsonc: typeof readJsonc }
  writeFileSync(file, '{ "a": [1,], }')
  expect(bundle.readJsonc(file)).toEqual({ a: [1] })
})
