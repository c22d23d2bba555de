import { Coordinator } from "../../../src/coordinator/coordinator.ts"
import type { Clock, Threads } from "../../../src/coordinator/ports.ts"
import { SystemClock } from "../../../src/adapters/system-clock.ts"
import { MemoryJournal } from "../../../src/adapters/memory-journal.ts"
import { RecordedParent } from "../../../src/adapters/recorded-parent.ts"
import { LaneAllocator } from "../../../src/core/lanes.ts"
import type { SlotToken } from "../../../src/core/lanes.ts"
import { DEFAULTS } from "../../../src/core/options.ts"
import type { Assignment } from "../../../src/core/effects.ts"
import type { RunReport, ThreadReport } from "../../../src/core/inputs.ts"
import type { TaskSpec } from "../../../src/core/task.ts"
import type { Answer, Question } from "../harness/answer.ts"
import { verify } from "../harness/answer.ts"
import { peer } from "../harness/peers.ts"
import { count, inTurns, median, ms, quantile, spread, times } from "../harness/stats.ts"

const LIMIT = 8
const OPTIONS = { ...DEFAULTS, defaultConcurrency: LIMIT, maxQueued: 1e9, maxPerRoot: 1e9, retainMs: 1e9 }
const SPEC: TaskSpec = { prompt: "Do it.", description: "do it", directory: "/d", server: "s", background: true }

/** How many tasks a second go through, and how long one takes, beside the usual promise queue? */
export const question: Question = {
  title: "Tasks through the lanes on the main thread, beside p-queue.",
  ask: ({ quick }) => ask(quick),
}

type Job = () => void | Promise<void>
/** Takes in all jobs at once, at most `LIMIT` at a time; resolves when all are done. */
type Dispatch = (jobs: readonly Job[]) => Promise<void>

interface Queue {
  add(job: Job): Promise<void>
}

async function ask(quick: boolean): Promise<Answer> {
  const { default: PQueue } = await peer<{ default: new (options: { concurrency: number }) => Queue }>("p-queue")
  const ways: Readonly<Record<string, Dispatch>> = {
    "our lanes alone, as a promise queue": throughLanes,
    "our coordinator: rows, events, whole life cycle": throughCoordinator,
    "p-queue": async (jobs) => {
      const queue = new PQueue({ concurrency: LIMIT })
      await Promise.all(jobs.map((job) => queue.add(job)))
    },
  }
  const rounds = quick ? 3 : 9
  const tasks = 20_000
  const noop = await measure(ways, tasks, 0, rounds)
  const slow = await measure(ways, quick ? 200 : 400, 5, rounds)
  const names = Object.keys(ways)
  const rate = (name: string): number => median((noop[name] ?? []).map(({ perSecond }) => perSecond))
  const own = rate(names[0] ?? "")
  const whole = rate(names[1] ?? "")
  const theirs = rate("p-queue")
  return {
    tables: [
      table(
        "Tasks that do nothing",
        `${tasks} tasks handed in at once, ${LIMIT} at a time; a second is one of CPU time.`,
        names,
        noop,
      ),
      table(
        "Tasks of 5 ms",
        `${quick ? 200 : 400} tasks that wait 5 ms, ${LIMIT} at a time; the ideal is ${(1_000 / 5) * LIMIT} a second.`,
        names,
        slow,
      ),
    ],
    goals: [
      {
        goal: "lanes dispatch no-op tasks at least as fast as p-queue",
        measured: `${times(own / theirs)} its rate`,
        reached: own >= theirs,
      },
      {
        goal: "coordinator and lanes dispatch 5 ms tasks at least as fast as p-queue (within 2 %)",
        measured: times(slowRate(slow, names[1]) / slowRate(slow, "p-queue")),
        reached: slowRate(slow, names[1]) >= 0.98 * slowRate(slow, "p-queue"),
      },
      {
        goal: "coordinator dispatches no-op tasks at least as fast as p-queue",
        measured: `${times(whole / theirs)} its rate`,
        reached: whole >= theirs,
      },
    ],
    notes: [
      `The coordinator takes in ten inputs for each task (launch, tick, session, prompt, four looks and reads, stop), keeps a row that can be read for a day, and emits and stores its events: ${Math.round(1e6 / whole)} µs in all, against an agent's task of seconds. p-queue keeps nothing of a task.`,
    ],
    plot: {
      title: "No-op tasks a second",
      unit: "/s",
      log: true,
      bars: names.map((name) => ({ name: name.split(/[:,]/)[0] ?? name, value: rate(name), ours: name !== "p-queue" })),
    },
  }
}

function slowRate(found: Found, name = ""): number {
  return median((found[name] ?? []).map(({ perSecond }) => perSecond))
}

interface Measured {
  readonly perSecond: number
  /** From a task's turn to begin to the next one's start: the time its slot lay idle; ms. */
  readonly gaps: readonly number[]
}

type Found = Readonly<Record<string, readonly Measured[]>>

function measure(
  ways: Readonly<Record<string, Dispatch>>,
  tasks: number,
  waitMs: number,
  rounds: number,
): Promise<Found> {
  const contenders = Object.entries(ways).map(
    ([name, dispatch]) => [name, () => once(dispatch, tasks, waitMs)] as const,
  )
  return inTurns(Object.fromEntries(contenders), rounds)
}

async function once(dispatch: Dispatch, tasks: number, waitMs: number): Promise<Measured> {
  let running = 0
  let most = 0
  let done = 0
  const freed: number[] = []
  const gaps: number[] = []
  const begin = (): void => {
    most = Math.max(most, ++running)
    const free = freed.shift()
    if (free !== undefined) gaps.push(performance.now() - free)
  }
  const end = (): void => {
    running--
    done++
    freed.push(performance.now())
  }
  const job: Job =
    waitMs === 0
      ? () => {
          begin()
          end()
        }
      : async () => {
          begin()
          await Bun.sleep(waitMs)
          end()
        }
  const begun = performance.now()
  const before = process.threadCpuUsage()
  await dispatch(Array.from({ length: tasks }, () => job))
  const { user, system } = process.threadCpuUsage(before)
  // Tasks that do nothing keep the thread busy all the time: its own time leaves out what other programs do.
  const seconds = waitMs === 0 ? (user + system) / 1e6 : (performance.now() - begun) / 1_000
  verify(done === tasks, `all ${tasks} jobs were done`)
  verify(most <= LIMIT, `never more than ${LIMIT} at a time`)
  return { perSecond: tasks / seconds, gaps }
}

function table(title: string, how: string, names: readonly string[], found: Found): Answer["tables"][number] {
  const rows = names.map((name) => {
    const rates = (found[name] ?? []).map(({ perSecond }) => perSecond)
    const gaps = (found[name] ?? []).flatMap((one) => one.gaps)
    const base = median((found["p-queue"] ?? []).map(({ perSecond }) => perSecond))
    return [
      name,
      `${count(median(rates))} ${spread(rates)}`,
      times(median(rates) / base),
      ms(quantile(gaps, 0.5)),
      ms(quantile(gaps, 0.99)),
    ]
  })
  return {
    title,
    how: `${how} Checked: each job ran once, never more than ${LIMIT} at a time.`,
    head: ["", "tasks a second", "of p-queue", "slot idle between two tasks, p50", "p99"],
    rows,
  }
}

/** What a promise queue of the allocator is: tokens instead of a counter. */
function throughLanes(jobs: readonly Job[]): Promise<void> {
  const lanes = new LaneAllocator(OPTIONS)
  const todo = new Map<string, Job>()
  return new Promise((resolve) => {
    let left = jobs.length
    const start = (token: SlotToken): void => {
      const job = todo.get(token.task)
      todo.delete(token.task)
      void finish(token, job)
    }
    const finish = async (token: SlotToken, job: Job | undefined): Promise<void> => {
      await job?.()
      lanes.release(token)
      const next = lanes.grantNext(token.lane)
      if (next !== undefined) start(next)
      if (--left === 0) resolve()
    }
    for (const [i, job] of jobs.entries()) {
      const id = String(i)
      todo.set(id, job)
      const token = lanes.request("default", id)
      if (token !== undefined) start(token)
    }
  })
}

/** The whole coordinator on threads that do the job and report what a worker reports of a real run. */
export async function throughCoordinator(jobs: readonly Job[]): Promise<void> {
  const clock: Clock & Disposable = new SystemClock()
  let n = 0
  const todo = new Map<string, Job>()
  const coordinator = new Coordinator(OPTIONS, {
    clock,
    ids: { task: () => `bg_${(n += 1).toString(36).padStart(8, "0")}` },
    threads: jobThreads((task) => todo.get(task)?.()),
    journal: new MemoryJournal(),
    parent: new RecordedParent(),
    api: { abort: () => Promise.resolve() },
  })
  const outcomes = await Promise.all(
    jobs.map((job) => {
      // The id is known before the launch: a free lane starts the run within it.
      todo.set(`bg_${(n + 1).toString(36).padStart(8, "0")}`, job)
      return coordinator.launch(SPEC).done
    }),
  )
  verify(
    outcomes.every(({ reason }) => reason === "FINISHED"),
    "every task ended as FINISHED",
  )
  await coordinator.close()
  clock[Symbol.dispose]()
}

/** Threads whose session is a function of this process. */
function jobThreads(work: (task: string) => void | Promise<void>): Threads {
  let say: (report: RunReport | ThreadReport) => void = () => {}
  const play = async ({ run, prompts }: Assignment): Promise<void> => {
    const messageID = `msg_000000000001${prompts[0]?.tail ?? ""}`
    say({ type: "session", run, sessionID: `ses_${run.task}` })
    say({ type: "prompted", run, n: 0, messageID })
    await work(run.task)
    const newest = {
      id: `${messageID}a`,
      role: "assistant",
      parentID: messageID,
      completed: true,
      finish: "stop",
      summary: false,
      output: true,
      text: "Done.",
    } as const
    for (const seq of [1, 2]) {
      say({
        type: "snapshot",
        run,
        seq,
        snapshot: {
          status: { type: "absent" },
          prompts: 1,
          newest,
          newestUser: messageID,
          fingerprint: newest.id,
          todos: { open: 0, digest: "none" },
        },
      })
    }
  }
  return {
    listen: (report) => (say = report),
    run: (assignment) => queueMicrotask(() => void play(assignment)),
    command(run, command) {
      if (command.type === "stop") say({ type: "stopped", run, idle: true })
    },
    close: () => Promise.resolve(),
  }
}
