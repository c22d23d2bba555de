/** When a run is done: finished, idle, stable, and all that only looks like it. */
import { describe, expect, test } from "bun:test"
import { answer, BUSY, CoreRig, msg } from "../helpers/core-rig.ts"

describe("finished", () => {
  test("a final answer seen twice ends the run at once, with its text", () => {
    const rig = new CoreRig()
    const { id, prompt } = rig.running()
    rig.snapshot(id, answer(prompt))
    expect(rig.row(id).state).toBe("running")
    rig.snapshot(id, answer(prompt))
    expect(rig.row(id).outcome).toMatchObject({
      state: "completed",
      reason: "FINISHED",
      text: "The answer.",
      truncated: false,
    })
  })

  test("an answer cut at the model's length limit counts and is flagged", () => {
    const rig = new CoreRig()
    const { id, prompt } = rig.running()
    for (let i = 0; i < 2; i++) rig.snapshot(id, answer(prompt, { finish: "length" }))
    expect(rig.row(id).outcome).toMatchObject({ reason: "FINISHED", truncated: true })
  })

  test("a second read that differs is a first one", () => {
    const rig = new CoreRig()
    const { id, prompt } = rig.running()
    rig.snapshot(id, answer(prompt))
    rig.snapshot(id, answer(prompt, { text: "The answer, longer." }))
    expect(rig.row(id).state).toBe("running")
  })

  for (const [what, of] of [
    ["a compaction's summary", { summary: true }],
    ["an answer to an older prompt", { parentID: msg(0) }],
  ] as const) {
    test(`${what} is never an answer`, () => {
      const rig = new CoreRig({ recover: "ask" })
      const { id, prompt } = rig.running()
      for (let i = 0; i < 3; i++) rig.snapshot(id, answer(prompt, of))
      expect(rig.row(id).state).toBe("running")
    })
  }

  test("after a compaction the answer to OpenCode's own message counts", () => {
    const rig = new CoreRig()
    const { id, prompt } = rig.running()
    rig.snapshot(id, answer(prompt, { summary: true }))
    rig.snapshot(id, BUSY)
    const own = msg(500)
    for (let i = 0; i < 2; i++) rig.snapshot(id, answer(own))
    expect(rig.reason(id)).toBe("FINISHED")
  })

  test("somebody else's newer prompt must be answered, too", () => {
    const rig = new CoreRig()
    const { id, prompt } = rig.running()
    for (let i = 0; i < 2; i++) rig.snapshot(id, { ...answer(prompt), newestUser: msg(900) })
    expect(rig.row(id).state).toBe("running")
  })
})

describe("idle and stable", () => {
  test("lesson 14: an idle before its time is looked at again when the time has come, without another poll", () => {
    const rig = new CoreRig()
    const { id, prompt } = rig.running()
    const bare = answer(prompt, { finish: "tool-calls" })
    rig.pass(1_000)
    rig.snapshot(id, bare)
    rig.pass(1_000)
    rig.snapshot(id, bare)
    rig.pass(2_999)
    expect(rig.row(id).state).toBe("running")
    rig.pass(1)
    expect(rig.reason(id)).toBe("IDLE")
  })

  test("lesson 13: a status without an entry is idle, and stability completes on it", () => {
    const rig = new CoreRig()
    const { id, prompt } = rig.running()
    rig.poll(id, 20_000, answer(prompt, { finish: "unknown", output: false, text: "" }))
    expect(rig.reason(id)).toBe("STABLE")
    expect(rig.row(id).outcome?.durationMs).toBeGreaterThanOrEqual(10_000)
  })

  test("lesson 13, twin: a status that could not be read is not idle", () => {
    const rig = new CoreRig()
    const { id } = rig.running()
    for (let i = 0; i < 20; i++) {
      rig.pass(2_000)
      rig.failedPoll(id, "timeout")
    }
    expect(rig.row(id).state).toBe("running")
  })

  test("lesson 27: three polls in one instant are not three intervals of time", () => {
    const rig = new CoreRig({ minStabilityMs: 0 })
    const { id, prompt } = rig.running()
    const empty = answer(prompt, { finish: "unknown", output: false })
    for (let i = 0; i < 10; i++) rig.snapshot(id, empty)
    expect(rig.row(id).state).toBe("running")
    // Time alone shows nothing new: it takes another look.
    rig.pass(6_000)
    expect(rig.row(id).state).toBe("running")
    rig.snapshot(id, empty)
    expect(rig.reason(id)).toBe("STABLE")
  })

  test("lesson 12: the same content ten times says nothing while the server is busy", () => {
    const rig = new CoreRig()
    const { id, prompt } = rig.running()
    rig.poll(id, 60_000, { ...answer(prompt), ...BUSY })
    expect(rig.row(id).state).toBe("running")
  })

  test("lesson 12, twin: the same without busy completes", () => {
    const rig = new CoreRig()
    const { id, prompt } = rig.running()
    rig.poll(id, 60_000, answer(prompt))
    expect(rig.row(id).state).toBe("completed")
  })

  test("a flapping idle starts over each time", () => {
    const rig = new CoreRig()
    const { id, prompt } = rig.running()
    for (let i = 0; i < 20; i++) {
      rig.pass(1_000)
      rig.snapshot(id, answer(prompt, { finish: "tool-calls" }))
      rig.pass(1_000)
      rig.snapshot(id, BUSY)
    }
    expect(rig.row(id).state).toBe("running")
  })
})

describe("evidence", () => {
  test("lesson 10: a session idle before its prompt is accepted is not done", () => {
    const rig = new CoreRig()
    const id = rig.launch()
    rig.session(id)
    for (let i = 0; i < 10; i++) {
      rig.pass(2_000)
      rig.snapshot(id, answer(msg(1)))
    }
    expect(rig.row(id).state).toBe("running")
    const prompt = rig.prompted(id)
    rig.finish(id, prompt)
    expect(rig.reason(id)).toBe("FINISHED")
  })

  test("lesson 11: a continued task is not done on its old answer", () => {
    const rig = new CoreRig()
    const { id, prompt } = rig.running()
    rig.finish(id, prompt)
    rig.stopped(id)
    rig.step({ type: "continue", id, prompt: "More." })
    rig.session(id)
    const second = rig.prompted(id)
    for (let i = 0; i < 2; i++) rig.snapshot(id, { ...answer(prompt), newestUser: second })
    expect(rig.row(id).state).toBe("running")
    rig.finish(id, second)
    expect(rig.row(id).outcome).toMatchObject({ reason: "FINISHED", epoch: 2, messageID: `${second}_answer` })
  })

  test("a sample taken before a prompt was accepted says nothing about its answer", () => {
    const rig = new CoreRig()
    const { id, prompt } = rig.running()
    rig.step({ type: "continue", id, prompt: "And this." })
    const second = rig.prompted(id)
    for (let i = 0; i < 3; i++) rig.snapshot(id, { ...answer(second), prompts: 1 })
    expect(rig.row(id).state).toBe("running")
    expect(prompt < second).toBe(true)
    rig.finish(id, second)
    expect(rig.reason(id)).toBe("FINISHED")
  })

  test("lesson 15: an outage changes nothing; what was seen before it does not count after it", () => {
    const rig = new CoreRig()
    const { id, prompt } = rig.running()
    rig.snapshot(id, answer(prompt))
    rig.failedPoll(id)
    rig.pass(60_000)
    expect(rig.row(id).state).toBe("running")
    rig.snapshot(id, answer(prompt))
    expect(rig.row(id).state).toBe("running")
    rig.snapshot(id, answer(prompt))
    expect(rig.reason(id)).toBe("FINISHED")
  })

  test("an error in the answer ends the run with its text", () => {
    const rig = new CoreRig()
    const { id, prompt } = rig.running()
    rig.snapshot(id, answer(prompt, { error: { name: "APIError", message: "No credit." } }))
    expect(rig.row(id).outcome).toMatchObject({ state: "error", reason: "SESSION_ERROR", sentence: "No credit." })
  })

  const retry = (inMs: number, attempt = 1) => ({ status: { type: "retry" as const, attempt, message: "429", inMs } })

  test("not while the server retries; a retry beyond the run's time ends it, once it is said twice", () => {
    const rig = new CoreRig()
    const { id, prompt } = rig.running()
    const broken = answer(prompt, { error: { name: "APIError", message: "429" } })
    const beyond = 2 * rig.options.taskTtlMs
    rig.snapshot(id, { ...broken, ...retry(5_000) })
    expect(rig.row(id).state).toBe("running")
    rig.pass(5_000)
    rig.snapshot(id, retry(beyond, 2))
    // Asked in the same moment it says the same.
    rig.snapshot(id, retry(beyond, 2))
    expect(rig.row(id).state).toBe("running")
    rig.poll(id, 2_000, retry(beyond - 2_000, 2))
    expect(rig.reason(id)).toBe("SESSION_ERROR")
  })

  test("a clock that is set changes nothing: what is left of a retry's pause only grows less", () => {
    const rig = new CoreRig()
    const { id } = rig.running()
    rig.snapshot(id, retry(30_000))
    for (let i = 0; i < 10; i++) {
      rig.pass(2_000)
      rig.snapshot(id, retry(2 * rig.options.taskTtlMs))
    }
    expect(rig.row(id).state).toBe("running")
    // Seen only once so, and then at work.
    rig.snapshot(id, retry(2 * rig.options.taskTtlMs, 2))
    rig.pass(2_000)
    rig.snapshot(id, BUSY)
    expect(rig.row(id).state).toBe("running")
  })

  test("an unknown agent is known only by an event, believed when no answer follows", () => {
    const rig = new CoreRig()
    const { id } = rig.running()
    rig.step({
      type: "hint",
      sessionID: `ses_${id}`,
      hint: { type: "error", name: "UnknownError", message: 'Agent not found: "x"' },
    })
    rig.snapshot(id, { newest: null })
    rig.pass(2_000)
    rig.snapshot(id, { newest: null })
    expect(rig.reason(id)).toBe("AGENT_UNKNOWN")
  })

  test("the event may be here before the word that the prompt was accepted", () => {
    const rig = new CoreRig()
    const id = rig.launch()
    rig.session(id)
    rig.step({
      type: "hint",
      sessionID: `ses_${id}`,
      hint: { type: "error", name: "ProviderModelNotFoundError", message: "" },
    })
    rig.prompted(id)
    rig.pass(1_000)
    rig.snapshot(id, { newest: null })
    rig.pass(1_000)
    rig.snapshot(id, { newest: null })
    expect(rig.reason(id)).toBe("MODEL_UNKNOWN")
  })

  test("an error the run recovers from is forgotten", () => {
    const rig = new CoreRig()
    const { id, prompt } = rig.running()
    rig.step({ type: "hint", sessionID: `ses_${id}`, hint: { type: "error", name: "APIError", message: "once" } })
    rig.snapshot(id, BUSY)
    rig.finish(id, prompt)
    expect(rig.reason(id)).toBe("FINISHED")
  })

  test("a prompt the server took and did not keep", () => {
    const rig = new CoreRig()
    const { id } = rig.running()
    rig.poll(id, 20_000, { newest: null })
    expect(rig.reason(id)).toBe("PROMPT_REJECTED")
  })

  test("a session that was deleted", () => {
    const rig = new CoreRig()
    const { id } = rig.running()
    rig.step({ type: "hint", sessionID: `ses_${id}`, hint: { type: "deleted" } })
    expect(rig.reason(id)).toBe("SESSION_GONE")
  })

  test("lesson 32: the result is bound to its message, an old error does not hide a later answer", () => {
    const rig = new CoreRig({ recover: "ask" })
    const { id, prompt } = rig.running()
    rig.snapshot(id, answer(prompt, { error: { name: "APIError", message: "No." } }))
    expect(rig.reason(id)).toBe("SESSION_ERROR")
    rig.stopped(id)
    rig.step({ type: "continue", id, prompt: "Again." })
    rig.session(id)
    const second = rig.prompted(id)
    rig.finish(id, second)
    expect(rig.row(id).outcome).toMatchObject({
      reason: "FINISHED",
      text: "The answer.",
      messageID: `${second}_answer`,
    })
    expect(rig.row(id)).toEqual(rig.row(id))
  })
})
