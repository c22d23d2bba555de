/** Runs cut off: by a server that went away, by a person, by a lost worker. */
import { describe, expect, test } from "bun:test"
import { BOUNDS } from "../../src/core/options.ts"
import type { NewestMessage } from "../../src/core/snapshot.ts"
import { answer, BUSY, CoreRig } from "../helpers/core-rig.ts"

const ABORTED = { error: { name: "MessageAbortedError", message: "Aborted" } }

function disposed(rig: CoreRig): void {
  rig.step({ type: "instance", directory: "/d", state: "disposed" })
}

describe("interruption", () => {
  test("escape pressed in the session is a cancel by the user", () => {
    const rig = new CoreRig()
    const { id, prompt } = rig.running()
    rig.snapshot(id, answer(prompt, ABORTED))
    expect(rig.row(id)).toMatchObject({ state: "cancelled", outcome: { reason: "USER" } })
  })

  test("the same after the instance was disposed is an interruption: asked to go on", () => {
    const rig = new CoreRig()
    const { id, prompt } = rig.running()
    disposed(rig)
    expect(rig.commands()).toEqual([{ type: "poke" }])
    rig.snapshot(id, answer(prompt, ABORTED))
    expect(rig.commands()).toMatchObject([{ type: "prompt", prompt: { kind: "resume" } }])
    rig.finish(id, rig.prompted(id))
    expect(rig.row(id)).toMatchObject({ state: "completed", resumes: 1 })
  })

  test("in the pause before a retry it leaves no error: neither a person's nor an instance's end is an answer", () => {
    const blank = { completed: true, output: false, text: "" }
    for (const away of [false, true]) {
      const rig = new CoreRig({ recover: "ask" })
      const { id, prompt } = rig.running()
      if (away) disposed(rig)
      const { finish: _, ...newest } = answer(prompt, blank).newest ?? {}
      rig.poll(id, 20_000, { ...answer(prompt), newest: newest as NewestMessage })
      expect(rig.reason(id)).toBe(away ? "INTERRUPTED" : "USER")
    }
  })

  test("the same when it was sent before the instance went away, and is called accepted only after", () => {
    const rig = new CoreRig({ recover: "ask" })
    const id = rig.launch()
    rig.session(id)
    disposed(rig)
    const prompt = rig.prompted(id)
    rig.snapshot(id, answer(prompt, ABORTED))
    expect(rig.reason(id)).toBe("INTERRUPTED")
  })

  test("a prompt accepted since is given time to begin", () => {
    const rig = new CoreRig()
    const id = rig.launch()
    rig.session(id)
    disposed(rig)
    rig.prompted(id)
    for (let poll = 0; poll < 2; poll++) rig.snapshot(id, { newest: null, fingerprint: "" })
    expect(rig.row(id).resumes).toBe(0)
    rig.poll(id, 2_000, { newest: null, fingerprint: "" })
    expect(rig.row(id).resumes).toBe(1)
  })

  test("an instance that stays away is still missed when the prompt's answer comes late", () => {
    const rig = new CoreRig()
    const id = rig.launch()
    rig.session(id)
    disposed(rig)
    rig.prompted(id)
    rig.failedPoll(id)
    rig.pass(BOUNDS.reloadMs)
    expect(rig.reason(id)).toBe("INTERRUPTED")
  })

  test("the same while a follow-up waits in line", () => {
    const rig = new CoreRig()
    const { id } = rig.running()
    rig.snapshot(id, BUSY)
    rig.step({ type: "continue", id, prompt: "And that." })
    const second = rig.prompted(id)
    rig.snapshot(id, BUSY)
    rig.step({ type: "hint", sessionID: `ses_${id}`, hint: { type: "error", ...ABORTED.error } })
    disposed(rig)
    const newest = { id: second, role: "user" as const, completed: false, summary: false, output: true }
    rig.poll(id, 6_000, { newest, newestUser: second, fingerprint: "cut off" })
    expect(rig.row(id)).toMatchObject({ state: "running", resumes: 1 })
  })

  test("the same while a follow-up waits in line, twin without the disposal: escape", () => {
    const rig = new CoreRig()
    const { id } = rig.running()
    rig.snapshot(id, BUSY)
    rig.step({ type: "continue", id, prompt: "And that." })
    const second = rig.prompted(id)
    rig.snapshot(id, BUSY)
    rig.step({ type: "hint", sessionID: `ses_${id}`, hint: { type: "error", ...ABORTED.error } })
    const newest = { id: second, role: "user" as const, completed: false, summary: false, output: true }
    rig.poll(id, 6_000, { newest, newestUser: second, fingerprint: "cut off" })
    expect(rig.reason(id)).toBe("USER")
  })

  test("one project's instance being loaded again touches no other's run", () => {
    const rig = new CoreRig({ recover: "ask" })
    const { id: reloaded, prompt: cut } = rig.running({ directory: "/a" })
    const { id: other, prompt } = rig.running({ directory: "/b" })
    for (const id of [reloaded, other]) rig.snapshot(id, BUSY)
    rig.step({ type: "instance", directory: "/a", state: "disposed" })
    rig.failedPoll(reloaded, "reloading")
    rig.snapshot(other, answer(prompt, ABORTED))
    expect(rig.reason(other)).toBe("USER")
    rig.snapshot(reloaded, answer(cut, ABORTED))
    expect(rig.reason(reloaded)).toBe("INTERRUPTED")
    expect(rig.events("server:lost")).toEqual([])
  })

  test("nobody asks it to go on where that is for people to decide", () => {
    const rig = new CoreRig({ recover: "ask" })
    const { id, prompt } = rig.running()
    rig.step({ type: "server-restarted" })
    for (let i = 0; i < 2; i++) rig.snapshot(id, answer(prompt, { completed: false, finish: "" }))
    expect(rig.reason(id)).toBe("INTERRUPTED")
  })

  test("a restarted server reports nothing and leaves the message open: interrupted, never complete", () => {
    const rig = new CoreRig()
    const { id, prompt } = rig.running()
    rig.failedPoll(id)
    for (let i = 0; i < 2; i++) rig.snapshot(id, answer(prompt, { completed: false, finish: "" }))
    expect(rig.commands()).toMatchObject([{ type: "prompt", prompt: { kind: "resume" } }])
  })

  test("a run seen busy after the restart was not cut off", () => {
    const rig = new CoreRig()
    const { id, prompt } = rig.running()
    rig.step({ type: "server-restarted" })
    rig.poll(id, 2_000, BUSY)
    rig.snapshot(id, answer(prompt, ABORTED))
    expect(rig.reason(id)).toBe("USER")
  })

  test("a run called busy right after it was: that word may have been on its way for a while", () => {
    const rig = new CoreRig({ recover: "ask" })
    const { id, prompt } = rig.running()
    disposed(rig)
    rig.pass(500)
    rig.snapshot(id, BUSY)
    rig.snapshot(id, answer(prompt, ABORTED))
    expect(rig.reason(id)).toBe("INTERRUPTED")
  })

  test("an answer that was complete before stays one", () => {
    const rig = new CoreRig()
    const { id, prompt } = rig.running()
    rig.step({ type: "server-restarted" })
    rig.finish(id, prompt)
    expect(rig.reason(id)).toBe("FINISHED")
  })

  test("resumes are bounded: a server that dies of the task is not fed it for ever", () => {
    const rig = new CoreRig()
    const { id, prompt } = rig.running()
    let asked = prompt
    for (let i = 0; i < BOUNDS.resumes; i++) {
      rig.step({ type: "server-restarted" })
      for (let poll = 0; poll < 2; poll++) rig.snapshot(id, answer(asked, { completed: false, finish: "" }))
      asked = rig.prompted(id)
    }
    rig.step({ type: "server-restarted" })
    for (let poll = 0; poll < 2; poll++) rig.snapshot(id, answer(asked, { completed: false, finish: "" }))
    expect(rig.reason(id)).toBe("INTERRUPTED")
  })

  test("an instance that does not come back ends its runs, without asking it anything", () => {
    const rig = new CoreRig()
    const { id } = rig.running()
    disposed(rig)
    rig.failedPoll(id)
    const effects = rig.pass(BOUNDS.reloadMs)
    expect(rig.reason(id)).toBe("INTERRUPTED")
    expect(rig.commands(effects).filter((command) => command.type === "prompt")).toEqual([])
    expect(rig.row(id).resumes).toBe(0)
  })

  test("one that comes back in time is asked again", () => {
    const rig = new CoreRig()
    const { id } = rig.running()
    disposed(rig)
    rig.failedPoll(id)
    rig.pass(BOUNDS.reloadMs - 1)
    rig.step({ type: "instance", directory: "/d", state: "loaded" })
    expect(rig.commands()).toEqual([{ type: "poke" }])
    rig.snapshot(id, BUSY)
    rig.pass(60_000)
    expect(rig.row(id).state).toBe("running")
  })

  test("a session that goes idle without a word is asked once, then failed", () => {
    const rig = new CoreRig()
    const { id, prompt } = rig.running()
    const silent = {
      newest: { id: prompt, role: "user" as const, completed: false, summary: false, output: true },
      newestUser: prompt,
      fingerprint: "",
    }
    rig.poll(id, 8_000, silent)
    expect(rig.row(id).resumes).toBe(1)
    rig.prompted(id)
    rig.poll(id, 20_000, silent)
    expect(rig.reason(id)).toBe("SESSION_ERROR")
  })

  test("events that come back make every run look at once", () => {
    const rig = new CoreRig()
    rig.running()
    rig.step({ type: "events", directory: "/d", alive: true })
    expect(rig.commands()).toEqual([{ type: "poke" }])
    rig.step({ type: "events", directory: "/other", alive: true })
    expect(rig.commands()).toEqual([])
  })
})

describe("a lost worker", () => {
  function lose(rig: CoreRig, ...ids: string[]): void {
    rig.step({ type: "worker-lost", worker: "w1", cause: "crash", runs: ids.map((id) => rig.ref(id)) })
  }

  test("its runs go on elsewhere: same session, nothing prompted again, slot and clock kept", () => {
    const rig = new CoreRig({ defaultConcurrency: 1 })
    const { id } = rig.running()
    const waiting = rig.launch()
    rig.pass(10_000)
    lose(rig, id)
    expect(rig.starts()).toMatchObject([
      {
        run: { task: id, epoch: 1, attempt: 2 },
        sessionID: `ses_${id}`,
        prompts: [],
        accepted: 1,
        check: true,
        alone: false,
      },
    ])
    expect(rig.row(id)).toMatchObject({ state: "running", crashes: 1, ranMs: 10_000 })
    expect(rig.row(waiting).state).toBe("pending")
  })

  test("before its session was known, the new attempt looks for it", () => {
    const rig = new CoreRig()
    const id = rig.launch()
    lose(rig, id)
    expect(rig.starts()).toMatchObject([{ search: true, check: true, prompts: [{ n: 0 }] }])
  })

  test("the second re-run is alone, the third crash ends it", () => {
    const rig = new CoreRig()
    const { id } = rig.running()
    lose(rig, id)
    lose(rig, id)
    expect(rig.starts()[0]?.alone).toBe(true)
    lose(rig, id)
    expect(rig.reason(id)).toBe("WORKER_LOST")
    expect(rig.aborts()).toEqual([`ses_${id}`])
    rig.pass(BOUNDS.drainMs)
    expect(rig.core.sizes()).toMatchObject({ slots: 0, draining: 0 })
  })

  test("a continued task does not wait for a worker that is gone", () => {
    const rig = new CoreRig()
    const { id } = rig.running()
    for (let i = 0; i < 3; i++) lose(rig, id)
    rig.step({ type: "continue", id, prompt: "More." })
    const effects = rig.pass(BOUNDS.drainMs)
    expect(rig.starts(effects)).toMatchObject([{ run: { epoch: 2 }, check: false }])
    expect(rig.aborts(effects)).toEqual([])
  })

  test("lost while it stops: the session is aborted from here, the slot comes back in time", () => {
    const rig = new CoreRig({ defaultConcurrency: 1 })
    const { id } = rig.running()
    const second = rig.launch()
    rig.step({ type: "cancel", id, reason: "USER" })
    lose(rig, id)
    expect(rig.aborts()).toEqual([`ses_${id}`])
    rig.pass(BOUNDS.drainMs)
    expect(rig.row(second).state).toBe("running")
    expect(rig.core.sizes().draining).toBe(0)
  })

  test("a run no worker has yet cannot be lost with one", () => {
    const rig = new CoreRig()
    const { id } = rig.running()
    const first = rig.ref(id)
    rig.step({ type: "cancel", id, reason: "USER" })
    rig.step({ type: "continue", id, prompt: "More." })
    lose(rig, id)
    expect(rig.starts()).toEqual([])
    rig.stopped(id, first)
    expect(rig.starts()).toMatchObject([{ run: { epoch: 2, attempt: 2 } }])
  })

  test("late words of the lost attempt are ignored, and what it saw of idleness does not count", () => {
    const rig = new CoreRig()
    const { id, prompt } = rig.running()
    const old = rig.ref(id)
    rig.snapshot(id, answer(prompt))
    lose(rig, id)
    rig.snapshot(id, answer(prompt), old)
    rig.snapshot(id, answer(prompt))
    expect(rig.row(id).state).toBe("running")
    rig.snapshot(id, answer(prompt))
    expect(rig.reason(id)).toBe("FINISHED")
  })

  test("others are unharmed, and a loss of nobody's run is counted", () => {
    const rig = new CoreRig()
    const { id } = rig.running()
    const { id: other } = rig.running()
    lose(rig, id)
    rig.step({
      type: "worker-lost",
      worker: "w0",
      cause: "crash",
      runs: [{ task: "bg_nobody00", epoch: 1, attempt: 1 }],
    })
    expect(rig.row(other)).toMatchObject({ state: "running", crashes: 0, attempt: 1 })
    expect(rig.core.ignored).toBe(1)
  })
})
