/** The package as people get it: packed, installed by npm and by Bun, imported, bundled, compiled, type-checked, run by npx. */

import { afterAll, beforeAll, expect, test } from "bun:test"
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { homedir, tmpdir } from "node:os"
import { dirname, join, resolve } from "node:path"
import { findBinary } from "../../src/adapters/opencode-binary.ts"
import { pack } from "../../scripts/build/pack.ts"
import type { Packed } from "../../scripts/build/pack.ts"
import { quoted, run } from "../helpers/command.ts"
import type { Ended } from "../helpers/command.ts"
import { scripted, useOpenCode } from "../helpers/opencode.ts"
import { report } from "../helpers/report.ts"
import { TestTerminal } from "../helpers/terminal.ts"

const ROOT = resolve(import.meta.dir, "../..")
const BUN = realpathSync(process.execPath)
const oc = useOpenCode()
const LIMIT_MS = 90_000

let root = ""
let packed: Packed
const rows: string[][] = []

beforeAll(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), "lanes-package-test-")))
  packed = pack(folder("packed"), { types: true })
}, LIMIT_MS)

afterAll(() => {
  rmSync(root, { recursive: true, force: true })
  report("The package, packed and used", ["case", "ms"], rows)
})

function folder(name: string): string {
  const path = join(root, name)
  mkdirSync(path, { recursive: true })
  return path
}

/** A project that wants the package, and nothing else. */
function project(name: string): string {
  const path = folder(name)
  writeFileSync(join(path, "package.json"), JSON.stringify({ name, private: true, type: "module" }))
  return path
}

/** Programs by name, and nothing but them, on a PATH. */
function pathWith(name: string, programs: Readonly<Record<string, string | null>>): string {
  const path = folder(name)
  for (const [program, target] of Object.entries(programs))
    if (target !== null) symlinkSync(target, join(path, program))
  return path
}

/** A home of its own; the registry and npm's cache are the machine's. */
function environment(more: Readonly<Record<string, string>> = {}): Record<string, string | undefined> {
  const { PATH, npm_config_cache: cache = join(homedir(), ".npm"), npm_config_registry: registry } = process.env
  return {
    PATH,
    HOME: folder("home"),
    TMPDIR: folder("tmp"),
    NO_COLOR: "1",
    npm_config_cache: cache,
    npm_config_userconfig: join(homedir(), ".npmrc"),
    npm_config_loglevel: "error",
    ...(registry === undefined ? {} : { npm_config_registry: registry }),
    ...more,
  }
}

/** Runs a command and notes how long it took. */
async function timed(what: string, command: readonly string[], options: Parameters<typeof run>[1]): Promise<Ended> {
  const start = performance.now()
  const ended = await run(command, options)
  rows.push([what, String(Math.round(performance.now() - start))])
  return ended
}

/** What a user writes: one task, and how it was driven. */
const APP = `import { createLanes } from "opencode-lanes"
const { URL_OF_SERVER = "", PASSWORD = "", PROMPT = "", THREADS, STATE = "" } = process.env
const workers: string[] = [], said: string[] = []
const lanes = await createLanes({
  server: URL_OF_SERVER, password: PASSWORD, configFiles: false, journal: { folder: STATE },
  log: (sentence) => void said.push(sentence), WORKER_URL
  ...(THREADS === undefined ? {} : { threads: THREADS as "workers" }),
})
lanes.on("worker:started", (event) => void workers.push(event.worker))
const task = await lanes.launch({ agent: "general", prompt: PROMPT })
const { state, reason, sentence, text } = await task.done
await lanes.close()
console.log(JSON.stringify({ state, reason, sentence, text, workers: workers.length, said }))
`
const plainApp = APP.replace(" WORKER_URL", "")
const bundledApp = APP.replace("WORKER_URL", 'workerUrl: new URL("./worker.js", import.meta.url),')

interface Answer {
  readonly state: string
  readonly reason: string
  readonly sentence: string
  readonly text: string
  readonly workers: number
  readonly said: readonly string[]
}

/** Runs an app on the test's OpenCode. */
async function play(what: string, command: readonly string[], cwd: string, more: Record<string, string> = {}) {
  const id = what.replaceAll(/\W+/g, "-")
  const env = environment({
    URL_OF_SERVER: oc.url,
    PASSWORD: oc.password,
    PROMPT: scripted(`Play ${id}`, { id, turns: [{ text: `said ${id}` }] }),
    STATE: folder(`state-${id}`),
    ...more,
  })
  const ended = await timed(what, command, { cwd, env })
  const answer = ended.exitCode === 0 ? (JSON.parse(ended.stdout) as Answer) : undefined
  return { ...ended, answer, id }
}

/** TypeScript for Node 20, which strips nothing. */
const asJavaScript = (source: string): string => new Bun.Transpiler({ loader: "ts" }).transformSync(source)

test(
  "npm install: nothing else comes with it; Bun drives runs in workers, Node 20 inline and says so",
  async () => {
    const cwd = project("npm")
    const install = ["npm", "install", "--no-audit", "--no-fund", "--offline", packed.tarball]
    const { exitCode, stdout } = await timed("npm install", install, { cwd, env: environment() })
    expect({ exitCode, stdout: stdout.trim() }).toEqual({
      exitCode: 0,
      stdout: expect.stringMatching(/^added 1 package/),
    })
    writeFileSync(join(cwd, "app.ts"), plainApp)
    writeFileSync(join(cwd, "app.js"), asJavaScript(plainApp))

    const bun = await play("npm, Bun", [BUN, "app.ts"], cwd)
    expect(bun.answer).toMatchObject({
      state: "completed",
      reason: "FINISHED",
      text: `said ${bun.id}`,
      workers: 1,
      said: [],
    })

    const node = await play("npm, Node", ["node", "app.js"], cwd)
    expect(node.answer).toMatchObject({ state: "completed", reason: "FINISHED", text: `said ${node.id}`, workers: 0 })
    expect(node.answer?.said.join("\n")).toMatch(
      /This host has no Web Workers for us: runs are driven on the main thread\./,
    )

    const asked = await play("npm, Node asked for workers", ["node", "app.js"], cwd, { THREADS: "workers" })
    expect(asked.exitCode).toBe(1)
    expect(asked.stderr).toContain('Workers need Bun. Run this with Bun, or say threads: "inline".')
  },
  LIMIT_MS,
)

const IMPORTS = `import { createLanes, LanesError } from "opencode-lanes"
import { agent, simulate } from "opencode-lanes/sim"
import plugin, * as all from "opencode-lanes/server"
import schema from "opencode-lanes/schema.json" with { type: "json" }
const said = [typeof createLanes, Object.keys(all).join(), plugin.id, typeof plugin.server, schema.title]
try {
  const sim = simulate({ seed: 1 })
  const task = sim.launch({}, agent().think("1s").done("done"))
  sim.run()
  said.push(task.row.outcome.text)
} catch (error) { said.push(error instanceof LanesError ? error.message : error.stack) }
console.log(JSON.stringify(said))
`

test(
  "each entry can be imported, by Node 20 too, where the simulation says what it needs",
  async () => {
    const cwd = project("imports")
    symlinkSync(dirname(packed.directory), join(cwd, "node_modules"))
    writeFileSync(join(cwd, "app.js"), IMPORTS)
    for (const [program, played] of [
      [BUN, "done"],
      ["node", "The simulation needs Bun. Run this with Bun: https://bun.sh"],
    ] as const) {
      const { stdout, stderr } = await run([program, "app.js"], { cwd, env: environment() })
      const said: unknown = JSON.parse(stdout === "" ? JSON.stringify(stderr) : stdout)
      expect(said).toEqual(["function", "default", "opencode-lanes", "function", "opencode-lanes", played])
    }
  },
  LIMIT_MS,
)

test(
  "bun install: the same, and the command line without Node on the PATH",
  async () => {
    const cwd = project("bun")
    const install = [BUN, "add", "--silent", packed.tarball]
    expect((await timed("bun add", install, { cwd, env: environment() })).exitCode).toBe(0)
    writeFileSync(join(cwd, "app.ts"), plainApp)
    const { answer, id } = await play("bun add, Bun", [BUN, "app.ts"], cwd)
    expect(answer).toMatchObject({ state: "completed", text: `said ${id}`, workers: 1 })

    const PATH = pathWith("only-bun", { bun: BUN, sh: Bun.which("sh"), env: Bun.which("env") })
    const { stdout, exitCode } = await timed("bunx, no Node", ["bun", "x", "lanes", "--version"], {
      cwd,
      env: environment({ PATH }),
    })
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: "0.1.0\n" })
  },
  LIMIT_MS,
)

test(
  "a user's app: bundled and compiled, with the worker as an entry of its own",
  async () => {
    const cwd = project("bundle")
    symlinkSync(dirname(packed.directory), join(cwd, "node_modules"))
    writeFileSync(join(cwd, "app.ts"), bundledApp)
    writeFileSync(join(cwd, "worker.ts"), 'import "opencode-lanes/worker"\n')
    const env = environment()

    const build = [BUN, "build", "app.ts", "worker.ts", "--target=bun", "--outdir", join(root, "bundled")]
    expect(await timed("bun build", build, { cwd, env })).toMatchObject({ exitCode: 0 })
    const bundled = await play("bundled", [BUN, "app.js"], join(root, "bundled"))
    expect(bundled.answer).toMatchObject({ state: "completed", text: `said ${bundled.id}`, workers: 1 })

    const compile = [BUN, "build", "--compile", "app.ts", "worker.ts", "--outfile", join(folder("compiled"), "app")]
    expect(await timed("bun build --compile", compile, { cwd, env })).toMatchObject({ exitCode: 0 })
    const compiled = await play("compiled", ["./app"], join(root, "compiled"))
    expect(compiled.answer).toMatchObject({ state: "completed", text: `said ${compiled.id}`, workers: 1 })
  },
  LIMIT_MS,
)

test(
  "a bundled app that names no worker: the task fails and says what to set",
  async () => {
    const cwd = project("no-worker")
    symlinkSync(dirname(packed.directory), join(cwd, "node_modules"))
    writeFileSync(join(cwd, "app.ts"), plainApp)
    const out = join(root, "no-worker-bundled")
    const build = [BUN, "build", "app.ts", "--target=bun", "--outdir", out]
    expect(await run(build, { cwd, env: environment() })).toMatchObject({ exitCode: 0 })
    const { answer, stderr } = await play("bundled without worker", [BUN, "app.js"], out)
    expect(answer ?? stderr).toMatchObject({ state: "error", reason: "WORKER_LOST" })
    expect(answer?.sentence).toMatch(/workerUrl/)
  },
  LIMIT_MS,
)

test.skipIf(Bun.which("tmux") === null).each([
  ["1.4", BUN],
  ["1.3", join(ROOT, "node_modules/bun-1.3/bin/bun.exe")],
])(
  "in a narrow terminal, on Bun %s: one picture that fits, then the result and the cursor",
  async (version, bun) => {
    const cwd = folder(`terminal-${version}`)
    const turns = [{ wait: 1500, text: "as told" }]
    writeFileSync(join(cwd, "prompt.txt"), scripted("Look at 世界 ".repeat(20), { id: `terminal-${version}`, turns }))
    const env = environment({ OPENCODE_SERVER_PASSWORD: oc.password, LANES_SERVER: oc.url })
    using terminal = new TestTerminal({ columns: 40, rows: 12 }, { ...env, NO_COLOR: undefined })
    const words = [bun, join(packed.directory, "dist/cli.js"), "run", "-", "--dir", oc.directory]
    terminal.type(`clear; ${quoted(words)} < ${join(cwd, "prompt.txt")}; echo exit=$?`)
    await terminal.shows(/^ {2}● general +Look at 世界/)
    expect(terminal.cursorVisible).toBe(false)
    expect(terminal.screen().filter((line) => line.includes("世界"))).toHaveLength(1)
    await terminal.shows(/^exit=0$/)
    expect(terminal.cursorVisible).toBe(true)
    expect(terminal.screen(true).filter((line) => line.includes("世界"))).toHaveLength(1)
    expect(terminal.screen(true)).toContain("as told")
  },
  LIMIT_MS,
)

test(
  "types: a strict user finds them, by either resolution, without any other types",
  async () => {
    const cwd = project("types")
    symlinkSync(dirname(packed.directory), join(cwd, "node_modules"))
    writeFileSync(
      join(cwd, "app.ts"),
      `import { createLanes, LanesError } from "opencode-lanes"
import type { LaneEvent, Outcome } from "opencode-lanes"
import { agent, simulate } from "opencode-lanes/sim"
import plugin from "opencode-lanes/server"

await using lanes = await createLanes({ server: { spawn: true }, config: { providerConcurrency: { anthropic: 3 } } })
const undo: () => void = lanes.on("task:settled", (event) => void (event.outcome satisfies Outcome))
const all: LaneEvent[] = []
lanes.on("*", (event) => all.push(event))
const { text }: Outcome = await (await lanes.launch({ prompt: "x", ttlMs: null })).done
// @ts-expect-error no such event
lanes.on("task:done", () => {})
// @ts-expect-error a limit is a number
await createLanes({ server: "", config: { defaultConcurrency: "3" } })
try { lanes.cancel(text) } catch (thrown) { if (thrown instanceof LanesError && thrown.code === "TASK_UNKNOWN") undo() }
const sim = simulate({ seed: 1 })
sim.launch({}, agent().think("1s").done("done"))
export const id: string = plugin.id
`,
    )
    for (const [module, moduleResolution] of [
      ["Preserve", "bundler"],
      ["NodeNext", "NodeNext"],
    ]) {
      const compilerOptions = { module, moduleResolution, target: "ES2022", strict: true, noEmit: true, types: [] }
      writeFileSync(join(cwd, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["app.ts"] }))
      const tsc = ["node", join(ROOT, "node_modules/typescript/bin/tsc"), "-p", "."]
      const { exitCode, stdout } = await timed(`tsc, ${moduleResolution}`, tsc, { cwd, env: environment() })
      expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: "" })
    }
  },
  LIMIT_MS,
)

test(
  "npx, with Node alone on the PATH: brings a Bun in one sentence, plays the demo, exits as it does",
  async () => {
    const programs = ["node", "npm", "sh", "env", "git", "sed", "ps", "rm", "mkdir", "sleep"]
    const PATH = pathWith("only-node", Object.fromEntries(programs.map((name) => [name, Bun.which(name)])))
    const env = environment({ PATH, OPENCODE_BIN: realpathSync(findBinary()) })
    const npx = ["npm", "exec", "--yes", `--package=${packed.tarball}`, "--", "opencode-lanes"]
    const { exitCode, stdout, stderr } = await timed("npx demo, no Bun", [...npx, "demo", "--json"], {
      cwd: folder("npx"),
      env,
    })
    expect(exitCode).toBe(0)
    expect(stderr).toMatch(/^lanes runs on Bun, which is not on this machine: npm brings bun@[\d.]+ .*$/m)
    expect(JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "")).toMatchObject({
      type: "summary",
      tasks: 9,
      completed: 9,
    })

    const wrong = await run([...npx, "demoo"], { cwd: folder("npx"), env })
    expect({ exitCode: wrong.exitCode, said: wrong.stderr.includes('Did you mean "demo"?') }).toEqual({
      exitCode: 2,
      said: true,
    })
  },
  LIMIT_MS,
)
