/** Who may import whom: every row of the table is broken once, and answers with its sentence. */
import { afterAll, describe, expect, test } from "bun:test"
import { ScratchTree } from "./scratch-tree.ts"

const PART = "export const part: number = 1\n"
const parts: Readonly<Record<string, string>> = Object.fromEntries(
  [
    "src/core/step.ts",
    "src/coordinator/ports.ts",
    "src/coordinator/bus.ts",
    "src/config.ts",
    "src/compose.ts",
    "src/adapters/opencode-server.ts",
    "src/plugin/index.ts",
    "src/cli/main.ts",
    "src/page/server.ts",
    "src/sim/index.ts",
    "workers/link.ts",
    "workers/drive-session.ts",
    "test/fake.ts",
  ].map((file) => [file, PART]),
)

type Row = readonly [from: string, to: string, sentence: string]

const forbidden: readonly Row[] = [
  ["src/core/a.ts", "../adapters/opencode-server.ts", "core decides; it may not import adapters"],
  ["src/core/b.ts", "mitt", "core decides; it may not import adapters"],
  ["src/core/c.ts", "node:fs", "core decides; it may not import adapters"],
  ["src/core/d.ts", "bun:sqlite", "core decides; it may not import adapters"],
  ["src/coordinator/a.ts", "../adapters/opencode-server.ts", "coordinator acts through its ports"],
  ["src/coordinator/b.ts", "../../workers/link.ts", "coordinator acts through its ports"],
  ["src/coordinator/c.ts", "comlink", "coordinator acts through its ports"],
  ["src/config.ts", "./compose.ts", "config is one schema"],
  ["src/config/a.ts", "../adapters/opencode-server.ts", "config is one schema"],
  ["src/adapters/a.ts", "../compose.ts", "adapters touch the world"],
  ["src/adapters/b.ts", "../coordinator/bus.ts", "adapters touch the world"],
  ["src/adapters/c.ts", "../coordinator/ports.ts", "adapters touch the world; they know core, config and the types of"],
  ["src/adapters/d.ts", "mitt", "adapters touch the world"],
  ["src/adapters/sqlite-journal.ts", "jsonc-parser", "an adapter touches one outside thing"],
  ["src/adapters/journal-owner.ts", "@opencode-ai/sdk/v2/client", "an adapter touches one outside thing"],
  ["src/adapters/system-clock.ts", "bun:sqlite", "an adapter touches one outside thing"],
  ["workers/a.ts", "../src/coordinator/bus.ts", "workers run elsewhere"],
  ["workers/b.ts", "../src/coordinator/ports.ts", "workers run elsewhere"],
  ["workers/c.ts", "mitt", "workers run elsewhere"],
  ["workers/drive-session.ts", "comlink", "drive-session knows no thread and no library"],
  ["src/sim/a.ts", "../adapters/opencode-server.ts", "sim replaces the world"],
  ["src/sim/b.ts", "../../workers/link.ts", "sim replaces the world"],
  ["src/compose.ts", "./sim/index.ts", "compose joins adapters and coordinator"],
  ["src/plugin/a.ts", "../cli/main.ts", "plugin stands on compose"],
  ["src/plugin/b.ts", "../core/step.ts", "plugin stands on compose"],
  ["src/cli/a.ts", "../plugin/index.ts", "cli stands on compose"],
  ["src/cli/b.ts", "../core/step.ts", "cli stands on compose"],
  ["src/page/a.ts", "../cli/main.ts", "page gets a handle"],
  ["src/page/b.ts", "../plugin/index.ts", "page gets a handle"],
  ["src/index.ts", "./cli/main.ts", "index is the library's surface"],
  ["src/adapters/e.ts", "../../test/fake.ts", "the product may not import its tests"],
  ["src/core/e.ts", "./nowhere.ts", "an import that does not resolve is not checked"],
]

const imports = (to: string): string => `import * as other from "${to}"\n\nexport const used: unknown = other\n`
const types = (to: string): string => `import type * as other from "${to}"\n\nexport type Used = typeof other\n`

const trees: ScratchTree[] = []
afterAll(() => {
  for (const tree of trees) tree[Symbol.dispose]()
})

function cruise(files: Readonly<Record<string, string>>): { code: number; output: string } {
  const tree = new ScratchTree({ "package.json": '{ "name": "planted" }', ...files })
  trees.push(tree)
  return tree.check("check:boundaries")
}

describe("forbidden", () => {
  const planted = Object.fromEntries(forbidden.map(([from, to]) => [from, imports(to)]))
  const { code, output } = cruise({ ...parts, ...planted })
  const blocks = output.split("\n").reduce<string[]>((found, line) => {
    if (line.startsWith("  ")) found.push(`${found.pop() ?? ""}\n${line}`)
    else found.push(line)
    return found
  }, [])

  test("fails", () => expect(code).not.toBe(0))
  test.each(forbidden)("%s → %s", (from, _to, sentence) => {
    const said = blocks.filter((block) => block.startsWith(`${from} → `)).join("\n")
    expect(said).toContain(sentence)
  })
})

test("allowed: what the table lists passes, types of core and of the ports among it", () => {
  const { code, output } = cruise({
    ...parts,
    "src/coordinator/bus.ts": imports("mitt"),
    "src/coordinator/a.ts": imports("../core/step.ts"),
    "src/config.ts": imports("valibot"),
    "src/adapters/a.ts": types("../coordinator/ports.ts"),
    "src/adapters/opencode-b.ts": imports("@opencode-ai/sdk/v2/client"),
    "src/adapters/sqlite-journal.ts": imports("bun:sqlite"),
    "src/adapters/config-file.ts": imports("jsonc-parser"),
    "workers/a.ts": types("../src/coordinator/ports.ts"),
    "workers/b.ts": imports("comlink"),
    "workers/drive-session.ts": imports("./open-session.ts"),
    "workers/open-session.ts": imports("../src/core/step.ts"),
    "src/sim/a.ts": imports("../../workers/drive-session.ts"),
    "src/compose.ts": imports("../workers/link.ts"),
    "src/lanes.ts": imports("./page/server.ts"),
    "src/plugin/a.ts": types("../core/step.ts"),
    "src/plugin/b.ts": imports("../page/server.ts"),
    "src/cli/a.ts": imports("../sim/index.ts"),
    "src/cli/b.ts": imports("citty"),
    "src/page/a.ts": imports("../adapters/a.ts"),
    "src/index.ts": imports("./compose.ts"),
  })
  expect({ code, output }).toEqual({ code: 0, output: expect.stringContaining("files keep to their boundaries") })
})

test("drive-session reaches no library by way of another file either", () => {
  const { code, output } = cruise({
    ...parts,
    "workers/drive-session.ts": imports("./open-session.ts"),
    "workers/open-session.ts": imports("comlink"),
  })
  expect(code).not.toBe(0)
  expect(output).toContain("drive-session knows no thread and no library")
})

test("a cycle is reported with its way round", () => {
  const { code, output } = cruise({
    "src/core/a.ts": imports("./b.ts"),
    "src/core/b.ts": imports("./a.ts"),
  })
  expect(code).not.toBe(0)
  expect(output).toContain("imports go one way")
  expect(output).toContain("src/core/a.ts")
})

test("a part without a row is not free to import anything", () => {
  const { code, output } = cruise({ "src/misc/a.ts": PART })
  expect(code).not.toBe(0)
  expect(output).toContain("src/misc/a.ts belongs to no part")
})

test("an empty tree is not a clean one", () => {
  const { code, output } = cruise({})
  expect(code).not.toBe(0)
  expect(output).toContain("there is nothing to check")
})
