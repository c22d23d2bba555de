import { readFileSync } from "node:fs"
import { join } from "node:path"

import { describe, expect, test } from "bun:test"

import type { Config } from "../../src/config.ts"
import { agent, simulate } from "../../src/sim/index.ts"
import type { AgentScript, RunResult, SimParent, SimTask, Simulation, SimulateOptions } from "../../src/sim/index.ts"

/**
 * The fault matrix, a row each: what goes wrong, when in a task's life (Q queued, S starting, R running, I idle window,
 * N notifying), and what must be seen. Each row is played twice, with its fault and without.
 */
interface Row {
  readonly fault: string
  readonly phase: string
  readonly agent?: AgentScript
  /** What the agent does in the twin, where the fault lies in what it does. */
  readonly without?: AgentScript
  readonly config?: Config
  readonly rates?: SimulateOptions["faults"]
  readonly events?: boolean
  /** Sees to the fault; called before anything is launched unless it waits with `sim.at`. */
  readonly strike?: (at: { sim: Simulation; task: SimTask; parent: SimParent }) => void
  readonly before?: (sim: Simulation) => void
  readonly sees: (seen: Seen) => void
  readonly twin?: (seen: Seen) => void
}

interface Seen {
  readonly sim: Simulation
  readonly run: RunResult
  readonly task: SimTask
  readonly reason: string | undefined
  /** Prompts the session got, and sessions there are. */
  readonly prompts: number
  readonly sessions: number
  readonly told: number
}

/** Answers 8.1 s after its launch; that is seen 30 ms later. */
const USUAL = agent().think("3s").tool("grep", "5s").done("found it")
const LONG = agent().think("3s").tool("build", "2m").done("built")
const reason =
  (...reasons: string[]) =>
  ({ reason: got, told }: Seen): void => {
    expect(reasons).toContain(got ?? "")
    expect(told).toBe(1)
  }
const finished = reason("FINISHED")
/** Asked to go on, once. */
const resumed = ({ reason: got, prompts, told }: Seen): void => expect([got, prompts, told]).toEqual(["FINISHED", 2, 1])
const once = (seen: Seen): void => {
  finished(seen)
  expect([seen.sessions, seen.prompts]).toEqual([1, 1])
}

const ROWS: readonly Row[] = [
  {
    fault: "session.create fails with 500",
    phase: "S",
    strike: ({ sim }) => sim.ambush("create", "failed"),
    sees: once,
  },
  {
    fault: "session.create fails for good",
    phase: "S",
    strike: ({ sim }) => sim.ambush("create", "failed", 99),
    sees: reason("SESSION_ERROR"),
  },
  {
    fault: "session.create succeeds, its answer is lost",
    phase: "S",
    strike: ({ sim }) => sim.ambush("create", "lost"),
    sees: once,
  },
  { fault: "the prompt's answer is lost", phase: "S", strike: ({ sim }) => sim.ambush("prompt", "lost"), sees: once },
  {
    fault: "the prompt is refused",
    phase: "S",
    strike: ({ sim }) => sim.ambush("prompt", "refused"),
    sees: reason("PROMPT_REJECTED"),
  },
  {
    fault: "the provider says 429 for a while",
    phase: "R",
    agent: agent().think("1s").retry(429, { times: 3 }).done(),
    without: agent().think("1s").done(),
    sees: finished,
  },
  {
    fault: "the provider is to be asked again after the TTL",
    phase: "R",
    agent: agent().think("1s").retry(429, { times: 1, after: "2h" }).done(),
    without: agent().think("1s").done(),
    sees: reason("SESSION_ERROR"),
  },
  { fault: "polls fail", phase: "R", strike: ({ sim }) => sim.ambush("status", "failed", 5), sees: once },
  { fault: "polls are slow", phase: "R", strike: ({ sim }) => sim.ambush("status", "slow", 3), sees: once },
  { fault: "polls are garbled", phase: "R", strike: ({ sim }) => sim.ambush("status", "garbled", 5), sees: once },
  {
    fault: "reports come twice",
    phase: "R I",
    rates: () => ({ "report.duplicate": 1 }),
    sees: once,
    twin: once,
  },
  {
    fault: "reports overtake each other",
    phase: "R I",
    rates: () => ({ "report.reorder": 0.5 }),
    sees: once,
    twin: once,
  },
  {
    fault: "reports are late",
    phase: "R I",
    rates: () => ({ "report.delay": 0.5 }),
    sees: once,
    twin: once,
  },
  {
    fault: "events are dropped",
    phase: "R",
    strike: ({ sim }) => sim.at("2s", () => sim.dropEvents("1m")),
    sees: once,
  },
  {
    fault: "events stall",
    phase: "R",
    strike: ({ sim }) => sim.at("2s", () => sim.dropEvents("1m", { stalls: true })),
    sees: once,
  },
  { fault: "events never come", phase: "R", events: false, sees: once, twin: once },
  {
    fault: "idle is said early",
    phase: "I",
    agent: agent().think("3s").tool("read", "3s").earlyIdle("600ms").think("20s").done(),
    without: agent().think("3s").tool("read", "3s").think("20s").done(),
    sees: finished,
  },
  {
    fault: "idle flaps",
    phase: "I",
    agent: agent().think("6s").tool("read", "3s").flap(5, "50ms").think("20s").done(),
    without: agent().think("6s").tool("read", "3s").think("20s").done(),
    sees: finished,
  },
  {
    fault: "idle is a lie",
    phase: "I",
    agent: agent().think("6s").lieIdle("3s").stream("20s").done(),
    without: agent().think("6s").stream("20s").done(),
    sees: finished,
  },
  {
    fault: "a long silent tool",
    phase: "R",
    agent: agent().tool("build", "20m", { silent: true }).done(),
    without: agent().tool("build", "20m").done(),
    sees: finished,
  },
  {
    fault: "a tool silent for too long",
    phase: "R",
    agent: agent().tool("build", "28m", { silent: true }).done(),
    without: agent().tool("build", "28m").done(),
    sees: reason("STALE"),
  },
  {
    fault: "idle with open TODOs",
    phase: "I",
    agent: agent().think("3s").todos(3, { left: 1 }).done(),
    without: agent().think("3s").todos(3).done(),
    sees: reason("TODOS_OPEN"),
  },
  {
    fault: "idle with open TODOs, closed when asked to",
    phase: "I",
    agent: agent().think("3s").todos(3, { left: 1, afterNudges: 1 }).done(),
    without: agent().think("3s").todos(3).done(),
    sees: finished,
  },
  {
    fault: "a silent hang",
    phase: "R",
    agent: agent().think("3s").hang(),
    without: agent().think("3s").done(),
    sees: reason("STALE"),
  },
  {
    fault: "endless chatter",
    phase: "R",
    agent: agent().think("3s").chatter(),
    without: agent().think("3s").done(),
    sees: reason("TTL"),
  },
  {
    fault: "a stream that never ends well",
    phase: "R",
    agent: agent().truncated(Number.POSITIVE_INFINITY).done(),
    without: agent().truncated().done(),
    sees: reason("STEP_LIMIT"),
  },
  {
    fault: "the session is deleted",
    phase: "R",
    agent: LONG,
    strike: ({ sim, task }) => sim.at("20s", () => task.deleteSession()),
    sees: reason("SESSION_GONE"),
  },
  {
    fault: "OpenCode is restarted",
    phase: "R",
    agent: LONG,
    strike: ({ sim }) => sim.at("20s", () => sim.crash("server", "3s")),
    sees: resumed,
  },
  {
    fault: "OpenCode is restarted",
    phase: "I",
    strike: ({ sim }) => sim.at("8105ms", () => sim.crash("server", "3s")),
    sees: ({ reason: got, sessions }) => expect([got, sessions]).toEqual(["FINISHED", 1]),
  },
  {
    fault: "OpenCode is down for long",
    phase: "Q",
    before: (sim) => sim.cutServer("10m"),
    sees: reason("SERVER_LOST"),
    twin: finished,
  },
  {
    fault: "OpenCode is down for long",
    phase: "R",
    agent: LONG,
    strike: ({ sim }) => sim.at("20s", () => sim.cutServer("10m")),
    sees: reason("SERVER_LOST"),
  },
  { fault: "OpenCode is down for a while", phase: "S", strike: ({ sim }) => sim.cutServer("1m"), sees: once },
  { fault: "a worker throws", phase: "S", strike: ({ sim }) => sim.at("5ms", () => sim.worker("throws")), sees: once },
  { fault: "a worker rejects", phase: "R", strike: ({ sim }) => sim.at("4s", () => sim.worker("rejects")), sees: once },
  { fault: "a worker exits", phase: "I", strike: ({ sim }) => sim.at("8105ms", () => sim.worker("exits")), sees: once },
  {
    fault: "a worker spins",
    phase: "R",
    agent: LONG,
    strike: ({ sim }) => sim.at("4s", () => sim.worker("spins")),
    sees: once,
  },
  {
    fault: "a worker falls silent",
    phase: "R",
    agent: LONG,
    strike: ({ sim }) => sim.at("4s", () => sim.worker("falls silent")),
    sees: once,
  },
  {
    fault: "three workers crash on the same task",
    phase: "R",
    agent: LONG,
    strike: ({ sim }) => ["10s", "20s", "30s"].forEach((at) => sim.at(at, () => sim.worker("exits"))),
    sees: reason("WORKER_LOST"),
  },
  {
    fault: "kill -9 of the coordinator, server not ours",
    phase: "S",
    strike: ({ sim }) => sim.at("8ms", () => sim.crash("coordinator")),
    sees: once,
  },
  {
    fault: "kill -9 of the coordinator, server not ours",
    phase: "R",
    agent: LONG,
    strike: ({ sim }) => sim.at("20s", () => sim.crash("coordinator")),
    sees: once,
  },
  {
    fault: "kill -9 of the coordinator, server not ours",
    phase: "I",
    strike: ({ sim }) => sim.at("8105ms", () => sim.crash("coordinator")),
    sees: once,
  },
  {
    fault: "kill -9 of the coordinator",
    phase: "N",
    before: (sim) => sim.session("ses_parent").busy("30s"),
    strike: ({ sim }) => sim.at("20s", () => sim.crash("coordinator")),
    sees: once,
    twin: once,
  },
  {
    fault: "host and server are killed, resume",
    phase: "R",
    agent: LONG,
    config: { recover: "resume" },
    strike: ({ sim }) => sim.at("20s", () => sim.crash("host")),
    sees: resumed,
  },
  {
    fault: "host and server are killed, ask",
    phase: "R",
    agent: LONG,
    config: { recover: "ask" },
    strike: ({ sim }) => sim.at("20s", () => sim.crash("host")),
    sees: reason("INTERRUPTED"),
  },
  {
    fault: "the instance is disposed and loaded again",
    phase: "R",
    agent: LONG,
    strike: ({ sim }) => sim.at("20s", () => sim.reload("3s")),
    sees: resumed,
  },
  {
    fault: "the instance is disposed before the prompt's answer is here, and loaded again",
    phase: "S",
    strike: ({ sim }) => (sim.ambush("prompt", "slow"), sim.at("1s", () => sim.reload("1s"))),
    sees: resumed,
  },
  {
    fault: "the instance is disposed and loaded again",
    phase: "S",
    strike: ({ sim }) => sim.at("60ms", () => sim.reload("0ms")),
    sees: resumed,
  },
  {
    fault: "the instance is disposed and loaded again",
    phase: "I",
    strike: ({ sim }) => sim.at("8105ms", () => sim.reload("3s")),
    sees: once,
  },
  {
    fault: "the instance is disposed and loaded again",
    phase: "N",
    before: (sim) => sim.session("ses_parent").busy("30s"),
    strike: ({ sim }) => sim.at("20s", () => sim.reload("3s")),
    sees: once,
  },
  {
    fault: "the instance is disposed and stays away",
    phase: "R",
    agent: LONG,
    config: { recover: "ask" },
    strike: ({ sim }) => sim.at("20s", () => sim.reload("1m")),
    sees: reason("INTERRUPTED"),
  },
  {
    fault: "the session is compacted",
    phase: "R I",
    agent: agent().think("6s").compaction().think("20s").done("after"),
    without: agent().think("6s").think("20s").done("after"),
    sees: finished,
  },
  {
    fault: "escape is pressed in its session",
    phase: "R",
    agent: agent().think("6s").escape(),
    without: agent().think("6s").done(),
    sees: reason("USER"),
  },
  {
    fault: "the disk is full",
    phase: "R I",
    strike: ({ sim }) => sim.at("5s", () => sim.ambush("journal", "failed", 2)),
    sees: once,
  },
  {
    fault: "the machine sleeps for 8 h",
    phase: "S",
    strike: ({ sim }) => sim.at("5ms", () => sim.sleepMachine("8h")),
    sees: once,
  },
  {
    fault: "the machine sleeps for 8 h",
    phase: "R",
    agent: LONG,
    strike: ({ sim }) => sim.at("20s", () => sim.sleepMachine("8h")),
    sees: once,
  },
  {
    fault: "the machine sleeps for 8 h",
    phase: "I",
    strike: ({ sim }) => sim.at("8105ms", () => sim.sleepMachine("8h")),
    sees: once,
  },
  {
    fault: "the wall clock jumps",
    phase: "R",
    strike: ({ sim }) => (sim.at("3s", () => sim.jumpWall("2h")), sim.at("6s", () => sim.jumpWall(-14_400_000))),
    sees: once,
  },
  {
    fault: "cancel before the prompted session begins",
    phase: "S",
    agent: agent().think("3s").chatter(),
    twin: reason("TTL"),
    strike: ({ sim, task }) => sim.at("35ms", () => task.cancel()),
    sees: reason("USER"),
  },
  { fault: "cancel", phase: "S", strike: ({ sim, task }) => sim.at("5ms", () => task.cancel()), sees: reason("USER") },
  { fault: "cancel", phase: "R", strike: ({ sim, task }) => sim.at("4s", () => task.cancel()), sees: reason("USER") },
  {
    fault: "cancel",
    phase: "I",
    strike: ({ sim, task }) => sim.at("8105ms", () => task.cancel()),
    sees: reason("USER"),
  },
  { fault: "cancel", phase: "terminal", strike: ({ sim, task }) => sim.at("20s", () => task.cancel()), sees: once },
  { fault: "the parent is busy", phase: "N", strike: ({ parent }) => parent.busy("5m"), sees: once },
  {
    fault: "the parent is deleted",
    phase: "R",
    strike: ({ sim, parent }) => sim.at("4s", () => parent.delete()),
    sees: ({ reason: got, told }) => expect([got, told]).toEqual(["PARENT", 0]),
  },
  {
    fault: "the parent cannot be told",
    phase: "N",
    strike: ({ sim }) => sim.ambush("delivery", "failed", 5),
    sees: once,
  },
  {
    fault: "the answer to a notice is lost",
    phase: "N",
    strike: ({ sim }) => sim.ambush("delivery", "lost", 3),
    sees: once,
  },
]

function play(row: Row, struck: boolean): Seen {
  const sim = simulate({
    seed: 7,
    ...(row.config === undefined ? {} : { config: row.config }),
    ...(row.rates === undefined || !struck ? {} : { faults: row.rates }),
    ...(row.events === undefined || !struck ? {} : { events: row.events }),
  })
  if (struck) row.before?.(sim)
  const parent = sim.session("ses_parent")
  const script = (struck ? undefined : row.without) ?? row.agent ?? USUAL
  const task = parent.launch({ description: "the task" }, script)
  if (struck) row.strike?.({ sim, task, parent })
  const run = sim.run()
  const sessions = [...sim.world.server.sessions.values()].filter((session) => !session.deleted)
  const prompts = sessions.flatMap((session) =>
    session.messages.filter(({ role, parts }) => role === "user" && parts[0]?.type === "text" && !parts[0].synthetic),
  )
  const seen = {
    sim,
    run,
    task,
    reason: task.row?.outcome?.reason,
    prompts: prompts.length,
    sessions: sessions.length,
    told: run.delivered(parent).length,
  }
  expect(sim.world.ambushes.filter(({ times }) => times > 0 && times < 90)).toEqual([])
  sim.rest()
  return seen
}

describe("fault matrix", () => {
  for (const row of ROWS) {
    test(`${row.fault} [${row.phase}]`, () => row.sees(play(row, true)))
    test(`${row.fault} [${row.phase}], twin without it`, () => (row.twin ?? once)(play(row, false)))
  }
})

test("each fault strikes or is what the agent does: no row is its own twin", () => {
  const same = ROWS.filter((row) => {
    const [{ sim, run }, twin] = [play(row, true), play(row, false)]
    return sim.world.struck.size === 0 && run.hash === twin.run.hash
  })
  expect(same.map(({ fault }) => fault)).toEqual([])
})

test("every row stands in the documentation", () => {
  const page = readFileSync(join(import.meta.dir, "../../docs/simulation.md"), "utf8")
  const missing = ROWS.map(({ fault, phase }) => `\`${fault} [${phase}]\``).filter((name) => !page.includes(name))
  expect(missing).toEqual([])
})

describe("fault matrix, with several tasks", () => {
  const three = (config: Config): { sim: Simulation; parent: SimParent; tasks: SimTask[] } => {
    const sim = simulate({ seed: 7, config })
    const parent = sim.session("ses_parent")
    return { sim, parent, tasks: [1, 2, 3].map(() => parent.launch({}, LONG)) }
  }

  test("cancel [Q]: never starts", () => {
    const { sim, tasks } = three({ defaultConcurrency: 1 })
    sim.at("10s", () => tasks[1]?.cancel())
    const run = sim.run()
    expect(run.states).toEqual({ completed: 2, cancelled: 1 })
    expect(run.startedAt(tasks[1]?.id ?? "")).toBeUndefined()
  })

  test("cancel [Q], twin without it", () => {
    const { sim, tasks } = three({ defaultConcurrency: 1 })
    const run = sim.run()
    expect(run.states).toEqual({ completed: 3 })
    expect(run.startedAt(tasks[1]?.id ?? "")).toBeGreaterThan(0)
  })

  for (const recover of ["resume", "ask"] as const) {
    test(`kill -9 of the coordinator [Q], recover ${recover}`, () => {
      const { sim, tasks } = three({ defaultConcurrency: 1, recover })
      sim.at("10s", () => sim.crash("coordinator"))
      const run = sim.run()
      expect(run.states).toEqual(recover === "resume" ? { completed: 3 } : { completed: 1, error: 2 })
      const starts = tasks.map(({ id }) => run.startedAt(id) ?? Number.POSITIVE_INFINITY)
      expect(starts.toSorted((a, b) => a - b)).toEqual(starts)
    })
  }

  test("a crash of one worker harms no other's tasks", () => {
    const { sim } = three({ maxWorkers: 3 })
    sim.at("10s", () => sim.worker("exits"))
    const run = sim.run()
    expect(run.states).toEqual({ completed: 3 })
    expect(run.rows.map(({ attempt }) => attempt).toSorted((a, b) => a - b)).toEqual([1, 1, 2])
  })

  test("the limit is lowered under load [R]: nothing is killed, it drains", () => {
    const { sim } = three({ defaultConcurrency: 3 })
    sim.at("10s", () => sim.limits({ defaultConcurrency: 1 }))
    sim.at("20s", () => sim.launch({}, USUAL))
    const run = sim.run()
    expect(run.states).toEqual({ completed: 4 })
    expect(run.startedAt(run.rows[3]?.id ?? "")).toBeGreaterThan(120_000)
  })

  test("queue full, conversation full [Q]: refused at once", () => {
    const { parent } = three({ maxPerRoot: 3 })
    expect(() => parent.launch({}, USUAL)).toThrow("3 unfinished tasks")
    const { sim } = three({ defaultConcurrency: 1, maxQueued: 2 })
    expect(() => sim.launch({}, USUAL)).toThrow("2 tasks are waiting already")
  })

  test("the disk is full [Q]: a launch is refused, nothing is started", () => {
    const { sim, parent } = three({})
    sim.ambush("journal", "failed")
    expect(() => parent.launch({}, USUAL)).toThrow("The task was not stored")
    expect(sim.run().states).toEqual({ completed: 3 })
  })
})
