import { afterEach, describe, expect, test } from "bun:test"

import type { Threads } from "../../src/coordinator/ports.ts"
import { assignmentOf, promptOf, runOf, STOP } from "../helpers/assignments.ts"
import { Heard } from "../helpers/heard.ts"

/**
 * What every `Threads` promises. The subject's runs report `session`, then `prompted` for each prompt they are given, and
 * `stopped` when told to stop; what else they report does not matter.
 */
export function testThreads({ create }: { readonly create: () => Threads | Promise<Threads> }): void {
  describe("Threads", () => {
    const opened: Threads[] = []
    const open = async (): Promise<{ threads: Threads; heard: Heard }> => {
      const threads = await create()
      opened.push(threads)
      return { threads, heard: new Heard(threads) }
    }
    afterEach(async () => {
      for (const threads of opened.splice(0)) await threads.close()
    })

    test("a run is started once, however often it is asked for", async () => {
      const { threads, heard } = await open()
      const run = runOf("bg_once")
      threads.run(assignmentOf(run))
      threads.run(assignmentOf(run))
      await heard.of(run, "prompted")
      threads.run(assignmentOf(run))
      threads.command(run, STOP)
      await heard.of(run, "stopped")
      expect(heard.saidBy(run).filter(({ type }) => type === "session")).toHaveLength(1)
    })

    test("reports come in the order in which a run made them", async () => {
      const { threads, heard } = await open()
      const run = runOf("bg_order")
      threads.run(assignmentOf(run))
      for (const n of [1, 2, 3]) threads.command(run, { type: "prompt", prompt: promptOf(n, "go on") })
      await heard.of(run, "prompted", ({ n }) => n === 3)
      const said = heard.saidBy(run).filter(({ type }) => type === "session" || type === "prompted")
      expect(said.map((report) => (report.type === "prompted" ? report.n : report.type))).toEqual([
        "session",
        0,
        1,
        2,
        3,
      ])
    })

    test("commands reach the run they name and no other", async () => {
      const { threads, heard } = await open()
      const [told, other] = [runOf("bg_told"), runOf("bg_other")]
      threads.run(assignmentOf(told))
      threads.run(assignmentOf(other))
      await Promise.all([heard.of(told, "prompted"), heard.of(other, "prompted")])
      threads.command(told, { type: "prompt", prompt: promptOf(1, "go on") })
      await heard.of(told, "prompted", ({ n }) => n === 1)
      threads.command(other, STOP)
      await heard.of(other, "stopped")
      expect(heard.saidBy(other).some((report) => report.type === "prompted" && report.n === 1)).toBe(false)
      expect(heard.saidBy(told).some(({ type }) => type === "stopped")).toBe(false)
    })

    test("a stopped run has said its last word", async () => {
      const { threads, heard } = await open()
      const [run, witness] = [runOf("bg_stop"), runOf("bg_witness")]
      threads.run(assignmentOf(run))
      await heard.of(run, "prompted")
      threads.command(run, STOP)
      await heard.of(run, "stopped")
      const said = heard.saidBy(run).length
      threads.command(run, STOP)
      threads.command(run, { type: "prompt", prompt: promptOf(1, "too late") })
      threads.run(assignmentOf(witness))
      await heard.of(witness, "prompted")
      expect(heard.saidBy(run)).toHaveLength(said)
    })

    test("a command before the run has begun is kept for it", async () => {
      const { threads, heard } = await open()
      const run = runOf("bg_early")
      threads.run(assignmentOf(run))
      threads.command(run, STOP)
      expect(await heard.of(run, "stopped")).toMatchObject({ run })
    })

    test("a run nobody knows is ignored", async () => {
      const { threads, heard } = await open()
      const [unknown, witness] = [runOf("bg_unknown"), runOf("bg_witness")]
      threads.command(unknown, STOP)
      threads.run(assignmentOf(witness))
      await heard.of(witness, "prompted")
      threads.command({ ...witness, attempt: 2 }, STOP)
      threads.command(witness, { type: "prompt", prompt: promptOf(1, "go on") })
      await heard.of(witness, "prompted", ({ n }) => n === 1)
      expect(heard.saidBy(unknown)).toEqual([])
      expect(heard.saidBy(witness).some(({ type }) => type === "stopped")).toBe(false)
    })

    test("close ends everything, without a report", async () => {
      const { threads, heard } = await open()
      const [run, late] = [runOf("bg_closed"), runOf("bg_late")]
      threads.run(assignmentOf(run))
      await heard.of(run, "prompted")
      const closed = threads.close()
      const said = heard.all.length
      threads.command(run, { type: "prompt", prompt: promptOf(1, "too late") })
      threads.run(assignmentOf(late))
      await closed
      await threads.close()
      expect(heard.all).toHaveLength(said)
    })
  })
}
