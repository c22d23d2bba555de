import { describe, expect, test } from "bun:test"

import { runOf, STOP } from "../../helpers/assignments.ts"
import { realPools } from "../../helpers/real-pool.ts"

const open = realPools()

describe("a worker is lost", () => {
  /** What a run does, and what is said of it. */
  const ways: readonly [order: string, cause: RegExp][] = [
    ["!throw thrown outside", /thrown outside/],
    ["!reject nobody caught", /nobody caught/],
    ["!reject-done not even the loop", /not even the loop/],
    ["!exit 3", /exited/],
    ["!exit 0", /exited/],
    ["!spin", /did not answer/],
    ["!flood", /flooded/],
    ["!post {}", /garbled/],
    ["!post 7", /garbled/],
    ['!post {"opencode-lanes":"report","report":{"type":"stopped"}}', /garbled/],
    ['!post {"opencode-lanes":"unheard-of"}', /garbled/],
    ["!cycle", /larger/],
    ["!heavy 16000001", /garbled/],
    ["!heavy 25000000", /larger/],
  ]
  for (const [order, cause] of ways) {
    test(`by ${order}; it is told once, and the other worker's run is unharmed`, async () => {
      const { pool, heard, start, order: give } = open({ silentMs: 400 })
      const well = start(runOf("bg_well"))
      await heard.of(well, "prompted")
      const bad = start(runOf("bg_bad"))
      await heard.of(bad, "prompted")
      give(bad, order)
      const lost = await heard.until("worker-lost")
      expect(lost).toMatchObject({ worker: "worker-2", runs: [bad] })
      expect(lost.cause).toMatch(cause)
      give(well, "!count 3")
      await heard.of(well, "poll-failed", ({ message }) => message === "2")
      pool.command(well, STOP)
      await heard.of(well, "stopped")
      expect(heard.all.filter(({ type }) => type === "worker-lost")).toHaveLength(1)
      expect(pool.counts()).toMatchObject({ workers: 1, zombies: 0 })
    })
  }

  test("with all the runs it had, and nothing more is heard of them", async () => {
    const { pool, heard, start, order } = open({ maxWorkers: 1 })
    const runs = [runOf("bg_a"), runOf("bg_b"), runOf("bg_c")]
    for (const run of runs) start(run)
    await Promise.all(runs.map((run) => heard.of(run, "prompted")))
    order(runOf("bg_b"), "!exit 1")
    const lost = await heard.until("worker-lost")
    expect(lost.runs).toEqual(runs)
    expect(heard.all.at(-1)).toBe(lost)
    expect(pool.counts()).toMatchObject({ workers: 0, runs: 0 })
    for (const run of runs) pool.command(run, STOP)
    const again = start(runOf("bg_a", 2))
    await heard.of(again, "prompted")
    expect(
      heard.all.slice(heard.all.indexOf(lost) + 1).some((report) => "run" in report && report.run.attempt === 1),
    ).toBe(false)
  })

  test("because its file is missing", async () => {
    const { pool, heard, start } = open({ workerUrl: new URL("./no-such-worker.ts", import.meta.url) })
    const run = start(runOf("bg_a"))
    expect(await heard.until("worker-lost")).toMatchObject({ runs: [run] })
    expect(pool.counts()).toMatchObject({ workers: 0, zombies: 0 })
  })

  test("because its heap grew beyond the limit", async () => {
    const { heard, start } = open({ heapLimitBytes: 60_000_000 })
    const run = start(runOf("bg_a"), "!hoard 10")
    await heard.of(run, "poll-failed", ({ message }) => message === "hoarded")
    expect(heard.all.some(({ type }) => type === "worker-lost")).toBe(false)
    const big = start(runOf("bg_b"), "!hoard 3000000")
    expect((await heard.until("worker-lost", ({ runs }) => runs[0]?.task === big.task)).cause).toMatch(/heap grew/)
  })

  test("everything it said before is told before its loss", async () => {
    const { heard, start } = open()
    const run = start(runOf("bg_a"), "!count-throw 1000")
    await heard.until("worker-lost")
    const said = heard.saidBy(run).flatMap((report) => (report.type === "poll-failed" ? [report.message] : []))
    expect(said).toEqual(Array.from({ length: 1000 }, (_, n) => String(n)))
    expect(heard.all.at(-1)?.type).toBe("worker-lost")
  })

  test("and a request it had under way is given up", async () => {
    const { heard, transport, start, order } = open({ silentMs: 300 })
    const run = start(runOf("bg_a"), "!fetch GET /hang")
    await transport.until(({ asked }) => asked.length === 1)
    order(run, "!spin")
    await heard.until("worker-lost")
    expect(transport.givenUp).toEqual(["GET /hang"])
  })
})

describe("a worker is not lost", () => {
  test("by 300 reports: they come in order", async () => {
    const { heard, start } = open()
    const run = start(runOf("bg_a"), "!count 300")
    await heard.of(run, "poll-failed", ({ message }) => message === "299")
    const said = heard.saidBy(run).flatMap((report) => (report.type === "poll-failed" ? [Number(report.message)] : []))
    expect(said).toEqual(Array.from({ length: 300 }, (_, n) => n))
  })

  test("because the main thread was held up for longer than its silence may last", async () => {
    const { heard, start, order } = open({ silentMs: 200 })
    const run = start(runOf("bg_a"))
    await heard.of(run, "prompted")
    Bun.sleepSync(600)
    order(run, "!count 1")
    await heard.of(run, "poll-failed")
    expect(heard.all.some(({ type }) => type === "worker-lost")).toBe(false)
  })

  test("by a report of a run that has moved on: it is dropped and counted", async () => {
    const { pool, heard, start } = open()
    const run = start(runOf("bg_a", 2), "!as 1", "!as 3", "!count 1")
    await heard.of(run, "poll-failed", ({ message }) => message === "0")
    expect(heard.all.some((report) => report.type === "poll-failed" && report.message === "late")).toBe(false)
    expect(pool.counts().strays).toBe(2)
  })
})
