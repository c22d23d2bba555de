import { LaneAllocator } from "../../../src/core/lanes.ts"
import type { Input } from "../../../src/core/inputs.ts"
import { DEFAULTS } from "../../../src/core/options.ts"
import { Core } from "../../../src/core/step.ts"
import type { Answer, Question } from "../harness/answer.ts"
import { verify } from "../harness/answer.ts"
import { inTurns, median, quantile, spread, times } from "../harness/stats.ts"

const IN_TURN = "a snapshot of each task in turn, nothing new"
const AT_RANDOM = "the same, tasks at random"
const FLOOR = "for comparison: a bare Map of as many plain objects, at random"
const SIZES = [10, 1_000, 100_000]

/** Is a step as cheap among 100,000 tasks as among ten? */
export const question: Question = {
  title:
    "What one step of the core and one slot of the allocator cost, while so many other tasks are live. One thread, no I/O; CPU time of that thread.",
  ask: ({ quick }) => Promise.resolve(ask(quick)),
}

async function ask(quick: boolean): Promise<Answer> {
  const rounds = quick ? 3 : 9
  const kinds = {
    [IN_TURN]: polls("in turn"),
    [AT_RANDOM]: polls("at random"),
    [FLOOR]: floor,
    "a whole life: launch to settled and forgotten": lives,
    "the allocator: slot back, next waiter": slots,
    "the allocator: a waiter leaves the middle": leaves,
  }
  const rows: string[][] = []
  const worst: number[] = []
  const bars: { name: string; value: number; ours: boolean }[] = []
  for (const [kind, measure] of Object.entries(kinds)) {
    const found = await inTurns(
      Object.fromEntries(SIZES.map((size) => [String(size), measure(size, quick ? 100_000 : 300_000)])),
      rounds,
    )
    const middles = SIZES.map((size) => median(found[String(size)] ?? []))
    const ratio = Math.max(...middles) / Math.min(...middles)
    if (kind !== FLOOR) worst.push(ratio)
    rows.push([
      kind,
      ...SIZES.map((size, i) => `${us(middles[i] ?? 0)} ${spread(found[String(size)] ?? [])}`),
      times(ratio),
    ])
    if (kind !== FLOOR)
      for (const [i, size] of SIZES.entries())
        bars.push({
          name: `${shortNames[kind] ?? kind}, ${size.toLocaleString("en")}`,
          value: middles[i] ?? 0,
          ours: true,
        })
  }
  const most = quantile(worst, 1)
  return {
    tables: [
      {
        title: "Cost of one step among so many live tasks",
        how: "All tasks run in one lane without a limit and were polled before. In turn is how polls come: the workers' shared tick visits all of them. Checked: every input is taken, every life ends as FINISHED, every slot reaches the waiter that is next.",
        head: ["", ...SIZES.map((size) => size.toLocaleString("en")), "largest / smallest"],
        rows,
      },
    ],
    goals: [
      {
        goal: "cost of a step and of a slot flat within 2 × from 10 to 100,000 tasks",
        measured: times(most),
        reached: most <= 2,
      },
    ],
    notes: [
      "100,000 tasks do not fit the processor's caches: a look-up by name among as many plain objects, which is the least any step can do, grows even more (third line).",
    ],
    plot: { title: "One step among so many live tasks", unit: "µs", bars },
  }
}

const shortNames: Readonly<Record<string, string>> = {
  [IN_TURN]: "snapshot, in turn",
  [AT_RANDOM]: "snapshot, at random",
  "a whole life: launch to settled and forgotten": "whole life",
  "the allocator: slot back, next waiter": "next waiter",
  "the allocator: a waiter leaves the middle": "waiter leaves",
}

function us(value: number): string {
  return `${value.toFixed(2)} µs`
}

/** µs of this thread's CPU for one item: what other programs do meanwhile is not in it. */
function timed(act: (i: number) => void, often: number): number {
  const begun = process.threadCpuUsage()
  for (let i = 0; i < often; i++) act(i)
  const { user, system } = process.threadCpuUsage(begun)
  return (user + system) / often
}

const OPTIONS = {
  ...DEFAULTS,
  providerConcurrency: { acme: 0 },
  maxQueued: 1e9,
  taskTtlMs: 1e12,
  staleTimeoutMs: 1e12,
  toolStaleTimeoutMs: 1e12,
  retainMs: 60_000,
}

/** A core with so many tasks that run, each already polled. */
class Crowd {
  readonly core = new Core(OPTIONS)
  readonly ids: string[] = []
  mono = 0
  #launched = 0
  #seq = 0

  constructor(size: number) {
    for (let i = 0; i < size; i++) this.start()
    for (const id of this.ids) this.poll(id)
  }

  take(input: Input): void {
    this.core.step(input, { mono: this.mono, wall: 1_700_000_000_000 + this.mono })
  }

  /** Launched, in its session, prompted. */
  start(): string {
    const id = `bg_${(this.#launched += 1).toString(36).padStart(8, "0")}`
    this.take({
      type: "launch",
      id,
      spec: {
        prompt: "Do it.",
        description: "do it",
        agent: "general",
        model: "acme/fast",
        directory: "/d",
        server: "s",
        background: true,
      },
    })
    this.take({ type: "session", run: runOf(id), sessionID: `ses_${id}` })
    this.take({ type: "prompted", run: runOf(id), n: 0, messageID: promptOf(id) })
    this.ids.push(id)
    return id
  }

  poll(id: string): void {
    this.take({
      type: "snapshot",
      run: runOf(id),
      seq: ++this.#seq,
      snapshot: { status: { type: "busy" }, prompts: 1 },
    })
  }

  /** Answered, read twice, left. */
  finish(id: string): void {
    const newest = {
      id: `${promptOf(id)}_answer`,
      role: "assistant",
      parentID: promptOf(id),
      completed: true,
      finish: "stop",
      summary: false,
      output: true,
      text: "The answer.",
    } as const
    for (let read = 0; read < 2; read++) {
      const snapshot = {
        status: { type: "absent" },
        prompts: 1,
        newest,
        newestUser: promptOf(id),
        fingerprint: newest.id,
        todos: { open: 0, digest: "none" },
      } as const
      this.take({ type: "snapshot", run: runOf(id), seq: ++this.#seq, snapshot })
    }
    this.take({ type: "stopped", run: runOf(id), idle: true })
  }

  /** Time goes by; deadlines that have come are met. */
  pass(ms: number): void {
    this.mono += ms
    const due = this.core.nextDue()
    if (due !== undefined && due <= this.mono) this.take({ type: "tick" })
  }
}

function polls(how: "in turn" | "at random"): (size: number, often: number) => () => number {
  return (size, often) => {
    let crowd: Crowd | undefined
    return () => {
      crowd ??= new Crowd(size)
      return pollAll(
        crowd,
        how === "in turn" ? Uint32Array.from({ length: often }, (_, i) => i % size) : shuffled(size, often),
      )
    }
  }
}

function pollAll(of: Crowd, order: Uint32Array): number {
  const { core, ids } = of
  const before = core.ignored
  const cost = timed((i) => of.poll(ids[order[i] ?? 0] ?? ""), order.length)
  verify(core.ignored === before, "every snapshot was taken")
  return cost
}

/** What the machine itself asks for one look-up by name, and one write to what was found. */
function floor(size: number, often: number): () => number {
  const names = Array.from({ length: size }, (_, i) => `bg_${i.toString(36).padStart(8, "0")}`)
  const map = new Map(names.map((name) => [name, { row: { looks: 0, of: { name } } }]))
  let looks = 0
  return () => {
    const order = shuffled(size, often)
    const cost = timed((i) => {
      const found = map.get(names[order[i] ?? 0] ?? "")
      if (found !== undefined) found.row = { looks: found.row.looks + 1, of: found.row.of }
    }, often)
    looks += often
    verify([...map.values()].reduce((sum, { row }) => sum + row.looks, 0) === looks, "every look was noted")
    return cost
  }
}

function lives(size: number, often: number): () => number {
  let crowd: Crowd | undefined
  return () => {
    crowd ??= new Crowd(size)
    const of = crowd
    const lived: string[] = []
    const cost = timed(() => {
      const id = of.start()
      of.ids.pop()
      of.poll(id)
      of.finish(id)
      lived.push(id)
      // Few settled tasks are kept at a time, whatever the number of live ones.
      of.pass(6_000)
    }, often / 10)
    verify(of.core.get(lived.at(-1) ?? "")?.outcome?.reason === "FINISHED", "the last life ended as FINISHED")
    verify(of.core.get(lived[0] ?? "") === undefined, "the first life is forgotten")
    verify((of.core.sizes()["runs"] ?? 0) === size, "the others still run")
    return cost
  }
}

function slots(size: number, often: number): () => number {
  let lanes: LaneAllocator | undefined
  let held: ReturnType<LaneAllocator["request"]>
  let next = 0
  return () => {
    if (lanes === undefined) {
      lanes = new LaneAllocator({ ...OPTIONS, providerConcurrency: { acme: 1 } })
      held = lanes.request("provider:acme", "first")
      for (let i = 0; i < size; i++) lanes.request("provider:acme", `bg_${(next += 1)}`)
    }
    const of = lanes
    const cost = timed(() => {
      const token = held
      if (token !== undefined) of.release(token)
      held = of.grantNext("provider:acme")
      of.request("provider:acme", `bg_${(next += 1)}`)
    }, often)
    verify(held?.task === `bg_${next - size}`, "the waiter that was next has the slot")
    verify(of.waiting === size, "as many wait as before")
    return cost
  }
}

function leaves(size: number, often: number): () => number {
  let lanes: LaneAllocator | undefined
  let next = 0
  return () => {
    if (lanes === undefined) {
      lanes = new LaneAllocator({ ...OPTIONS, providerConcurrency: { acme: 1 } })
      lanes.request("provider:acme", "first")
      for (let i = 0; i < size; i++) lanes.request("provider:acme", `bg_${(next += 1)}`)
    }
    const of = lanes
    const cost = timed(() => {
      of.withdraw("provider:acme", `bg_${next - Math.floor(size / 2)}`)
      of.request("provider:acme", `bg_${(next += 1)}`)
    }, often)
    verify(of.waiting <= size + 1 && of.waiting >= Math.floor(size / 2), "one left for each that came")
    return cost
  }
}

function shuffled(of: number, length: number): Uint32Array {
  const order = new Uint32Array(length)
  let state = 42
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    order[i] = Math.floor((state / 2 ** 32) * of)
  }
  return order
}

function runOf(task: string): { task: string; epoch: number; attempt: number } {
  return { task, epoch: 1, attempt: 1 }
}

function promptOf(id: string): string {
  return `msg_${id}`
}
