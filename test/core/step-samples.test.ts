/** How old what was seen may be: found by simulation, each with the seed that showed it first. */
import { describe, expect, test } from "bun:test"
import { BOUNDS } from "../../src/core/options.ts"
import type { TaskRow } from "../../src/core/task.ts"
import { answer, BUSY, CoreRig } from "../helpers/core-rig.ts"

describe("samples and their age", () => {
  test("an answer is judged by the TODOs read with it (seed 599)", () => {
    const rig = new CoreRig()
    const { id, prompt } = rig.running()
    const { todos: none, ...unread } = answer(prompt)
    rig.snapshot(id, {
      ...answer(prompt, { finish: "tool-calls", id: `${prompt}_step` }),
      ...(none ? { todos: none } : {}),
    })
    rig.snapshot(id, BUSY)
    rig.snapshot(id, unread)
    rig.snapshot(id, unread)
    expect(rig.row(id).state).toBe("running")
    rig.snapshot(id, { ...unread, todos: { open: 2, digest: "two" } })
    expect(rig.row(id)).toMatchObject({ state: "running", nudges: 1 })
  })

  test("three reads in one moment and a pause are not stable (seed 557)", () => {
    const rig = new CoreRig()
    const { id, prompt } = rig.running()
    const step = answer(prompt, { finish: "unknown", output: false })
    rig.pass(20_000)
    for (let i = 0; i < 3; i++) rig.snapshot(id, step)
    rig.pass(30_000)
    expect(rig.row(id).state).toBe("running")
    rig.snapshot(id, step)
    expect(rig.reason(id)).toBe("STABLE")
  })

  test("a busy sample from before the instance went away does not say that the run goes on (seed 1882)", () => {
    const seen = (ageMs: number): TaskRow => {
      const rig = new CoreRig()
      const { id, prompt } = rig.running()
      rig.pass(10_000)
      rig.step({ type: "instance", directory: "/d", state: "disposed" })
      rig.pass(2_000)
      rig.snapshot(id, { ...BUSY, ageMs })
      for (let i = 0; i < 3; i++) {
        rig.pass(2_000)
        rig.snapshot(id, answer(prompt, { finish: "tool-calls" }))
      }
      return rig.row(id)
    }
    expect(seen(3_000)).toMatchObject({ state: "running", resumes: 1 })
    expect(seen(10)).toMatchObject({ state: "completed", resumes: 0 })
  })

  test("a prompt that waits in line hides no tool, and no progress (seed 16155)", () => {
    const rig = new CoreRig({ taskTtlMs: 86_400_000 })
    const { id, prompt } = rig.running()
    const waiting = { id: `${prompt}z`, role: "user", completed: false, summary: false, output: true } as const
    rig.snapshot(id, { ...BUSY, newest: { ...waiting, tool: "build" }, fingerprint: "step 1" })
    rig.poll(id, rig.options.staleTimeoutMs + 10_000, BUSY)
    expect(rig.row(id).state).toBe("running")
    // Out of sight it may still run.
    rig.snapshot(id, { ...BUSY, newest: waiting, fingerprint: "" })
    rig.poll(id, rig.options.staleTimeoutMs + 10_000, BUSY)
    expect(rig.row(id).state).toBe("running")
    rig.snapshot(id, { ...BUSY, newest: { ...waiting, tool: "build" }, fingerprint: "step 1, more of it" })
    rig.poll(id, rig.options.toolStaleTimeoutMs - 10_000, BUSY)
    expect(rig.row(id).state).toBe("running")
    rig.poll(id, 20_000, BUSY)
    expect(rig.reason(id)).toBe("STALE")
  })

  test("who has answered since the instance went away is there: a failed call later does not say it stayed away (seed 23487)", () => {
    const seen = (answers: boolean): TaskRow => {
      const rig = new CoreRig()
      const { id } = rig.running()
      rig.pass(10_000)
      rig.step({ type: "instance", directory: "/d", state: "disposed" })
      rig.pass(1_000)
      if (answers) rig.snapshot(id, { status: { type: "absent" } })
      rig.pass(BOUNDS.reloadMs / 2)
      rig.failedPoll(id, "unreachable")
      rig.pass(BOUNDS.reloadMs / 2)
      return rig.row(id)
    }
    expect(seen(true).state).toBe("running")
    expect(seen(false).outcome?.reason).toBe("INTERRUPTED")
  })

  test("a server that one run found gone was gone for all (seed 13588)", () => {
    const seen = (failure: "unreachable" | "timeout"): TaskRow => {
      const rig = new CoreRig()
      const [one, other] = [rig.running(), rig.running()]
      rig.pass(10_000)
      rig.failedPoll(one.id, failure)
      for (let i = 0; i < 3; i++) {
        rig.pass(2_000)
        rig.snapshot(other.id, answer(other.prompt, { finish: "tool-calls" }))
      }
      return rig.row(other.id)
    }
    expect(seen("unreachable")).toMatchObject({ state: "running", resumes: 1 })
    expect(seen("timeout")).toMatchObject({ state: "completed", resumes: 0 })
  })
})
