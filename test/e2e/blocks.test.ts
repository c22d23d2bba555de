/** Every block of code in README and guide does what it says: programs and commands on the real OpenCode, files by who reads them. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { basename, delimiter, join, resolve } from "node:path"
import manifest from "../../package.json" with { type: "json" }
import { loadConfig } from "../../src/adapters/config-file.ts"
import { readBatch } from "../../src/cli/batch-file.ts"
import { hostFileIn } from "../../src/cli/plugin-entry.ts"
import { createLanes } from "../../src/index.ts"
import type { Lanes } from "../../src/index.ts"
import { LANES, run } from "../helpers/command.ts"
import { scripted, useOpenCode } from "../helpers/opencode.ts"
import { until } from "../helpers/processes.ts"

const ROOT = resolve(import.meta.dir, "../..")
const DOCUMENTS = ["README.md", "docs/guide.md"]
const LIMIT_MS = 60_000

interface Block {
  readonly at: string
  readonly language: string
  readonly text: string
  /** The file it is to be, if its first line names one. */
  readonly file: string | undefined
}

function blocksIn(document: string): Block[] {
  const source = readFileSync(join(ROOT, document), "utf8")
  return [...source.matchAll(/^```(\w*)\n([^]*?)^```$/gm)].map(({ 1: language = "", 2: text = "", index }) => ({
    at: `${document}:${source.slice(0, index).split("\n").length}`,
    language,
    text,
    file: /^\/\/ ([~\w./-]+\.\w+)\n/.exec(text)?.[1],
  }))
}

const blocks = DOCUMENTS.flatMap(blocksIn)
const of = (language: string): [string, Block][] =>
  blocks.filter((block) => block.language === language).map((block) => [block.at, block])

let root = ""
const oc = useOpenCode()
/** A coordinator of the user's, whose task the commands see and steer. */
let lanes: Lanes
let taskID = ""

beforeAll(async () => {
  root = realpathSync(mkdtempSync(join(tmpdir(), "lanes-blocks-")))
  const shim = join(root, "bin", "lanes")
  mkdirSync(join(root, "bin"))
  writeFileSync(shim, `#!/bin/sh\nexec ${LANES.map((word) => `'${word}'`).join(" ")} "$@"\n`)
  chmodSync(shim, 0o755)
  writeFileSync(join(oc.directory, "tasks.jsonl"), blocks.find(({ language }) => language === "jsonl")?.text ?? "")
  lanes = await createLanes({
    server: oc.url,
    password: oc.password,
    directory: oc.directory,
    configFiles: false,
    journal: { folder: join(oc.home.env["XDG_STATE_HOME"] ?? "", "opencode-lanes") },
  })
  const prompt = scripted("Find the login code", { id: "shown", turns: [{ hang: true }] })
  taskID = (await lanes.launch({ prompt, description: "Find the login code" })).id
  await lanes.waitFor("task:session")
}, LIMIT_MS)

afterAll(async () => {
  await lanes.close()
  rmSync(root, { recursive: true, force: true })
}, LIMIT_MS)

function environment(): Record<string, string | undefined> {
  const PATH = [join(root, "bin"), join(ROOT, "node_modules/.bin"), oc.home.env["PATH"]].join(delimiter)
  return { ...oc.home.env, PATH, OPENCODE_SERVER_PASSWORD: oc.password, LANES_SERVER: oc.url, NO_COLOR: "1" }
}

/** A program as it would be in a project of the reader's, on the test's server. */
function program({ text }: Block): string {
  return text
    .replaceAll("http://127.0.0.1:4096", oc.url)
    .replaceAll('"opencode-lanes"', JSON.stringify(join(ROOT, "src/index.ts")))
    .replaceAll('"opencode-lanes/sim"', JSON.stringify(join(ROOT, "src/sim/index.ts")))
    .replaceAll('"opencode-lanes/worker"', JSON.stringify(join(ROOT, "workers/session-worker.ts")))
}

/** Writes all blocks that name a file of this kind, for they need each other. */
function writeFiles(): string {
  const folder = join(root, "files")
  mkdirSync(folder, { recursive: true })
  for (const [, block] of of("ts"))
    if (block.file !== undefined) writeFileSync(join(folder, block.file), program(block))
  return folder
}

describe("ts", () => {
  test.each(of("ts"))(
    "%s runs",
    async (at, block) => {
      const folder = writeFiles()
      const file = block.file ?? `${at.replaceAll(/\W/g, "-")}.ts`
      if (block.file === undefined) writeFileSync(join(folder, file), program(block))
      if (file === "worker.ts") return
      const command = file.endsWith(".test.ts") ? [process.execPath, "test", `./${file}`] : [process.execPath, file]
      const { exitCode, stdout, stderr } = await run(command, { cwd: folder, env: environment() })
      expect({ exitCode, stderr: exitCode === 0 ? "" : stderr }).toEqual({ exitCode: 0, stderr: "" })
      expect(`${stdout}${stderr}`).not.toBe("")
    },
    LIMIT_MS,
  )
})

/** Ones that go on until somebody ends them. */
const LASTING = /^lanes (serve|watch)\b/
/** Ones that other tests run, or that are not ours. */
const ELSEWHERE = [/^npm install -g opencode-lanes$/, /^npx opencode-lanes demo$/]

describe("sh", () => {
  const lines = of("sh").flatMap(([at, { text }]) =>
    text
      .split("\n")
      .filter((line) => line !== "" && !line.startsWith("#"))
      .map((line): [string, string] => [at, line.replace(/^\$ /, "")]),
  )

  test.each(lines)(
    "%s: %s",
    async (_at, line) => {
      if (ELSEWHERE.some((pattern) => pattern.test(line))) return
      const [, script] = /^npx --yes bun@[\d.]+ run ([\w:]+)/.exec(line) ?? /^bun run ([\w:]+)/.exec(line) ?? []
      if (script !== undefined) return expect(Object.keys(manifest.scripts)).toContain(script)
      // A signal to the shell is to reach the command; npx would fetch what is being tested here.
      const words = line.replaceAll(/bg_\w+/g, taskID).replace(/^npx opencode-lanes/, "lanes")
      const command = ["sh", "-c", LASTING.test(line) ? `exec ${words}` : words]
      const cwd = line.startsWith("bun build") ? writeFiles() : oc.directory
      if (LASTING.test(line)) {
        const child = Bun.spawn(command, { cwd, env: environment(), stdin: "ignore", stdout: "pipe", stderr: "pipe" })
        let said = ""
        const reading = child.stdout.pipeTo(
          new WritableStream({ write: (chunk) => void (said += new TextDecoder().decode(chunk)) }),
        )
        await until(() => said !== "" || child.exitCode !== null, 10_000)
        child.kill("SIGINT")
        await Promise.all([child.exited, reading])
        const complaint = await new Response(child.stderr).text()
        expect(said === "" ? complaint : said).toMatch(/http:\/\/127\.0\.0\.1|lanes: default/)
        return
      }
      const { exitCode, stderr } = await run(command, { cwd, env: environment() })
      expect({ exitCode, stderr: exitCode === 0 ? "" : stderr }).toEqual({ exitCode: 0, stderr: "" })
    },
    LIMIT_MS,
  )
})

describe("jsonc", () => {
  test.each(of("jsonc"))("%s is read without a word", (at, { file = "", text }) => {
    const home = join(root, at.replaceAll(/\W/g, "-"))
    const folder = join(home, "config/opencode")
    const directory = join(home, "project")
    mkdirSync(folder, { recursive: true })
    mkdirSync(directory, { recursive: true })
    writeFileSync(join(file === "opencode.json" ? directory : folder, basename(file)), text)
    if (file === "opencode.json") return expect(hostFileIn(directory).ours).toBe("opencode-lanes")
    const { config, warnings, layers } = loadConfig({ directory, env: { XDG_CONFIG_HOME: join(home, "config") } })
    expect({ warnings, layers: layers.length }).toEqual({ warnings: [], layers: 1 })
    expect(config).toMatchObject({ defaultConcurrency: 5, providerConcurrency: { anthropic: 3, openai: 2 } })
  })
})

test.each(of("jsonl"))("%s is a batch", (at, { text }) => {
  expect(readBatch(text, at)).toHaveLength(text.trim().split("\n").length)
})

test("there is no block that nothing runs", () => {
  const known = ["ts", "sh", "jsonc", "jsonl", "text", ""]
  expect(blocks.filter(({ language }) => !known.includes(language)).map(({ at }) => at)).toEqual([])
  expect(of("").map(([, { text }]) => text)).toEqual([])
  for (const language of known.slice(0, 4)) expect(of(language).length).toBeGreaterThan(0)
})
