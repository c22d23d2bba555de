/** The journal on a Node that has SQLite: the same file, the same promises. */

import { afterAll, beforeAll, expect, test } from "bun:test"
import { resolve } from "node:path"

import { journalsIn } from "../../src/adapters/journal-files.ts"
import { unseal } from "../../src/core/sealed.ts"
import type { TaskRow } from "../../src/core/task.ts"
import { JournalFolder } from "../helpers/journals.ts"

interface Said {
  readonly version: string
  readonly left: Readonly<Record<"alive" | "dead" | "sealed", readonly TaskRow[]>>
  readonly code?: string
  readonly file: string
}

/** The one on the PATH if it is new enough, else one from the registry. */
const NODES: readonly (readonly string[])[] = [["node"], ["npm", "exec", "--yes", "--package=node@22", "--", "node"]]
const PROGRAM = resolve(import.meta.dir, "../helpers/node-journal.ts")

let at: JournalFolder
beforeAll(() => {
  at = new JournalFolder()
})
afterAll(() => at[Symbol.dispose]())

function nodeWithSqlite(): readonly string[] | undefined {
  return NODES.find((node) => {
    // From 22.18 on it runs TypeScript as it is, and has SQLite without a flag.
    const asks = 'import("node:sqlite").then(() => process.features.typescript || process.exit(1))'
    const { exitCode } = Bun.spawnSync([...node, "-e", asks], { cwd: "/", stderr: "ignore", timeout: 60_000 })
    return exitCode === 0
  })
}

function run(node: readonly string[], what: string): Said {
  const { stdout, stderr } = Bun.spawnSync([...node, PROGRAM, what, at.folder], { cwd: "/", timeout: 20_000 })
  if (stdout.length === 0) throw new Error(stderr.toString())
  return JSON.parse(stdout.toString()) as Said
}

test("keeps rows over kill -9, refuses what does not fit, and hands over to Node and to Bun", async () => {
  const node = nodeWithSqlite()
  if (node === undefined) {
    process.stderr.write("No Node with SQLite on the PATH or in the registry: not tested on Node.\n")
    return
  }
  const died = run(node, "die")
  expect(Number(died.version.split(".")[0])).toBeGreaterThanOrEqual(22)
  expect(died.left).toEqual({ alive: [], dead: [], sealed: [] })
  expect(died.code).toBe("JOURNAL_FAILED")
  const heir = run(node, "take")
  expect(heir.file).toBe(died.file)
  expect(heir.left.alive.map(({ id, state }) => [id, state])).toEqual([
    ["bg_00000001", "pending"],
    ["bg_00000003", "running"],
    ["bg_00000004", "error"],
  ])
  expect(heir.left.alive[0]).toMatchObject({ attempt: 1, lastText: "\u0000\u2028'\"\\ 😀" })
  expect(heir.left.sealed.map(({ id, outcome }) => [id, outcome?.reason])).toEqual([["bg_00000002", "FINISHED"]])
  const bun = await at.open()
  expect([bun.alive, bun.sealed.map((row) => unseal(row))]).toEqual([
    heir.left.alive as TaskRow[],
    heir.left.sealed as TaskRow[],
  ])
  expect(journalsIn(at.folder)).toEqual([died.file])
}, 90_000)
