/** The loop of one run, against a scripted server and a clock that moves when told. */
import { describe, expect, test } from "bun:test"
import type { Assignment } from "../../src/core/effects.ts"
import type { RunReport } from "../../src/core/inputs.ts"
import { LanesError } from "../../src/core/errors.ts"
import { messageID } from "../../src/core/message-id.ts"
import { BOUNDS } from "../../src/core/options.ts"
import { driveSession } from "../../workers/drive-session.ts"
import type { DrivenRun } from "../../workers/drive-session.ts"
import { METADATA_KEY } from "../../workers/open-session.ts"
import { assignmentOf, promptOf, runOf } from "../helpers/assignments.ts"
import { ManualClock, settled } from "../helpers/manual-clock.ts"
import { held, ScriptedSessionApi } from "../helpers/scripted-session-api.ts"

const RUN = runOf("bg_task0000")
const POLL = 2_000
const STAMP = { [METADATA_KEY]: { task: RUN.task } }

class Rig {
  readonly clock = new ManualClock()
  readonly api = new ScriptedSessionApi(this.clock)
  readonly reports: RunReport[] = []
  run: DrivenRun | undefined
  over = false

  constructor() {
    // Polls come on a grid of the clock: time starts on it.
    this.clock.advance(POLL - (this.clock.now() % POLL))
  }

  start(change: Partial<Assignment> = {}): this {
    const assignment = assignmentOf(RUN, { pollIntervalMs: POLL, ...change })
    this.run = driveSession(assignment, {
      api: this.api,
      clock: this.clock,
      report: (report) => this.reports.push(report),
    })
    void this.run.done.then(() => (this.over = true))
    return this
  }

  async pass(ms: number): Promise<this> {
    await this.clock.pass(ms)
    return this
  }

  stop(abort = true): void {
    this.run?.command({ type: "stop", abort })
  }

  of<T extends RunReport["type"]>(type: T): Extract<RunReport, { type: T }>[] {
    return this.reports.filter((report): report is Extract<RunReport, { type: T }> => report.type === type)
  }

  types(): string[] {
    return this.reports.map((report) => report.type)
  }

  /** The one session there is. */
  get only(): string {
    const [id, ...more] = this.api.sessions.keys()
    if (id === undefined || more.length > 0) throw new Error(`${this.api.sessions.size} sessions instead of one.`)
    return id
  }
}

describe("a run", () => {
  test("opens its session, tells of it before it prompts, then polls on a grid", async () => {
    const rig = await new Rig().start().pass(0)
    expect(rig.types()).toEqual(["session", "prompted"])
    const { info, prompts } = rig.api.session(rig.only)
    expect(info.metadata).toEqual(STAMP)
    expect(prompts.map((prompt) => prompt.text)).toEqual(["begin"])
    expect(rig.of("prompted")[0]?.messageID).toBe(prompts[0]?.messageID as string)
    await rig.pass(3 * POLL)
    expect(rig.of("snapshot").map(({ seq, snapshot }) => [seq, snapshot.status.type, snapshot.prompts])).toEqual([
      [1, "busy", 1],
      [2, "busy", 1],
      [3, "busy", 1],
    ])
  })

  test("an answer is read a second time at once, with its TODOs", async () => {
    const rig = await new Rig().start().pass(POLL)
    rig.api.answer(rig.only)
    await rig.pass(POLL + 20)
    const [, first, second, ...more] = rig.of("snapshot")
    expect(more).toEqual([])
    expect(first?.snapshot).toMatchObject({ status: { type: "absent" }, newest: { text: "Done." } })
    expect(second?.snapshot).toMatchObject({ todos: { open: 0 } })
    expect(second?.snapshot.fingerprint).toBe(first?.snapshot.fingerprint as string)
    await rig.pass(POLL)
    expect(rig.of("snapshot")).toHaveLength(4)
  })

  test("a poke makes it look now", async () => {
    const rig = await new Rig().start().pass(POLL + 1)
    rig.run?.command({ type: "poke" })
    await rig.pass(0)
    expect(rig.of("snapshot")).toHaveLength(2)
  })

  test("stop leaves the session: aborted until it is seen idle", async () => {
    const rig = await new Rig().start().pass(POLL)
    rig.stop()
    await rig.pass(rig.api.abortMs - 1)
    expect(rig.types()).not.toContain("stopped")
    await rig.pass(100)
    expect(rig.of("stopped")).toMatchObject([{ idle: true }])
    expect(rig.over).toBe(true)
    expect(rig.clock.pending).toBe(0)
  })

  test("stop without abort lets it run on", async () => {
    const rig = await new Rig().start().pass(POLL)
    rig.stop(false)
    await rig.pass(0)
    expect(rig.of("stopped")).toHaveLength(1)
    expect(rig.api.count("abort")).toBe(0)
    expect(rig.api.session(rig.only).status.type).toBe("busy")
  })

  test("an abort without effect is repeated, and given up in time", async () => {
    const rig = new Rig()
    rig.api.abortMs = 1e9
    await rig.start().pass(POLL)
    rig.stop()
    await rig.pass(BOUNDS.predecessorMs + 100)
    expect(rig.of("stopped")).toMatchObject([{ idle: false }])
    expect(rig.api.count("abort")).toBeGreaterThan(5)
  })
})

describe("follow-ups", () => {
  test("are sent in their order, also before the first one is accepted", async () => {
    const rig = new Rig()
    const first = held()
    rig.api.fault("prompt", first)
    await rig.start().pass(0)
    for (const n of [1, 2, 3]) rig.run?.command({ type: "prompt", prompt: promptOf(n, `${n}`) })
    await rig.pass(POLL)
    expect(rig.of("prompted")).toEqual([])
    first.let()
    await rig.pass(0)
    expect(rig.of("prompted").map((report) => report.n)).toEqual([0, 1, 2, 3])
    const { prompts } = rig.api.session(rig.only)
    expect(prompts.map((prompt) => prompt.text)).toEqual(["begin", "1", "2", "3"])
    const ids = prompts.map((prompt) => prompt.messageID)
    expect(ids).toEqual(ids.toSorted())
  })

  test("one that comes between two polls does not wait for the next", async () => {
    const rig = await new Rig().start().pass(POLL + 10)
    rig.run?.command({ type: "prompt", prompt: promptOf(1, "more") })
    await rig.pass(0)
    expect(rig.of("prompted")).toHaveLength(2)
  })

  test("a sample asked for before a prompt was accepted says so", async () => {
    const rig = await new Rig().start().pass(POLL - 1)
    const status = held()
    rig.api.fault("status", status)
    await rig.pass(1)
    rig.run?.command({ type: "prompt", prompt: promptOf(1, "more") })
    await rig.pass(500)
    status.let()
    await rig.pass(0)
    expect(rig.of("snapshot").map(({ snapshot }) => snapshot.prompts)).toEqual([1])
    await rig.pass(POLL)
    expect(rig.of("snapshot").map(({ snapshot }) => snapshot.prompts)).toEqual([1, 2])
  })

  test("not sent before the stop are not sent", async () => {
    const rig = new Rig()
    const first = held()
    rig.api.fault("prompt", first)
    await rig.start().pass(0)
    rig.run?.command({ type: "prompt", prompt: promptOf(1, "more") })
    rig.stop()
    first.let()
    await rig.pass(1_000)
    expect(rig.api.session(rig.only).prompts.map((prompt) => prompt.text)).toEqual(["begin"])
    expect(rig.types().at(-1)).toBe("stopped")
  })
})

describe("creating", () => {
  test("a busy server is asked again in the same slot, a few times, then the run has failed", async () => {
    const rig = new Rig()
    rig.api.fault("create", "SERVER_BUSY", "SERVER_BUSY")
    await rig.start().pass(1_500)
    expect(rig.types()).toEqual(["poll-failed", "poll-failed", "session", "prompted"])
    const failing = new Rig()
    failing.api.fault("create", ...Array.from({ length: 9 }, () => "SERVER_BUSY" as const))
    await failing.start().pass(60_000)
    expect(failing.api.count("create")).toBe(5)
    expect(failing.of("failed")).toMatchObject([{ reason: "SESSION_ERROR" }])
    expect(failing.over).toBe(true)
  })

  test("an answer that was lost: its session is found by the task's stamp", async () => {
    const rig = new Rig()
    rig.api.fault("create", "lost")
    await rig.start().pass(1_000)
    expect(rig.api.count("create")).toBe(1)
    expect(rig.of("session")).toMatchObject([{ sessionID: rig.only }])
    expect(rig.of("prompted")).toHaveLength(1)
  })

  test("its session is found behind hundreds that moved since, and so is its double", async () => {
    const rig = new Rig()
    const sessionID = rig.api.seed({ metadata: STAMP })
    rig.clock.advance(1)
    const double = rig.api.seed({ metadata: STAMP })
    for (let i = 0; i < 250; i++) rig.api.seed({ metadata: { [METADATA_KEY]: { task: `bg_other${i}` } } })
    // The server's clock is behind ours.
    const createdAt = rig.clock.wall() + 3_600_000
    await rig.start({ run: { ...RUN, attempt: 2 }, search: true, createdAt }).pass(0)
    expect(rig.of("session")).toMatchObject([{ sessionID }])
    expect(rig.api.count("create")).toBe(0)
    rig.stop(false)
    await rig.pass(100)
    expect([sessionID, double].map((id) => rig.api.sessions.has(id))).toEqual([true, false])
    expect(rig.api.sessions.size).toBe(251)
  })

  test("sessions that have not moved since long before the task are not looked through", async () => {
    const rig = new Rig()
    rig.api.seed({ metadata: STAMP })
    const createdAt = rig.clock.wall() + 7 * 86_400_000
    await rig.start({ run: { ...RUN, attempt: 2 }, search: true, createdAt }).pass(0)
    expect(rig.api.count("create")).toBe(1)
  })

  test("a session that turns up late is a double: deleted at the end", async () => {
    const rig = new Rig()
    rig.api.fault("create", "SERVER_TIMEOUT")
    await rig.start().pass(1_000)
    const own = rig.only
    rig.api.seed({ metadata: STAMP })
    rig.stop(false)
    await rig.pass(100)
    expect(rig.only).toBe(own)
  })

  test("an unreachable server is waited for as long as it takes", async () => {
    const rig = new Rig()
    rig.api.fault("create", ...Array.from({ length: 30 }, () => "SERVER_UNREACHABLE" as const))
    await rig.start().pass(31_000)
    expect(rig.of("poll-failed").every((report) => report.failure === "unreachable")).toBe(true)
    expect(rig.of("prompted")).toHaveLength(1)
  })

  test("stopped meanwhile: what was made is deleted, nothing is prompted, nobody hears of it", async () => {
    const rig = new Rig()
    const create = held()
    rig.api.fault("create", create)
    await rig.start().pass(0)
    rig.stop()
    create.let()
    await rig.pass(100)
    expect(rig.api.sessions.size).toBe(0)
    expect(rig.types()).toEqual(["stopped"])
  })

  test("stopped while it is in doubt: the session is deleted as well", async () => {
    const rig = new Rig()
    rig.api.fault("create", "lost")
    await rig.start().pass(100)
    expect(rig.api.sessions.size).toBe(1)
    rig.stop()
    await rig.pass(100)
    expect(rig.api.sessions.size).toBe(0)
    expect(rig.types()).toEqual(["poll-failed", "stopped"])
  })

  test("stopped once its session is known, it stays: the task may be continued in it", async () => {
    const rig = new Rig()
    const prompt = held()
    rig.api.fault("prompt", prompt)
    await rig.start().pass(0)
    rig.stop()
    prompt.let()
    await rig.pass(1_000)
    expect(rig.of("session")).toMatchObject([{ sessionID: rig.only }])
    expect(rig.of("stopped")).toMatchObject([{ idle: true }])
  })
})

describe("prompting", () => {
  test("an answer that was lost: the same ids again, one message", async () => {
    const rig = new Rig()
    rig.api.fault("prompt", "lost", "lost")
    await rig.start().pass(5_000)
    expect(rig.api.count("prompt")).toBe(3)
    expect(rig.api.session(rig.only).prompts).toHaveLength(1)
    expect(rig.of("prompted")).toHaveLength(1)
  })

  test("the answer lost and stopped meanwhile: the session is aborted, it may be at work", async () => {
    const rig = new Rig()
    rig.api.fault("prompt", "lost")
    await rig.start().pass(100)
    rig.stop()
    await rig.pass(1_000)
    expect(rig.api.count("abort")).toBeGreaterThan(0)
    expect(rig.api.session(rig.only).status.type).toBe("absent")
    expect(rig.of("stopped")).toMatchObject([{ idle: true }])
  })

  test("given up after long, and begun with only after the abort: aborted again", async () => {
    const rig = new Rig()
    const { hold, let: giveUp } = held()
    rig.api.prompt = () =>
      hold.then(() => {
        throw new LanesError("SERVER_TIMEOUT", "No answer.")
      })
    await rig.start().pass(8_000)
    const session = rig.api.session(rig.only)
    giveUp()
    await settled()
    rig.stop()
    await rig.pass(200)
    session.status = { type: "busy" }
    await rig.pass(1_000)
    expect(rig.api.count("abort")).toBe(2)
    expect(rig.of("stopped")).toMatchObject([{ idle: true }])
  })

  test("a refused prompt has failed", async () => {
    const rig = new Rig()
    rig.api.fault("prompt", "SERVER_REJECTED")
    await rig.start().pass(1_000)
    expect(rig.of("failed")).toMatchObject([{ reason: "PROMPT_REJECTED" }])
    expect(rig.over).toBe(true)
  })

  test("lesson 19: a refused follow-up does not leave the first one running unseen", async () => {
    const rig = await new Rig().start().pass(POLL)
    rig.api.fault("prompt", "SERVER_REJECTED")
    rig.run?.command({ type: "prompt", prompt: promptOf(1, "more") })
    await rig.pass(1_000)
    expect(rig.of("failed")).toMatchObject([{ reason: "PROMPT_REJECTED" }])
    expect(rig.api.session(rig.only).status.type).toBe("absent")
  })

  test("stopped while it leaves after a failure, it says that it has stopped", async () => {
    const rig = await new Rig().start().pass(POLL)
    rig.api.abortMs = 3_000
    rig.api.fault("prompt", "SERVER_REJECTED")
    rig.run?.command({ type: "prompt", prompt: promptOf(1, "more") })
    await rig.pass(1_000)
    rig.stop()
    await rig.pass(5_000)
    expect(rig.types().slice(-1)).toEqual(["stopped"])
    expect(rig.of("failed")).toEqual([])
  })
})

describe("another attempt", () => {
  test("finds the session of the first by its stamp, and its prompt by its tail", async () => {
    const first = await new Rig().start().pass(0)
    const sent = first.api.session(first.only).prompts[0]?.messageID as string
    const rig = first
    rig.reports.length = 0
    rig.start({ run: { ...RUN, attempt: 2 }, search: true, check: true })
    await rig.pass(0)
    expect(rig.of("session")).toMatchObject([{ sessionID: rig.only }])
    expect(rig.of("prompted")).toMatchObject([{ n: 0, messageID: sent }])
    expect(rig.api.session(rig.only).prompts).toHaveLength(1)
  })

  test("re-attached, it looks at once and prompts nothing", async () => {
    const rig = new Rig()
    const sessionID = rig.api.seed({ metadata: STAMP })
    await rig.start({ sessionID, prompts: [], accepted: 1, check: true }).pass(0)
    expect(rig.types()).toEqual(["session", "snapshot"])
    expect(rig.of("snapshot")[0]?.snapshot.prompts).toBe(1)
  })

  test("a prompt its predecessor had not sent is sent under a newer id than all that is there", async () => {
    const rig = new Rig()
    const sessionID = rig.api.seed({ metadata: STAMP })
    rig.api.session(sessionID).prompts.push({ messageID: "msg_fffffffffff0zzzzzzzzzzzzzz", partID: "prt", text: "old" })
    rig.api.answer(sessionID, { id: "msg_fffffffffff1zzzzzzzzzzzzzz" })
    await rig.start({ sessionID, prompts: [promptOf(1, "go on")], accepted: 1, check: true }).pass(0)
    expect((rig.of("prompted")[0]?.messageID as string) > "msg_fffffffffff1zzzzzzzzzzzzzz").toBe(true)
  })

  test("and under an older one than all that comes, though our clock is ahead of the server's", async () => {
    const rig = new Rig()
    const theirs = rig.clock.wall() - 600_000
    const sessionID = rig.api.seed({ metadata: STAMP })
    const before = messageID(theirs, "zzzzzzzzzzzzzz")
    rig.api.answer(sessionID, { id: before })
    await rig.start({ sessionID }).pass(0)
    const asked = rig.of("prompted")[0]?.messageID as string
    expect([before, asked, messageID(theirs + 1, "00000000000000")].toSorted()).toEqual([
      before,
      asked,
      messageID(theirs + 1, "00000000000000"),
    ])
  })
})

describe("an existing session", () => {
  test("of somebody else's is stamped first; its TODOs are told", async () => {
    const rig = new Rig()
    rig.api.todosOpen = 3
    const sessionID = rig.api.seed({ metadata: { theirs: 1 } })
    await rig.start({ sessionID, stamp: true }).pass(0)
    expect(rig.api.session(sessionID).info.metadata).toEqual({ theirs: 1, ...STAMP })
    expect(rig.of("session")).toMatchObject([{ sessionID, todos: { open: 3 } }])
    const calls = rig.api.calls.map(({ call }) => call)
    expect(calls.indexOf("stamp")).toBeLessThan(calls.indexOf("prompt"))
  })

  test("stamped by an earlier run is not stamped again", async () => {
    const rig = new Rig()
    const sessionID = rig.api.seed({ metadata: STAMP })
    await rig.start({ sessionID, stamp: true }).pass(0)
    expect(rig.of("prompted")).toHaveLength(1)
    expect(rig.api.count("stamp")).toBe(0)
  })

  test("still busy with its predecessor is waited for, so long, then it has failed", async () => {
    const rig = new Rig()
    const sessionID = rig.api.seed({ metadata: STAMP })
    rig.api.session(sessionID).status = { type: "busy" }
    await rig.start({ sessionID }).pass(5_000)
    expect(rig.api.count("prompt")).toBe(0)
    rig.api.session(sessionID).status = { type: "absent" }
    await rig.pass(200)
    expect(rig.of("prompted")).toHaveLength(1)
    const stuck = new Rig()
    const other = stuck.api.seed({ metadata: STAMP })
    stuck.api.session(other).status = { type: "busy" }
    await stuck.start({ sessionID: other }).pass(BOUNDS.predecessorMs + 200)
    expect(stuck.of("failed")).toMatchObject([{ reason: "SESSION_ERROR" }])
    expect(stuck.api.count("prompt")).toBe(0)
  })

  test("that is not there is gone", async () => {
    const rig = await new Rig().start({ sessionID: "ses_none" }).pass(1_000)
    expect(rig.of("failed")).toMatchObject([{ reason: "SESSION_GONE" }])
  })

  test("refused a stamp because it was stopped, it still says that it has stopped", async () => {
    const rig = new Rig()
    const sessionID = rig.api.seed()
    const get = held()
    rig.api.fault("get", get)
    rig.api.fault("stamp", "RUN_MOVED_ON")
    await rig.start({ sessionID, stamp: true }).pass(0)
    rig.stop()
    get.let()
    await rig.pass(1_000)
    expect(rig.types()).toEqual(["stopped"])
  })
})

describe("polls that fail", () => {
  for (const [code, failure] of [
    ["SERVER_UNREACHABLE", "unreachable"],
    ["SERVER_TIMEOUT", "timeout"],
    ["GARBLED", "garbled"],
    ["SERVER_REJECTED", "refused"],
    ["RELOADING", "reloading"],
  ] as const) {
    test(`${code} is told, and the next one comes at its time`, async () => {
      const rig = await new Rig().start().pass(POLL - 1)
      rig.api.fault("status", code)
      await rig.pass(1)
      expect(rig.of("poll-failed")).toMatchObject([{ seq: 1, failure }])
      await rig.pass(POLL)
      expect(rig.of("snapshot")).toMatchObject([{ seq: 2 }])
    })
  }

  test("a session that is gone in the middle ends the run; it is aborted all the same", async () => {
    const rig = await new Rig().start().pass(POLL)
    const id = rig.only
    rig.api.sessions.delete(id)
    await rig.pass(6 * POLL)
    expect(rig.of("failed")).toMatchObject([{ reason: "SESSION_GONE" }])
    expect(rig.api.calls).toContainEqual({ call: "abort", session: id })
    expect(rig.over).toBe(true)
  })

  test("one of a conversation's may be gone with it: word of that is waited for", async () => {
    const gone = async (): Promise<Rig> => {
      const rig = await new Rig().start({ parentSessionID: "ses_parent" }).pass(POLL)
      rig.api.sessions.delete(rig.only)
      while (rig.api.count("abort") === 0) await rig.pass(POLL)
      await rig.pass(BOUNDS.orphanMs - POLL)
      expect(rig.of("failed")).toEqual([])
      return rig
    }
    const stopped = await gone()
    stopped.stop()
    await stopped.pass(0)
    expect(stopped.types().at(-1)).toBe("stopped")
    const alone = await (await gone()).pass(POLL)
    expect(alone.of("failed")).toMatchObject([{ reason: "SESSION_GONE" }])
  })

  test("a deleted session that only has no messages any more, and stays busy, is gone as well", async () => {
    const rig = await new Rig().start().pass(POLL)
    rig.api.newest = () => Promise.resolve({ newest: null, fingerprint: "", users: [] })
    rig.api.fault("get", "NOT_FOUND", "NOT_FOUND", "NOT_FOUND")
    await rig.pass(12 * POLL)
    expect(rig.of("failed")).toMatchObject([{ reason: "SESSION_GONE" }])
  })

  test("TODOs that cannot be read are left out, the rest is told", async () => {
    const rig = await new Rig().start().pass(POLL)
    rig.api.answer(rig.only)
    rig.api.fault("todos", "SERVER_TIMEOUT")
    await rig.pass(2 * POLL + 20)
    const [, second, third] = rig.of("snapshot").slice(1)
    expect(second?.snapshot.todos).toBeUndefined()
    expect(second?.snapshot.newest).toMatchObject({ text: "Done." })
    expect(third?.snapshot.todos).toEqual({ open: 0, digest: "0 open" })
  })

  test("a run that has moved on falls silent", async () => {
    const rig = await new Rig().start().pass(POLL - 1)
    rig.api.fault("status", "RUN_MOVED_ON")
    await rig.pass(1)
    const { length } = rig.reports
    await rig.pass(10 * POLL)
    expect(rig.reports).toHaveLength(length)
    expect(rig.over).toBe(true)
    expect(rig.clock.pending).toBe(0)
  })
})

describe("asks", () => {
  test("are answered with words, again when the server was busy", async () => {
    const rig = await new Rig().start().pass(0)
    rig.api.fault("reject", "SERVER_BUSY")
    rig.run?.command({ type: "reply", askID: "per_1", message: "No." })
    await rig.pass(1_000)
    expect(rig.api.rejected).toEqual([{ askID: "per_1", message: "No." }])
  })

  test("open ones are told from time to time while it is busy", async () => {
    const rig = await new Rig().start().pass(0)
    rig.api.openAsks = { [rig.only]: [{ id: "per_1", permission: "bash", patterns: [] }], ses_other: [] }
    await rig.pass(6 * POLL)
    const told = rig.of("snapshot").flatMap(({ snapshot }) => snapshot.asks ?? [])
    expect(told.length).toBeGreaterThan(0)
    expect(told.every((ask) => ask.id === "per_1")).toBe(true)
  })

  test("an answer under way does not hold up the stop", async () => {
    const rig = await new Rig().start().pass(0)
    rig.api.fault("reject", "SERVER_BUSY", "SERVER_BUSY", "SERVER_BUSY")
    rig.run?.command({ type: "reply", askID: "per_1", message: "No." })
    await settled()
    rig.stop(false)
    await rig.pass(0)
    expect(rig.types().at(-1)).toBe("stopped")
  })
})
