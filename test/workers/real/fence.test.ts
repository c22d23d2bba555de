import { describe, expect, test } from "bun:test"

import { runOf, STOP } from "../../helpers/assignments.ts"
import { realPools } from "../../helpers/real-pool.ts"
import type { RealPool } from "../../helpers/real-pool.ts"

const open = realPools()
const PROMPT = "POST /session/ses_1/prompt_async"
const ABORT = "POST /session/ses_1/abort?directory=%2Fproject"

/** What the run's last order made it say. */
const answer = async ({ heard, order }: RealPool, run = runOf("bg_a"), what: string): Promise<string> => {
  const before = heard.saidBy(run).length
  order(run, what)
  const report = await heard.of(
    run,
    "poll-failed",
    (said) => heard.saidBy(run).indexOf(said) >= before && said.message !== "told to stop",
  )
  return report.message
}

describe("fence", () => {
  test("a run reaches the server by path", async () => {
    const opened = open()
    const run = opened.start(runOf("bg_a"))
    expect(await answer(opened, run, `!fetch ${PROMPT}`)).toBe(`200 ${PROMPT}`)
    expect(await answer(opened, run, "!fetch GET /down")).toBe("SERVER_UNREACHABLE")
    expect(await answer(opened, run, "!fetch GET /large")).toBe("GARBLED")
  })

  for (const path of ["//elsewhere.example/", "/\\elsewhere.example/", "http://elsewhere.example/", "session"]) {
    test(`a request for ${path} names a host or nothing: a fault`, async () => {
      const { heard, transport, start } = open()
      start(runOf("bg_a"), `!fetch GET ${path}`)
      expect((await heard.until("worker-lost")).cause).toMatch(/garbled/)
      expect(transport.asked).toEqual([])
    })
  }

  test("another attempt's requests are refused, earlier or later", async () => {
    const opened = open()
    const run = opened.start(runOf("bg_a", 2))
    expect(await answer(opened, run, `!fetch-as 1 ${PROMPT}`)).toBe("RUN_MOVED_ON")
    expect(await answer(opened, run, "!fetch-as 3 GET /session")).toBe("RUN_MOVED_ON")
    expect(await answer(opened, run, `!fetch-as 2 ${PROMPT}`)).toBe(`200 ${PROMPT}`)
    expect(opened.transport.asked).toEqual([PROMPT])
  })

  test("a shared request may only read", async () => {
    const opened = open()
    const run = opened.start(runOf("bg_a"))
    expect(await answer(opened, run, "!fetch-shared GET /session/status")).toBe("200 GET /session/status")
    expect(await answer(opened, run, `!fetch-shared ${PROMPT}`)).toBe("RUN_MOVED_ON")
  })

  test("a run that was told to stop may look, abort and delete, and no more", async () => {
    const opened = open()
    const run = opened.start(runOf("bg_a"), "!ignore-stop")
    await opened.heard.of(run, "prompted", ({ n }) => n === 1)
    opened.pool.command(run, STOP)
    expect(await answer(opened, run, `!fetch ${PROMPT}`)).toBe("RUN_MOVED_ON")
    expect(await answer(opened, run, "!fetch POST /session")).toBe("RUN_MOVED_ON")
    expect(await answer(opened, run, `!fetch ${ABORT}/../prompt_async`)).toStartWith("200")
    expect(await answer(opened, run, "!fetch POST /session/ses_1/abort/prompt_async")).toBe("RUN_MOVED_ON")
    expect(await answer(opened, run, `!fetch ${ABORT}`)).toBe(`200 ${ABORT}`)
    expect(await answer(opened, run, "!fetch GET /session/ses_1")).toBe("200 GET /session/ses_1")
    expect(await answer(opened, run, "!fetch DELETE /session/ses_1")).toBe("200 DELETE /session/ses_1")
  })

  test("a run that has stopped gets nothing, and what it had under way is given up", async () => {
    const opened = open({ maxWorkers: 1 })
    const { pool, heard, transport, start, order } = opened
    const other = start(runOf("bg_other"))
    const run = start(runOf("bg_a"), "!fetch GET /hang")
    await transport.until(({ asked }) => asked.length === 1)
    pool.command(run, STOP)
    await transport.until(({ givenUp }) => givenUp.length === 1)
    await heard.of(run, "stopped")
    order(run, "!fetch GET /session")
    expect(await answer(opened, other, "!count 1")).toBe("0")
    expect(transport.asked).toEqual(["GET /hang"])
  })

  test("a newer attempt takes the server from a worker that still runs the older one", async () => {
    const opened = open({ maxWorkers: 2 })
    const older = opened.start(runOf("bg_a", 1), "!fetch GET /hang")
    await opened.transport.until(({ asked }) => asked.length === 1)
    const newer = opened.start(runOf("bg_a", 2))
    await opened.heard.of(older, "poll-failed", ({ message }) => message === "RUN_MOVED_ON")
    expect(opened.transport.givenUp).toEqual(["GET /hang"])
    expect(await answer(opened, older, `!fetch ${ABORT}`)).toBe("RUN_MOVED_ON")
    expect(await answer(opened, newer, `!fetch ${PROMPT}`)).toBe(`200 ${PROMPT}`)
  })

  test("a request the worker gave up is given up at the server", async () => {
    const { heard, transport, start } = open()
    const run = start(runOf("bg_a"), "!fetch-forgo /hang")
    await heard.of(run, "poll-failed", ({ message }) => message === "SERVER_TIMEOUT")
    await transport.until(({ givenUp }) => givenUp.length === 1)
  })

  test("workers see the named variables of the environment and no others", async () => {
    process.env["LANES_SECRET"] = "sesame"
    process.env["LANES_SHOWN"] = "yes"
    const { heard, start } = open({ env: ["LANES_SHOWN"] })
    const run = start(runOf("bg_a"), "!env LANES_SECRET", "!env LANES_SHOWN")
    await heard.of(run, "poll-failed", ({ message }) => message === "yes")
    const said = heard.saidBy(run).flatMap((report) => (report.type === "poll-failed" ? [report.message] : []))
    expect(said).toEqual(["undefined", "yes"])
    delete process.env["LANES_SECRET"]
    delete process.env["LANES_SHOWN"]
  })
})
