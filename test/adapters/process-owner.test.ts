/** Who still runs: by the system's word, by `ps`, and from another container by the file alone. */

import { afterEach, beforeEach, expect, spyOn, test } from "bun:test"
import { statSync, utimesSync } from "node:fs"
import { resolve } from "node:path"

import { BEAT_MS } from "../../src/adapters/journal-owner.ts"
import { isRunning, thisProcess } from "../../src/adapters/process-owner.ts"
import { JournalFolder, SERVER } from "../helpers/journals.ts"
import { rowOf } from "../helpers/rows.ts"

let at: JournalFolder
beforeEach(() => {
  at = new JournalFolder()
})
afterEach(() => at[Symbol.dispose]())

test("a process is told from a later one with its number", () => {
  const self = thisProcess()
  expect(isRunning(self)).toBe(true)
  expect(isRunning({ ...self, start: `1${self.start}` })).toBe(false)
  expect(isRunning({ pid: 999_999_999, start: self.start })).toBe(false)
  expect(isRunning({ pid: 999_999_999, start: "" })).toBe(false)
  expect(isRunning({ ...self, start: "" })).toBe(true)
})

test.if(process.platform === "linux")(
  "the version before named no container: its processes are those of this one",
  () => {
    const self = thisProcess()
    const before = self.start.split("@").slice(0, 2).join("@")
    expect(isRunning({ ...self, start: before })).toBe(true)
    expect(isRunning({ ...self, start: `1${before}` })).toBe(false)
  },
)

test.if(process.platform === "linux")(
  "one of another container cannot be seen, one from before the last boot has ended",
  () => {
    const { pid, start } = thisProcess()
    const [ticks, boot] = start.split("@")
    expect(isRunning({ pid, start: `${ticks}@${boot}@pid:[1]` })).toBeUndefined()
    expect(isRunning({ pid, start: `${ticks}@another boot@pid:[1]` })).toBe(false)
  },
)

test("ps says the same in each time zone, and where it says nothing nobody is taken for dead", async () => {
  const program = `
    Object.defineProperty(process, "platform", { value: "darwin" })
    const { isRunning, thisProcess } = await import(${JSON.stringify(resolve(import.meta.dir, "../../src/adapters/process-owner.ts"))})
    const owner = process.env.OWNER
    process.stdout.write(JSON.stringify(owner ? isRunning(JSON.parse(owner)) : thisProcess()))
    if (!owner) await Bun.stdin.text()`
  const command = [process.execPath, "-e", program]
  const child = Bun.spawn(command, { env: { ...process.env, TZ: "America/New_York" }, stdin: "pipe", stdout: "pipe" })
  let OWNER = ""
  for await (const chunk of child.stdout) {
    OWNER = new TextDecoder().decode(chunk)
    break
  }
  const runs = (env: object = {}): string =>
    Bun.spawnSync(command, { env: { ...process.env, OWNER, ...env } }).stdout.toString()
  expect(OWNER).toMatch(/\d{4}@UTC/)
  expect([runs(), runs({ TZ: "Asia/Tokyo", LC_ALL: "de_DE.UTF-8" }), runs({ PATH: "/nowhere" })]).toEqual(
    Array(3).fill("true"),
  )
  const { pid } = JSON.parse(OWNER) as { pid: number }
  expect(runs({ OWNER: JSON.stringify({ pid, start: "Tue Jan  5 10:00:00 2027@UTC" }) })).toBe("false")
  // Of the version before, in the time zone of its owner.
  expect(runs({ OWNER: JSON.stringify({ pid, start: "Tue Jan  5 10:00:00 2027" }) })).toBe("true")
  await child.stdin.end()
  await child.exited
  expect(runs()).toBe("false")
}, 30_000)

/** A journal whose owner is in another container. */
async function abroad(): Promise<{ file: string; id: string }> {
  const owner = await at.open()
  const row = rowOf()
  owner.journal.write([row], [])
  const start = `${thisProcess().start.split("@").slice(0, 2).join("@")}@pid:[1]`
  await at.sql(owner.journal.file, `UPDATE owner SET start = '${start}'`)
  return { file: owner.journal.file, id: row.id }
}

function silence(file: string, seconds: number): void {
  const then = Date.now() / 1_000 - seconds
  for (const path of [file, `${file}-wal`]) utimesSync(path, then, then)
}

test.if(process.platform === "linux")("an owner in another container lives while its file is touched", async () => {
  const { file, id } = await abroad()
  silence(file, 50)
  expect((await at.open()).alive).toEqual([])
  silence(file, 70)
  const heir = await at.open()
  expect([heir.journal.file, heir.alive.map((row) => row.id)]).toEqual([file, [id]])
})

test("an owner at rest touches its file, until it closes", async () => {
  using every = spyOn(globalThis, "setInterval")
  using clear = spyOn(globalThis, "clearInterval")
  const { journal } = await at.open()
  const call = every.mock.calls.findIndex(([, ms]) => ms === BEAT_MS)
  silence(journal.file, 100)
  every.mock.calls[call]?.[0]()
  expect(Date.now() - statSync(journal.file).mtimeMs).toBeLessThan(50_000)
  journal.close()
  expect(clear).toHaveBeenCalledWith(every.mock.results[call]?.value)
})

const apart = ["unshare", "-pf", "--mount-proc"]
const isAble = Bun.which("unshare") !== null && Bun.spawnSync([...apart, "true"]).exitCode === 0

test.if(isAble)("a living owner's tasks are not taken over from another container", async () => {
  const { journal } = await at.open()
  journal.write([rowOf()], [])
  const program = resolve(import.meta.dir, "../helpers/take-over.ts")
  const { stdout } = Bun.spawnSync([...apart, process.execPath, program, at.folder, SERVER], { stderr: "inherit" })
  expect(stdout.toString()).toBe("[]")
  journal.write([rowOf()], [])
})
