import { readdirSync } from "node:fs"
import { describe, expect, test } from "bun:test"

import { assignmentOf, runOf, STOP } from "../../helpers/assignments.ts"
import { realPools } from "../../helpers/real-pool.ts"

const open = realPools()
const OLD_BUN = Bun.semver.satisfies(Bun.version, "<1.4.0")

describe("pool", () => {
  test("spreads runs over workers, then stacks them on the least loaded", async () => {
    const { pool, heard, start } = open({ maxWorkers: 2 })
    const runs = [1, 2, 3, 4].map((n) => start(runOf(`bg_${n}`)))
    await Promise.all(runs.map((run) => heard.of(run, "prompted")))
    expect(pool.counts()).toMatchObject({ workers: 2, runs: 4 })
    expect(heard.all.filter(({ type }) => type === "worker-started")).toHaveLength(2)
    // Of 1 2 3 4 on workers 1 2 1 2, the ends of 1 and 3 leave the first worker to the next two.
    for (const run of [runs[0], runs[2]]) if (run) pool.command(run, STOP)
    await heard.of(runOf("bg_3"), "stopped")
    await heard.of(runOf("bg_1"), "stopped")
    start(runOf("bg_5"))
    start(runOf("bg_6"), "!exit 1")
    const lost = await heard.until("worker-lost")
    expect(lost.runs.map(({ task }) => task).toSorted()).toEqual(["bg_5", "bg_6"])
  })

  test("an idle worker is used before a new one", async () => {
    const { pool, heard, start } = open({ maxWorkers: 2 })
    const first = start(runOf("bg_1"))
    pool.command(first, STOP)
    await heard.of(first, "stopped")
    const second = start(runOf("bg_2"), "!count 1")
    await heard.of(second, "poll-failed")
    const third = start(runOf("bg_3"), "!exit 0")
    expect((await heard.until("worker-lost")).runs).toEqual([third])
    expect(heard.all.filter(({ type }) => type === "worker-started")).toHaveLength(2)
  })

  for (const way of ["alone", "isolation"] as const) {
    test(`${way}: a run has a worker of its own as long as it lasts`, async () => {
      const { pool, heard, startWith, start, order } = open({
        maxWorkers: 1,
        isolation: way === "isolation" ? "task" : "pool",
      })
      const own = startWith(runOf("bg_own"), { alone: way === "alone" })
      const others = [start(runOf("bg_1")), start(runOf("bg_2"))]
      await Promise.all([own, ...others].map((run) => heard.of(run, "prompted")))
      expect(pool.counts().workers).toBe(way === "alone" ? 2 : 3)
      order(own, "!exit 1")
      expect((await heard.until("worker-lost")).runs).toEqual([own])
    })
  }

  test("the worker of a run that was alone is shared again", async () => {
    const { pool, heard, start, startWith } = open({ maxWorkers: 1 })
    const own = startWith(runOf("bg_own"), { alone: true })
    pool.command(own, STOP)
    await heard.of(own, "stopped")
    await gone(() => pool.counts().runs === 0)
    const shared = [start(runOf("bg_1")), start(runOf("bg_2"))]
    await Promise.all(shared.map((run) => heard.of(run, "prompted")))
    expect(pool.counts().workers).toBe(1)
  })

  test.skipIf(OLD_BUN)("idle workers end, without being a loss", async () => {
    const { pool, heard, start } = open({ idleMs: 20 })
    const run = start(runOf("bg_1"))
    await heard.of(run, "prompted")
    pool.command(run, STOP)
    await gone(() => pool.counts().workers === 0)
    expect(heard.all.some(({ type }) => type === "worker-lost")).toBe(false)
    const next = start(runOf("bg_2"))
    await heard.of(next, "prompted")
  })

  test.skipIf(!OLD_BUN)("idle workers stay where an ended one would keep files open", async () => {
    const { pool, heard, start } = open({ idleMs: 0, maxThreads: 3 })
    const end = async (n: number): Promise<void> => {
      await heard.of(start(runOf(`bg_${n}`), "!exit 1"), "prompted")
      await heard.until("worker-lost", ({ runs }) => runs[0]?.task === `bg_${n}`)
    }
    const first = start(runOf("bg_0"))
    pool.command(first, STOP)
    await heard.of(first, "stopped")
    for (const n of [1, 2, 3]) await end(n)
    start(runOf("bg_4"))
    expect((await heard.until("worker-lost", ({ worker }) => worker === "none")).runs).toEqual([runOf("bg_4")])
  })

  test("a run that needs one thread too many waits for one, with its orders", async () => {
    const { pool, heard, startWith, order } = open({ isolation: "task", maxThreads: 1 })
    const first = startWith(runOf("bg_1"), {})
    const second = startWith(runOf("bg_2"), {})
    order(second, "!count 1")
    await heard.of(first, "prompted")
    expect(heard.saidBy(second)).toEqual([])
    pool.command(first, STOP)
    await heard.of(second, "poll-failed", ({ message }) => message === "0")
    expect(pool.counts()).toMatchObject({ workers: 1, runs: 1 })
  })

  test("closing while workers load, serve and wait leaves none", async () => {
    const { pool, heard, start } = open({ isolation: "task", maxThreads: 2 })
    await heard.of(start(runOf("bg_1")), "prompted")
    start(runOf("bg_2"))
    start(runOf("bg_3"))
    await pool.close()
    expect(pool.counts()).toEqual({ workers: 0, runs: 0, zombies: 0, strays: 0 })
  })

  test("a pool without runs does not keep the process alive", async () => {
    const script = new URL("../../helpers/idle-pool.ts", import.meta.url).pathname
    const child = Bun.spawn([process.execPath, script], { stdout: "pipe", stderr: "inherit" })
    expect(await new Response(child.stdout).text()).toBe("stopped\n")
    expect(await child.exited).toBe(0)
  })

  test("200 runs, each after the last worker rested, leave no thread and no file behind", async () => {
    const { pool, heard } = open({ isolation: "task", idleMs: 0 })
    const atRest = OLD_BUN ? 1 : 0
    const cycle = async (n: number): Promise<void> => {
      const run = runOf(`bg_${n}`)
      pool.run(assignmentOf(run))
      await heard.of(run, "prompted")
      pool.command(run, STOP)
      await gone(() => pool.counts().runs === 0 && pool.counts().workers === atRest)
    }
    for (let n = 0; n < 10; n += 1) await cycle(n)
    const before = held()
    for (let n = 10; n < 210; n += 1) await cycle(n)
    await gone(() => held().threads <= before.threads + 2 && held().files <= before.files + 2)
    expect(pool.counts()).toMatchObject({ workers: atRest, zombies: 0 })
    expect(heard.all.filter(({ type }) => type === "worker-started")).toHaveLength(OLD_BUN ? 1 : 210)
  }, 60_000)
})

/** A thread's end is not reported: looked for until it is there (the test's own limit bounds this). */
async function gone(isSo: () => boolean): Promise<void> {
  while (!isSo()) await Bun.sleep(1)
}

/** Threads and open files of this process, where the system tells. */
function held(): { threads: number; files: number } {
  if (process.platform !== "linux") return { threads: 0, files: 0 }
  return { threads: readdirSync("/proc/self/task").length, files: readdirSync("/proc/self/fd").length }
}
