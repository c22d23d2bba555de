import { afterEach, beforeEach, describe, expect, test } from "bun:test"
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { configTable, run } from "../../scripts/schema.ts"
import { configKeys, jsonSchema } from "../../src/config.ts"

let root: string
let said: string[]

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "lanes-schema-"))
  said = []
})

afterEach(() => rmSync(root, { recursive: true, force: true }))

const write = () => run(root, false, (line) => said.push(line))
const check = () => run(root, true, (line) => said.push(line))
const MARKED = "# A\n\n<!-- config:begin (written by scripts/schema.ts) -->\n<!-- config:end -->\n\nB\n"

describe("schema.json", () => {
  test("the one in the repository is up to date", () => {
    expect(run(resolve(import.meta.dir, "../.."), true, (line) => said.push(line))).toBe(0)
  })

  test("is written once, and missed or changed it is out of date", () => {
    expect(check()).toBe(1)
    expect(said).toEqual(["schema.json out of date; run: bun scripts/schema.ts"])
    expect(existsSync(join(root, "schema.json"))).toBe(false)
    expect([write(), check()]).toEqual([0, 0])
    expect(JSON.parse(readFileSync(join(root, "schema.json"), "utf8"))).toEqual(jsonSchema())
    writeFileSync(join(root, "schema.json"), "{}\n")
    expect(check()).toBe(1)
  })

  test("says sentence, range and default of each key, and refuses others", () => {
    const schema = jsonSchema() as {
      properties: Record<string, Record<string, unknown>>
      additionalProperties: boolean
    }
    expect(schema.additionalProperties).toBe(false)
    expect(Object.keys(schema.properties)).toEqual(configKeys.map(({ key }) => key))
    for (const { key, meaning } of configKeys) expect(schema.properties[key]).toMatchObject({ description: meaning })
    expect(schema.properties["pollIntervalMs"]).toMatchObject({ type: "integer", minimum: 100, default: 2_000 })
    expect(schema.properties["maxWorkers"]).toMatchObject({ minimum: 1, maximum: 64 })
    expect(schema.properties["wake"]).toMatchObject({ enum: ["all", "each"], default: "all" })
    expect(schema.properties["providerConcurrency"]).toMatchObject({
      additionalProperties: { type: "integer", minimum: 0 },
    })
  })
})

describe("the table in README.md", () => {
  test("stands between its markers, and nothing else changes", () => {
    writeFileSync(join(root, "README.md"), MARKED)
    expect([write(), check()]).toEqual([0, 0])
    const text = readFileSync(join(root, "README.md"), "utf8")
    expect(text).toContain(`-->\n\n${configTable()}\n\n<!--`)
    expect(text.startsWith("# A\n")).toBe(true)
    expect(text.endsWith("-->\n\nB\n")).toBe(true)
    writeFileSync(join(root, "README.md"), text.replace("| `wake` |", "| `wakes` |"))
    expect(check()).toBe(1)
    expect(said.at(-1)).toContain("README.md out of date")
  })

  test("without markers there is no place for it", () => {
    writeFileSync(join(root, "README.md"), "# A\n")
    expect(write()).toBe(1)
    expect(said.join("")).toContain("README.md has no place for the table")
  })

  test("has a row of four cells for each key", () => {
    const rows = configTable().split("\n").slice(2)
    expect(rows).toHaveLength(configKeys.length)
    for (const row of rows) expect(row.replaceAll("\\|", "").match(/\|/g)).toHaveLength(5)
  })
})
