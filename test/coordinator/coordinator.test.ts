/** The coordinator: inputs in, effects carried out in order, journal first, one timer. */
import { describe, expect, test } from "bun:test"
import { Coordinator } from "../../src/coordinator/coordinator.ts"
import { LanesError } from "../../src/core/errors.ts"
import type { LaneEvent } from "../../src/core/events.ts"
import { BOUNDS, DEFAULTS } from "../../src/core/options.ts"
import type { Options } from "../../src/core/options.ts"
import type { Outcome, TaskSpec } from "../../src/core/task.ts"
import { answer, SPEC } from "../helpers/core-rig.ts"
import { FakeJournal, fakePorts } from "../helpers/fake-ports.ts"
import type { FakePorts } from "../helpers/fake-ports.ts"
import { settled } from "../helpers/manual-clock.ts"

const parent = { sessionID: "ses_parent", batch: "turn1" }

class Rig {
  readonly ports: FakePorts
  readonly lanes: Coordinator
  readonly heard: LaneEvent[] = []
  #seq = 0

  constructor(options: Partial<Options> = {}, journal = new FakeJournal()) {
    this.ports = fakePorts(journal)
    this.lanes = new Coordinator({ ...DEFAULTS, ...options }, this.ports)
    this.lanes.bus.on("*", (event) => this.heard.push(event))
  }

  launch(spec: Partial<TaskSpec> = {}): ReturnType<Coordinator["launch"]> {
    return this.lanes.launch({ ...SPEC, ...spec })
  }

  /** Its newest run is in its session and prompted. */
  prompt(id: string): string {
    const run = this.ports.threads.started.findLast((assignment) => assignment.run.task === id)?.run
    if (run === undefined) throw new Error(`${id} was not started.`)
    const messageID = `msg_${id}_${run.epoch}`
    this.ports.threads.report({ type: "session", run, sessionID: `ses_${id}` })
    this.ports.threads.report({ type: "prompted", run, n: 0, messageID })
    return messageID
  }

  finish(id: string): void {
    const prompt = this.prompt(id)
    const run = this.ports.threads.started.findLast((assignment) => assignment.run.task === id)?.run
    if (run === undefined) return
    for (let i = 0; i < 2; i++) {
      const snapshot = { status: { type: "absent" as const }, prompts: 1, ...answer(prompt) }
      this.ports.threads.report({ type: "snapshot", run, seq: ++this.#seq, snapshot })
    }
    this.ports.threads.report({ type: "stopped", run, idle: true })
  }

  types(): string[] {
    return this.heard.map((event) => event.type)
  }
}

function code(call: () => unknown): string {
  try {
    call()
  } catch (thrown) {
    return thrown instanceof LanesError ? thrown.code : String(thrown)
  }
  return "none"
}

describe("a task", () => {
  test("is launched, run, settled and remembered", async () => {
    const rig = new Rig()
    const { id, epoch, lane, done } = rig.launch()
    expect({ epoch, lane }).toMatchObject({ epoch: 1, lane: { lane: "default", used: 1, ahead: 0 } })
    rig.finish(id)
    expect(await done).toMatchObject({ reason: "FINISHED", text: "The answer." })
    expect(await rig.lanes.done(id)).toMatchObject({ reason: "FINISHED" })
    expect(rig.lanes.get(id)?.state).toBe("completed")
    expect(rig.lanes.findBySession(`ses_${id}`)?.id).toBe(id)
    expect(rig.ports.journal.rows.get(id)).toEqual(rig.lanes.get(id) as never)
    expect(rig.ports.journal.events.map((event) => event.seq)).toEqual(rig.heard.map((event) => event.seq))
  })

  test("an id that is taken is not given again", () => {
    const rig = new Rig()
    const ids = ["bg_same0000", "bg_same0000", "bg_other000"]
    Object.assign(rig.ports.ids, { task: () => ids.shift() })
    rig.launch()
    expect(rig.launch().id).toBe("bg_other000")
  })

  test("each epoch has its own end", async () => {
    const rig = new Rig()
    const { id, done } = rig.launch()
    rig.finish(id)
    const second = rig.lanes.continue(id, "More.")
    let ended = false
    void second.done.then(() => (ended = true))
    expect((await done).epoch).toBe(1)
    expect(ended).toBe(false)
    rig.finish(id)
    expect((await second.done).epoch).toBe(2)
  })

  test("continued from within the word of its end, both ends are told", async () => {
    const rig = new Rig()
    let second: Promise<Outcome> | undefined
    // Hears it before the promise of the first epoch is settled.
    rig.lanes.bus.once("task:settled", (event) => void (second = rig.lanes.continue(event.id, "More.").done))
    const { id, done } = rig.launch()
    rig.finish(id)
    expect((await done).epoch).toBe(1)
    rig.finish(id)
    expect((await second)?.epoch).toBe(2)
  })

  test("cancel answers with the row and is idempotent", () => {
    const rig = new Rig()
    const { id } = rig.launch()
    expect(rig.lanes.cancel(id)).toMatchObject({ state: "cancelled", outcome: { reason: "USER" } })
    expect(rig.lanes.cancel(id, { reason: "PARENT" }).outcome?.reason).toBe("USER")
    expect(code(() => rig.lanes.cancel("bg_nobody00"))).toBe("TASK_UNKNOWN")
  })
})

describe("journal first", () => {
  test("the row is written before the run starts and before anybody hears of it", () => {
    const rig = new Rig()
    const order: string[] = []
    const { write } = rig.ports.journal
    rig.ports.journal.write = (rows, forget) => {
      order.push("write")
      write.call(rig.ports.journal, rows, forget)
    }
    rig.ports.threads.run = () => void order.push("run")
    rig.lanes.bus.on("task:queued", () => order.push("told"))
    rig.launch()
    expect(order).toEqual(["write", "told", "run"])
  })

  test("a launch that cannot be written is refused, and never was", () => {
    const rig = new Rig()
    rig.ports.journal.fail = new Error("disk full")
    expect(code(() => rig.launch())).toBe("JOURNAL_FAILED")
    expect(rig.types()).toEqual(["journal:error"])
    expect(rig.ports.threads.started).toEqual([])
    expect(rig.lanes.list()).toEqual([])
    rig.ports.journal.fail = undefined
    expect(rig.launch().lane.used).toBe(1)
  })

  test("a deadline that comes with a refused launch is carried out all the same", async () => {
    const rig = new Rig({ taskTtlMs: 1_000 })
    const { id, done } = rig.launch()
    rig.prompt(id)
    // The timer is late: the launch comes first.
    rig.ports.clock.setTimer = () => () => {}
    let now = rig.ports.clock.now()
    rig.ports.clock.now = () => (now += 600)
    rig.ports.journal.fail = new Error("disk full")
    expect(code(() => rig.launch())).toBe("JOURNAL_FAILED")
    expect(code(() => rig.launch())).toBe("JOURNAL_FAILED")
    expect((await done).reason).toBe("TTL")
    expect(rig.ports.threads.commands).toMatchObject([{ command: { type: "stop", abort: true } }])
  })

  test("a running task goes on when its row cannot be written; it is told", () => {
    const rig = new Rig()
    const { id } = rig.launch()
    rig.ports.journal.fail = new Error("disk full")
    rig.finish(id)
    expect(rig.lanes.get(id)?.state).toBe("completed")
    expect(rig.types()).toContain("journal:error")
  })

  test("an audit with holes stops nothing", async () => {
    const rig = new Rig()
    rig.ports.journal.failAppend = new Error("torn")
    const { id, done } = rig.launch()
    rig.finish(id)
    expect((await done).reason).toBe("FINISHED")
  })

  test("recovery takes over what the journal holds", () => {
    const first = new Rig()
    const { id } = first.launch()
    first.prompt(id)
    const second = new Rig({}, first.ports.journal)
    expect(second.lanes.recover("alive")).toBe(1)
    expect(second.ports.threads.started).toMatchObject([{ sessionID: `ses_${id}`, prompts: [], accepted: 1 }])
  })
})

describe("listeners that act", () => {
  test("a launch from within a listener follows the current step's effects", () => {
    const rig = new Rig()
    const order: string[] = []
    rig.ports.threads.run = ({ run }) => void order.push(`run ${run.task}`)
    rig.lanes.bus.once("task:queued", () => void rig.launch())
    rig.lanes.bus.on("task:started", (event) => order.push(`started ${event.id}`))
    rig.launch()
    expect(order).toEqual(["started bg_00000001", "run bg_00000001", "started bg_00000002", "run bg_00000002"])
  })

  test("one that throws harms nobody", () => {
    const rig = new Rig()
    rig.lanes.bus.on("*", () => {
      throw new Error("mine")
    })
    const { id } = rig.launch()
    rig.finish(id)
    expect(rig.lanes.get(id)?.state).toBe("completed")
  })
})

describe("time", () => {
  test("one timer, for the next deadline", async () => {
    const rig = new Rig({ taskTtlMs: 10_000 })
    for (let i = 0; i < 5; i++) rig.prompt(rig.launch().id)
    expect(rig.ports.clock.pending).toBe(1)
    await rig.ports.clock.pass(9_999)
    expect(rig.types()).not.toContain("task:settled")
    await rig.ports.clock.pass(1)
    expect(rig.types().filter((type) => type === "task:settled")).toHaveLength(5)
  })

  test("a deadline weeks away is armed in pieces", async () => {
    const rig = new Rig({ retainMs: 60 * 86_400_000 })
    const { id } = rig.launch()
    rig.finish(id)
    await rig.ports.clock.pass(60 * 86_400_000 - 1)
    expect(rig.lanes.get(id)).toBeDefined()
    await rig.ports.clock.pass(1)
    expect(rig.lanes.get(id)).toBeUndefined()
    expect(rig.ports.clock.pending).toBe(0)
  })
})

describe("telling the parent", () => {
  test("a proof per item ends the delivery", async () => {
    const rig = new Rig()
    const { id } = rig.launch({ parent })
    rig.finish(id)
    rig.ports.parent.told[0]?.resolve(["msg_proof"])
    await settled()
    expect(rig.lanes.get(id)?.notice).toMatchObject({ state: "told", proof: "msg_proof" })
    expect(rig.lanes.sizes()).toMatchObject({ deliveries: 0, outbox: 0 })
  })

  test("a failure is tried again; a parent that is gone is not", async () => {
    const rig = new Rig()
    const { id } = rig.launch({ parent })
    rig.finish(id)
    rig.ports.parent.told[0]?.reject(new LanesError("SERVER_UNREACHABLE", "No."))
    await settled()
    await rig.ports.clock.pass(BOUNDS.noticeBackoffMs[0])
    expect(rig.ports.parent.told).toHaveLength(2)
    rig.ports.parent.told[1]?.reject(new LanesError("NOT_FOUND", "Gone."))
    await settled()
    expect(rig.lanes.get(id)?.notice.state).toBe("dead")
  })

  test("what could not be told is shown once, in its next life too", async () => {
    const rig = new Rig()
    const { id } = rig.launch({ parent })
    rig.finish(id)
    rig.ports.parent.told[0]?.reject(new LanesError("NOT_FOUND", "Gone."))
    await settled()
    expect(rig.lanes.untold("ses_parent").map((row) => row.id)).toEqual([id])
    expect(rig.lanes.untold("ses_parent")).toEqual([])
    expect(rig.ports.journal.rows.get(id)?.notice.state).toBe("none")
  })

  test("one that waits is called back when all it would tell has been read; its twin is not", async () => {
    const rig = new Rig()
    const { id: read } = rig.launch({ parent })
    const { id: unread } = rig.launch({ parent: { ...parent, sessionID: "ses_other" } })
    rig.finish(read)
    rig.finish(unread)
    rig.lanes.feed({ type: "read", id: read })
    await settled()
    expect(rig.ports.parent.told.map(({ signal }) => signal.aborted)).toEqual([true, false])
    expect(rig.lanes.sizes().deliveries).toBe(1)
    expect(rig.lanes.owed("ses_parent")).toEqual([])
  })

  test("what settles while a delivery is called back is told next", async () => {
    const rig = new Rig()
    const { id: a } = rig.launch({ parent })
    const { id: b } = rig.launch({ parent })
    rig.finish(a)
    rig.finish(b)
    rig.lanes.feed({ type: "read", id: a })
    await settled()
    expect(rig.ports.parent.told.at(-1)?.delivery).toMatchObject({ wake: true, items: [{ task: b }] })
  })

  test("one without a turn that has become the last word is called back, and told with one", async () => {
    const rig = new Rig()
    const { id: a } = rig.launch({ parent })
    const { id: b } = rig.launch({ parent })
    rig.finish(a)
    expect(rig.ports.parent.told.map(({ delivery }) => delivery.wake)).toEqual([false])
    rig.lanes.cancel(b, { reason: "PARENT", silent: true })
    await settled()
    expect(rig.ports.parent.told.map(({ delivery }) => delivery.wake)).toEqual([false, true])
    expect(rig.ports.parent.told[0]?.signal.aborted).toBe(true)
  })

  test.each([
    [
      "throws",
      () => {
        throw new Error("a bug in somebody's parent")
      },
    ],
    ["proves nothing", () => Promise.resolve([])],
    ["answers nothing", () => Promise.resolve(undefined as unknown as string[])],
  ] as const)("a parent that %s has failed, and is tried again", async (_how, deliver) => {
    const rig = new Rig()
    const { id } = rig.launch({ parent })
    const proper = rig.ports.parent.deliver.bind(rig.ports.parent)
    rig.ports.parent.deliver = deliver
    rig.finish(id)
    await settled()
    expect(rig.lanes.owed("ses_parent")).toHaveLength(1)
    rig.ports.parent.deliver = proper
    await rig.ports.clock.pass(BOUNDS.noticeBackoffMs[0])
    expect(rig.ports.parent.told).toHaveLength(1)
  })
})

describe("sessions nobody stops", () => {
  test("are aborted from here, and a hung abort is nobody's problem", async () => {
    const rig = new Rig()
    const { id } = rig.launch()
    rig.prompt(id)
    rig.lanes.cancel(id)
    await rig.ports.clock.pass(BOUNDS.drainMs)
    expect(rig.ports.aborted).toEqual([`ses_${id}`])
  })
})

describe("close", () => {
  test("runs finish within their time; then it ends", async () => {
    const rig = new Rig()
    const { id, done } = rig.launch()
    const closing = rig.lanes.close({ drainMs: 10_000 })
    expect(code(() => rig.launch())).toBe("CLOSED")
    await rig.ports.clock.pass(1_000)
    rig.finish(id)
    await closing
    expect((await done).reason).toBe("FINISHED")
    expect(rig.ports.threads.closed).toBe(1)
    expect(rig.ports.clock.pending).toBe(0)
  })

  test("what is left is aborted, and waited for until it is out, within bounds", async () => {
    const rig = new Rig()
    const { id, done } = rig.launch()
    rig.prompt(id)
    const closing = rig.lanes.close()
    await settled()
    expect(rig.ports.threads.closed).toBe(0)
    expect(rig.ports.threads.commands).toMatchObject([{ command: { type: "stop", abort: true } }])
    await rig.ports.clock.pass(BOUNDS.drainMs)
    await closing
    expect((await done).reason).toBe("SHUTDOWN")
    expect(rig.lanes.close()).toBe(closing)
  })

  test("detach leaves rows and sessions to the next one, but first lets go what was cancelled", async () => {
    const rig = new Rig()
    const { id, done } = rig.launch()
    const { id: cancelled } = rig.launch()
    rig.prompt(id)
    rig.prompt(cancelled)
    rig.lanes.cancel(cancelled)
    const closing = rig.lanes.close({ detach: true })
    await settled()
    expect(rig.ports.threads.closed).toBe(0)
    rig.ports.threads.report({ type: "stopped", run: { task: cancelled, epoch: 1, attempt: 1 }, idle: true })
    await closing
    expect(await done).toMatchObject({ state: "cancelled", reason: "SHUTDOWN", sessionID: `ses_${id}` })
    expect(rig.ports.journal.rows.get(id)?.state).toBe("running")
    expect(rig.ports.threads.commands.at(-1)?.command).toEqual({ type: "stop", abort: false })
  })

  test("detached, it refuses what is asked of it", async () => {
    const rig = new Rig()
    const { id } = rig.launch()
    rig.finish(id)
    await rig.lanes.close({ detach: true })
    expect(code(() => rig.launch())).toBe("CLOSED")
    expect(code(() => rig.lanes.continue(id, "More."))).toBe("CLOSED")
    expect(rig.ports.journal.rows.get(id)?.epoch).toBe(1)
  })

  test("detached, it refuses what is asked of it", async () => {
    const rig = new Rig()
    const { id } = rig.launch()
    rig.finish(id)
    await rig.lanes.close({ detach: true })
    expect(code(() => rig.launch())).toBe("CLOSED")
    expect(code(() => rig.lanes.continue(id, "More."))).toBe("CLOSED")
    expect(rig.ports.journal.rows.get(id)?.epoch).toBe(1)
  })

  test("what comes in later is too late: nothing is written, sent or thrown", async () => {
    const rig = new Rig()
    const { id } = rig.launch({ parent })
    rig.finish(id)
    await rig.lanes.close()
    await settled()
    const { length } = rig.heard
    rig.lanes.feed({ type: "read", id })
    rig.lanes.feed({ type: "told", id, epoch: 1, proof: "late" })
    expect(rig.lanes.cancel(id).state).toBe("completed")
    expect(code(() => rig.launch())).toBe("CLOSED")
    expect(rig.heard).toHaveLength(length)
    expect(rig.ports.journal.rows.get(id)?.notice.state).toBe("owed")
  })
})

test("every input is recorded before it is taken in", () => {
  const ports = fakePorts()
  const recorded: string[] = []
  const lanes = new Coordinator(DEFAULTS, { ...ports, record: (input) => recorded.push(input.type) })
  lanes.launch(SPEC)
  expect(recorded).toEqual(["tick", "launch"])
})
