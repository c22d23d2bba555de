/** Each check is shown to pass a clean tree and to catch what is planted in it, with the sentence that explains it. */
import { afterAll, describe, expect, test } from "bun:test"
import { ScratchTree } from "./scratch-tree.ts"

const LIMIT_MS = 20_000

const NOTHING = "export const nothing: number = 0\n"

const manifest = (dependencies: Readonly<Record<string, string>>): string =>
  `${JSON.stringify({ name: "planted", type: "module", dependencies }, null, 2)}\n`

const clean = {
  "package.json": manifest({ mitt: "3.0.1" }),
  "src/index.ts": 'export { bus } from "./coordinator/bus.ts"\n',
  "src/core/step.ts": "export function step(now: number): string {\n  return new Date(now).toISOString()\n}\n",
  "src/coordinator/ports.ts": "export interface Clock {\n  now(): number\n}\n",
  "src/coordinator/bus.ts":
    'import mitt, { type Emitter } from "mitt"\n' +
    'import { step } from "../core/step.ts"\n\n' +
    "type Events = { settled: string }\n\n" +
    "export const bus: Emitter<Events> = mitt<Events>()\n" +
    'bus.emit("settled", step(0))\n',
  "src/adapters/system-clock.ts":
    'import type { Clock } from "../coordinator/ports.ts"\n\n' +
    "export const systemClock: Clock = { now: () => performance.now() }\n",
  "src/cli/main.ts": 'import { systemClock } from "../adapters/system-clock.ts"\n\nconsole.log(systemClock.now())\n',
  "workers/session-worker.ts": NOTHING,
  "scripts/demo.ts": NOTHING,
  "scripts/check/none.ts": NOTHING,
  "test/none.test.ts": NOTHING,
}

const trees: ScratchTree[] = []
afterAll(() => {
  for (const tree of trees) tree[Symbol.dispose]()
})

function planted(files: Readonly<Record<string, string>> = {}): ScratchTree {
  const made = new ScratchTree({ ...clean, ...files })
  trees.push(made)
  return made
}

const CHECKS = ["types", "lint", "syntax", "format", "boundaries", "dead-code"]

describe("a clean tree", () => {
  test.each(CHECKS)(
    "passes the check of %s",
    (name) => {
      const { code, output } = planted().check(`check:${name}`)
      expect({ code, output }).toEqual({ code: 0, output: expect.anything() })
    },
    LIMIT_MS,
  )
})

describe("types", () => {
  const cases: readonly (readonly [what: string, text: string, message: string])[] = [
    ["an index taken for granted", 'export const first: string = ["a"][0]\n', "Type 'undefined' is not assignable"],
    ["syntax that does not erase", "export enum Kind {\n  A,\n}\n", "not allowed when 'erasableSyntaxOnly'"],
    [
      "an undefined option",
      "type O = { a?: number }\nexport const o: O = { a: undefined }\n",
      "exactOptionalPropertyTypes",
    ],
  ]
  const files = cases.map(([, text], index) => [`src/core/wrong-${index}.ts`, text] as const)
  const { code, output } = planted(Object.fromEntries(files)).check("check:types")

  test("fails", () => expect(code).not.toBe(0))
  test.each(cases)("%s is caught", (_what, _text, message) => expect(output).toContain(message))

  // The compiler speaks of declarations only where everything else is right.
  test(
    "an export without a type is caught",
    () => {
      const said = planted({ "src/core/untyped.ts": "export const untyped = [1].map(String)\n" }).check("check:types")
      expect(said.code).not.toBe(0)
      expect(said.output).toContain("--isolatedDeclarations")
    },
    LIMIT_MS,
  )
})

describe("lint", () => {
  const TIME = "The core decides; time comes in as an argument."
  const CALLBACK = "A callback handed to a worker is code execution in the coordinator"
  const cases: readonly (readonly [file: string, text: string, sentence: string])[] = [
    ["src/core/a.ts", "export const at: number = Date.now()\n", TIME],
    ["src/coordinator/b.ts", "export const at: number = performance.now()\n", TIME],
    ["src/core/c.ts", "export const t: unknown = setTimeout(String, 1)\n", "it asks for a timer with an effect"],
    ["src/core/d.ts", "export const t: unknown = setInterval(String, 1)\n", "it asks for a timer with an effect"],
    ["src/core/e.ts", "export const e: unknown = process.env\n", "what the process knows comes in as an argument"],
    ["src/core/f.ts", 'console.log("x")\n', "Only the command line and the scripts print"],
    ["src/core/g.ts", "export const n: number = Math.random()\n", "chance would break the replay of a run"],
    ["src/core/h.ts", "export const id: string = crypto.randomUUID()\n", "ids come from the port Ids"],
    ["src/core/i.ts", "export const v: string = Bun.version\n", "the host is touched by adapters only"],
    ["src/core/j.ts", 'export { readFileSync } from "node:fs"\n', "files, processes and the host are touched"],
    ["src/adapters/k.ts", 'process.chdir("/")\n', "process.chdir in one worker moves the whole process"],
    ["src/adapters/l.ts", 'import { chdir } from "node:process"\n\nchdir("/")\n', "moves the whole process"],
    ["workers/m.ts", 'import { proxy } from "comlink"\n\nexport const p: unknown = proxy({})\n', CALLBACK],
    ["workers/n.ts", 'import * as link from "comlink"\n\nexport const p: unknown = link.proxy({})\n', CALLBACK],
    ["src/adapters/o.ts", 'console.log("x")\n', "Only the command line and the scripts print"],
    ["src/cli/p.ts", "async function go(): Promise<void> {}\n\ngo()\n", "Promises must be awaited"],
  ]
  // One run for all of them: the file tells which sentence belongs to which.
  const { code, output } = planted(Object.fromEntries(cases)).check("check:lint")
  const blocks = output.split("\n\n")

  test("fails", () => expect(code).not.toBe(0))
  test.each(cases)("%s", (file, _text, sentence) => {
    const said = blocks.filter((block) => block.includes(`[${file}:`)).join("\n")
    expect(said).toContain(sentence)
  })
})

test(
  "syntax: asking for the time by new Date() is caught in the core, and nowhere else",
  () => {
    const text = "export const at: Date = new Date()\n"
    const { code, output } = planted({ "src/core/late.ts": text, "src/adapters/late.ts": text }).check("check:syntax")
    expect(code).not.toBe(0)
    expect(output.trim()).toBe("src/core/late.ts:1  The core decides; time comes in as an argument.")
  },
  LIMIT_MS,
)

test(
  "format: a line formatted by hand is caught",
  () => {
    const { code, output } = planted({ "src/core/ugly.ts": "export const a:number=1;\n" }).check("check:format")
    expect(code).not.toBe(0)
    expect(output).toContain("src/core/ugly.ts")
    expect(output).not.toContain("src/core/step.ts")
  },
  LIMIT_MS,
)

test(
  "dead code: a file, an export and a package nobody uses are caught",
  () => {
    const { code, output } = planted({
      "package.json": manifest({ mitt: "3.0.1", valibot: "1.5.0" }),
      "src/core/forgotten.ts": "export const forgotten: number = 1\n",
      "src/core/step.ts": `${clean["src/core/step.ts"]}\nexport const unused: number = 2\n`,
    }).check("check:dead-code")
    expect(code).not.toBe(0)
    expect(output).toContain("src/core/forgotten.ts")
    expect(output).toMatch(/unused +src\/core\/step\.ts/)
    expect(output).toMatch(/valibot +package\.json/)
  },
  LIMIT_MS,
)
