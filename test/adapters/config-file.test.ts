import { afterEach, beforeEach, describe, expect, test } from "bun:test"
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { loadConfig } from "../../src/adapters/config-file.ts"
import type { LoadConfigInput, LoadedConfig } from "../../src/adapters/config-file.ts"

let root: string
let home: string
let project: string
let user: string

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "lanes-config-"))
  home = join(root, "home")
  project = join(root, "work", "project")
  user = join(home, ".config", "opencode")
  mkdirSync(join(project, ".git"), { recursive: true })
})

afterEach(() => rmSync(root, { recursive: true, force: true }))

function write(folder: string, name: string, content: unknown): string {
  const file = join(folder, name)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, typeof content === "string" ? content : JSON.stringify(content))
  return file
}

const load = (input: Partial<LoadConfigInput> = {}): LoadedConfig =>
  loadConfig({ directory: project, env: {}, home, ...input })

describe("precedence", () => {
  /** From the weakest to the strongest; each place says which one it is with `stablePolls`. */
  const places: readonly [string, (polls: number) => unknown][] = [
    [
      "user/oh-my-opencode.json",
      (polls) => write(user, "oh-my-opencode.json", { background_task: { stablePolls: polls } }),
    ],
    [
      "user/oh-my-opencode.jsonc",
      (polls) => write(user, "oh-my-opencode.jsonc", { background_task: { stablePolls: polls } }),
    ],
    ["user/opencode-lanes.json", (polls) => write(user, "opencode-lanes.json", { stablePolls: polls })],
    ["user/opencode-lanes.jsonc", (polls) => write(user, "opencode-lanes.jsonc", { stablePolls: polls })],
    [
      "worktree/opencode-lanes.json",
      (polls) => write(join(project, ".opencode"), "opencode-lanes.json", { stablePolls: polls }),
    ],
    [
      "nearest/oh-my-opencode.json",
      (polls) =>
        write(join(project, "pkg", ".opencode"), "oh-my-opencode.json", { background_task: { stablePolls: polls } }),
    ],
    [
      "nearest/opencode-lanes.json",
      (polls) => write(join(project, "pkg", ".opencode"), "opencode-lanes.json", { stablePolls: polls }),
    ],
  ]

  for (const [upTo, [name]] of places.entries()) {
    test(`${name} wins over what comes before it`, () => {
      for (const [i, [, place]] of places.slice(0, upTo + 1).entries()) place(i + 10)
      const { config, layers, setBy, warnings } = load({ directory: join(project, "pkg") })
      expect(config).toEqual({ stablePolls: upTo + 10 })
      expect(layers.map(({ keys }) => keys)).toEqual(Array.from({ length: upTo + 1 }, () => ["stablePolls"]))
      expect(setBy.get("stablePolls")).toBe(layers.at(-1)?.file)
      expect(warnings).toEqual([])
    })
  }

  test("options and flags win over all files, in their order", () => {
    for (const [i, [, place]] of places.entries()) place(i + 10)
    const over = [
      { source: "plugin options", value: { stablePolls: 50, wake: "each" } },
      { source: "flags", value: { stablePolls: 60, defaultConcurrency: 9 } },
    ]
    const { config, setBy } = load({ directory: join(project, "pkg"), over })
    expect(config).toEqual({ stablePolls: 60, wake: "each", defaultConcurrency: 9 })
    expect([setBy.get("stablePolls"), setBy.get("wake")]).toEqual(["flags", "plugin options"])
  })

  test("a wrong option names its place", () => {
    const over = [{ source: "plugin options", value: { wake: "never" } }]
    expect(() => load({ over })).toThrow("plugin options cannot be used; correct what follows")
  })

  test("maps of limits merge entry by entry", () => {
    write(user, "oh-my-opencode.json", { background_task: { providerConcurrency: { anthropic: 3, openai: 5 } } })
    const file = write(user, "opencode-lanes.json", { providerConcurrency: { openai: 2 } })
    const { config, setBy } = load()
    expect(config).toEqual({ providerConcurrency: { anthropic: 3, openai: 2 } })
    expect(setBy.get("providerConcurrency.openai")).toBe(file)
  })

  test("nothing there is no error", () => {
    expect(load()).toEqual({ config: {}, warnings: [], layers: [], setBy: new Map() })
    rmSync(project, { recursive: true })
    expect(load().config).toEqual({})
  })
})

describe("the user's folder", () => {
  test("is moved by XDG_CONFIG_HOME, and by OPENCODE_CONFIG_DIR before it", () => {
    const dir = join(root, "dir")
    const xdg = join(root, "xdg")
    write(user, "opencode-lanes.json", { stablePolls: 10 })
    write(join(xdg, "opencode"), "opencode-lanes.json", { stablePolls: 20 })
    write(dir, "opencode-lanes.json", { stablePolls: 30 })
    const polls = (env: Record<string, string>) => load({ env }).config.stablePolls
    expect(polls({})).toBe(10)
    expect(polls({ XDG_CONFIG_HOME: xdg })).toBe(20)
    expect(polls({ XDG_CONFIG_HOME: xdg, OPENCODE_CONFIG_DIR: dir })).toBe(30)
    expect(polls({ XDG_CONFIG_HOME: "", OPENCODE_CONFIG_DIR: "" })).toBe(10)
    expect(polls({ XDG_CONFIG_HOME: "relative/xdg" })).toBe(10)
  })

  test("is HOME's, if no home is given", () => {
    write(user, "opencode-lanes.json", { stablePolls: 10 })
    expect(loadConfig({ directory: project, env: { HOME: home } }).config.stablePolls).toBe(10)
  })

  test("keeps its limits where it is the project's folder, too", () => {
    const folder = join(project, ".opencode")
    write(folder, "opencode-lanes.json", { defaultConcurrency: 2 })
    const link = join(root, "link")
    symlinkSync(folder, link)
    for (const dir of [folder, link]) {
      const { config, warnings, layers } = load({ env: { OPENCODE_CONFIG_DIR: dir } })
      expect({ config, warnings, count: layers.length }).toEqual({
        config: { defaultConcurrency: 2 },
        warnings: [],
        count: 1,
      })
    }
  })
})

describe("the project's folders", () => {
  test("do not set limits: they are ignored with a warning, the rest counts", () => {
    write(user, "opencode-lanes.json", { modelConcurrency: { "a/b": 1 } })
    const limits = { defaultConcurrency: 99, providerConcurrency: { a: 0 }, modelConcurrency: { "a/b": 50 } }
    const theirs = write(join(project, ".opencode"), "oh-my-opencode.json", {
      background_task: { ...limits, stablePolls: 4 },
    })
    const ours = write(join(project, ".opencode"), "opencode-lanes.json", { ...limits, maxSteps: 1e6, wake: "each" })
    const { config, warnings, layers, setBy } = load()
    expect(config).toEqual({ modelConcurrency: { "a/b": 1 }, stablePolls: 4, wake: "each" })
    expect(setBy.get('modelConcurrency["a/b"]')).toBe(join(user, "opencode-lanes.json"))
    expect(layers.map(({ keys }) => keys)).toEqual([["modelConcurrency"], ["stablePolls"], ["wake"]])
    const limitsText = "defaultConcurrency, providerConcurrency, modelConcurrency"
    expect(warnings).toEqual([
      expect.stringContaining(`${theirs}: ${limitsText} ignored: a project does not decide what its reader pays`),
      expect.stringContaining(`${ours}: ${limitsText}, maxSteps ignored`),
    ])
  })

  for (const [key, value] of Object.entries({
    maxPerRoot: 1_000,
    maxQueued: 1_000,
    maxWorkers: 64,
    todoNudges: 100,
    taskTtlMs: 604_800_000,
    staleTimeoutMs: 604_800_000,
    toolStaleTimeoutMs: 604_800_000,
    recover: "resume",
    page: true,
  })) {
    test(`do not set ${key}`, () => {
      write(join(project, ".opencode"), "opencode-lanes.json", { [key]: value })
      expect(load()).toMatchObject({ config: {}, warnings: [expect.stringContaining(`${key} ignored`)] })
      write(user, "opencode-lanes.json", { [key]: value })
      expect(load().config).toEqual({ [key]: value })
    })
  }

  test("cannot be wrong about what does not count, and are held to the rest", () => {
    const wrong = { defaultConcurrency: -1, providerConcurrency: "many", taskTtlMs: 1, staleTimeoutMs: 1e9 }
    const file = write(join(project, ".opencode"), "opencode-lanes.json", { ...wrong, wake: "each" })
    write(join(project, ".opencode"), "oh-my-opencode.json", { background_task: wrong })
    const ignored = expect.stringContaining(`${Object.keys(wrong).join(", ")} ignored`)
    expect(load()).toMatchObject({ config: { wake: "each" }, warnings: [ignored, ignored] })
    for (const value of [{ ...wrong, wake: "never" }, [wrong], '{ "__proto__": {}, "defaultConcurrency": -1 }']) {
      write(join(project, ".opencode"), "opencode-lanes.json", value)
      expect(() => load()).toThrow(file)
      expect(() => load()).not.toThrow("defaultConcurrency")
    }
  })

  test("are looked for up to the worktree's root and not above it", () => {
    write(join(root, "work", ".opencode"), "opencode-lanes.json", { stablePolls: 1, wake: "each" })
    write(join(project, ".opencode"), "opencode-lanes.json", { stablePolls: 2 })
    const deep = join(project, "a", "b")
    mkdirSync(deep, { recursive: true })
    expect(load({ directory: deep }).config).toEqual({ stablePolls: 2 })
    expect(load({ directory: deep, worktree: join(root, "work") }).config).toEqual({ stablePolls: 2, wake: "each" })
  })

  test("end at the `.git` file of a further worktree", () => {
    write(join(project, ".opencode"), "opencode-lanes.json", { stablePolls: 2 })
    const further = join(project, "further")
    write(further, ".git", "gitdir: elsewhere")
    expect(load({ directory: further }).config).toEqual({})
  })

  test("outside of git only the directory's own counts, whatever `/` is said to be", () => {
    const outside = join(root, "outside", "inner")
    mkdirSync(outside, { recursive: true })
    write(join(root, "outside", ".opencode"), "opencode-lanes.json", { stablePolls: 7 })
    for (const worktree of [{}, { worktree: "/" }, { worktree: join(root, "elsewhere") }]) {
      expect(load({ directory: outside, ...worktree }).config).toEqual({})
      expect(load({ directory: dirname(outside), ...worktree }).config).toEqual({ stablePolls: 7 })
    }
  })

  test("are left out where OpenCode leaves them out", () => {
    write(join(project, ".opencode"), "opencode-lanes.json", { stablePolls: 2 })
    expect(load({ env: { OPENCODE_DISABLE_PROJECT_CONFIG: "1" } }).config).toEqual({})
    expect(load({ env: { OPENCODE_DISABLE_PROJECT_CONFIG: "0" } }).config).toEqual({ stablePolls: 2 })
  })
})

describe("the two kinds of files", () => {
  test("ours is strict and names file, path, expected and received", () => {
    const file = write(user, "opencode-lanes.jsonc", {
      providerConcurrency: { anthropic: "three" },
      background_task: {},
    })
    expect(() => load()).toThrow(file)
    expect(() => load()).toThrow('providerConcurrency.anthropic: expected an integer ≥ 0, got "three"')
    expect(() => load()).toThrow("background_task: expected a key that can be set, got an unknown one")
  })

  test("theirs gives its background_task alone, with warnings", () => {
    const file = write(user, "oh-my-opencode.json", {
      agents: { oracle: { model: 3 } },
      wake: 17,
      background_task: { defaultConcurrency: 0, other: 1, wake: "each" },
    })
    const { config, warnings } = load()
    expect(config).toEqual({ defaultConcurrency: 1, wake: "each" })
    expect(warnings).toEqual([`${file}: background_task.defaultConcurrency: expected an integer ≥ 1, got 0; 1 is used`])
    write(user, "oh-my-opencode.json", { agents: {} })
    expect(load()).toMatchObject({ config: {}, layers: [] })
  })

  for (const [name, content, sentence] of [
    ["is broken", `{ "agents": { "oracle": } }`, ":1:25: a value is missing here. Correct it and start again."],
    ["is too large", `/*${"x".repeat(1_048_576)}*/ {}`, "are too large for a configuration"],
    ["is a folder", undefined, "cannot be read: it is a directory, not a file."],
  ] as const) {
    test(`theirs is left out with a warning where it ${name}; ours is not`, () => {
      const place = (file: string): string => {
        if (content !== undefined) return write(user, file, content)
        mkdirSync(join(user, file), { recursive: true })
        return join(user, file)
      }
      const theirs = place("oh-my-opencode.json")
      write(user, "oh-my-opencode.jsonc", { background_task: { wake: "each" } })
      const { config, warnings, layers } = load()
      expect(config).toEqual({ wake: "each" })
      expect(layers).toHaveLength(1)
      expect(warnings).toEqual([expect.stringContaining(sentence)])
      expect(warnings[0]).toStartWith(theirs)
      expect(warnings[0]).toEndWith("The file is left out.")
      place("opencode-lanes.json")
      expect(() => load()).toThrow(sentence)
    })
  }

  test("a conflict between ours is an error that names both, one with theirs a warning", () => {
    write(user, "opencode-lanes.json", { taskTtlMs: 60_000 })
    const second = write(user, "opencode-lanes.jsonc", { toolStaleTimeoutMs: 90_000 })
    expect(() => load()).toThrow(`toolStaleTimeoutMs is set in ${second}, taskTtlMs in`)
    rmSync(second)
    write(user, "oh-my-opencode.json", { background_task: { staleTimeoutMs: 90_000 } })
    expect(load()).toMatchObject({
      config: { staleTimeoutMs: 50_000, taskTtlMs: 60_000 },
      warnings: [expect.stringContaining("50000 is used")],
    })
  })

  test("a key __proto__ in a file is refused and changes nothing", () => {
    write(user, "opencode-lanes.json", '{ "__proto__": { "wake": "each" }, "modelConcurrency": { "__proto__": 3 } }')
    expect(() => load()).toThrow("__proto__: expected a name that is not reserved")
    expect(() => load()).toThrow("modelConcurrency.__proto__: expected a name")
    expect(({} as Record<string, unknown>)["wake"]).toBeUndefined()
  })
})
