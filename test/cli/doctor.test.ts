import { describe, expect, test } from "bun:test"
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { LANES, run } from "../helpers/command.ts"
import { useOpenCode } from "../helpers/opencode.ts"

const oc = useOpenCode()

interface Answer {
  readonly ok: boolean
  readonly findings: readonly { area: string; mark: string; sentence: string; remedy?: string }[]
}

async function doctor(
  more: Record<string, string> = {},
  cwd: string = oc.directory,
): Promise<{ exitCode: number; answer: Answer }> {
  const env = { ...oc.home.env, OPENCODE_SERVER_PASSWORD: oc.password, LANES_SERVER: oc.url, ...more }
  const { exitCode, stdout } = await run([...LANES, "doctor", "--json"], { cwd, env })
  return { exitCode, answer: JSON.parse(stdout) as Answer }
}

const marks = ({ findings }: Answer): string[] => findings.map(({ area, mark }) => `${area} ${mark}`)

/** The user's own file of limits, for one test. */
function limits(text: string): Record<string, string> {
  const folder = join(oc.home.root, `config-${Bun.hash(text)}`)
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, "opencode-lanes.json"), text)
  return { OPENCODE_CONFIG_DIR: folder }
}

describe("lanes doctor", () => {
  test("a machine on which all is well", async () => {
    const { exitCode, answer } = await doctor()
    expect(marks(answer).filter((line) => !line.startsWith("plugin"))).toEqual([
      "bun ok",
      "workers ok",
      "journal ok",
      "config ok",
      "lanes ok",
      "opencode ok",
      "server ok",
      "providers ok",
      "agents ok",
    ])
    expect({ exitCode, ok: answer.ok }).toEqual({ exitCode: 0, ok: true })
    const said = Object.fromEntries(answer.findings.map(({ area, sentence }) => [area, sentence]))
    expect(said["lanes"]).toBe("default 5")
    expect(said["providers"]).toBe("acme (3), globex (1); default model acme/fast")
    expect(said["agents"]).toBe("explore, general")
  })

  test("limits: what each file sets, a mistyped provider, none at all", async () => {
    const text = '{ "defaultConcurrency": 7, "providerConcurrency": { "acme": 0, "globexx": 2 } }'
    const { exitCode, answer } = await doctor(limits(text))
    expect(exitCode).toBe(0)
    const sentences = answer.findings.map(({ sentence }) => sentence)
    expect(sentences).toContain("default 7, provider:acme unlimited, provider:globexx 2")
    expect(
      sentences.some((line) => line.endsWith("opencode-lanes.json sets defaultConcurrency, providerConcurrency")),
    ).toBe(true)
    const notes = answer.findings.filter(({ area, mark }) => area === "lanes" && mark === "note")
    expect(notes.map(({ sentence }) => sentence)).toEqual([
      "provider:acme has no limit: a provider may answer many at once with 429",
      "provider:globexx limits nothing: OpenCode has no provider globexx",
    ])
    expect(notes.every(({ remedy }) => remedy !== undefined)).toBe(true)
  })

  test.each([
    [
      "a file that cannot be read",
      () => limits('{ "defaultConcurrency": "many" }'),
      /defaultConcurrency: expected .* got "many"/,
    ],
    [
      "a wrong password",
      () => ({ OPENCODE_SERVER_PASSWORD: "wrong" }),
      /refuses our password\. Set OPENCODE_SERVER_PASSWORD/,
    ],
    ["no server there", () => ({ LANES_SERVER: "http://127.0.0.1:9" }), /Start it with `opencode serve`/],
    [
      "a program that is none",
      () => ({ LANES_SERVER: "spawn", OPENCODE_BIN: "/bin/false" }),
      /false --version ended with 1/,
    ],
  ])(
    "%s: exit 1, and what to do",
    async (_what, more, says) => {
      const { exitCode, answer } = await doctor(more())
      expect({ exitCode, ok: answer.ok }).toEqual({ exitCode: 1, ok: false })
      const bad = answer.findings
        .filter(({ mark }) => mark === "bad")
        .map(({ sentence, remedy }) => `${sentence} ${remedy ?? ""}`)
      expect(bad.join("\n")).toMatch(says)
    },
    30_000,
  )

  test("every file that OpenCode reads, whole packages and others", async () => {
    const project = oc.newDirectory()
    const cwd = join(project, "a", "b")
    const whole = join(oc.home.root, "checkout", "opencode-lanes")
    const cached = join(oc.home.root, "cache/opencode/packages/opencode-lanes@latest/node_modules/opencode-lanes")
    const write = (folder: string, name: string, text: string): string => {
      mkdirSync(folder, { recursive: true })
      writeFileSync(join(folder, name), text)
      return join(folder, name)
    }
    mkdirSync(cwd, { recursive: true })
    write(whole, "package.json", '{ "version": "1.2.3" }')
    for (const name of ["server.js", "session-worker.js"]) write(join(whole, "dist"), name, "")
    write(cached, "package.json", '{ "version": ')
    const above = write(project, "opencode.json", '\uFEFF{ "plugin": ["opencode-lanes"] }')
    const beside = write(project, "opencode.jsonc", "[]")
    const entry = join(whole, "dist", "server.js")
    const dotted = write(join(project, ".opencode"), "opencode.json", JSON.stringify({ plugin: [entry] }))
    const extra = write(join(oc.home.root, "extra"), "opencode.jsonc", '{ "plugin": ["oh-my-opencode"] }')
    const more = { OPENCODE_DISABLE_PROJECT_CONFIG: "", OPENCODE_CONFIG_DIR: join(extra, "..") }
    const { exitCode, answer } = await doctor(more, cwd)
    expect({ exitCode, ok: answer.ok }).toEqual({ exitCode: 1, ok: false })
    const said = answer.findings.filter(({ area }) => area === "plugin").map(({ mark, sentence }) => [mark, sentence])
    expect(said.slice(0, 5)).toEqual([
      ["bad", `${beside}: this is not an object`],
      ["bad", `${above} lists "opencode-lanes": version unknown in ${cached}; it is not complete`],
      ["ok", `${dotted} lists "${entry}": version 1.2.3 in ${whole}`],
      ["note", "it is listed more than once; one entry is enough"],
      ["note", expect.stringMatching(/^oh-my-opencode is listed too/)],
    ])
  })

  test("for people: a line each, without colours in a pipe, and a verdict", async () => {
    const env = { ...oc.home.env, OPENCODE_SERVER_PASSWORD: oc.password }
    const { stdout, exitCode } = await run([...LANES, "doctor", "--server", oc.url], { cwd: oc.directory, env })
    expect(exitCode).toBe(0)
    expect(stdout).toBe(Bun.stripANSI(stdout))
    expect(stdout).toMatch(/^ok {4}workers +a worker starts in \d+ ms$/m)
    expect(stdout).toMatch(/\n\nEverything needed is there\.\n$/)
  })
})
