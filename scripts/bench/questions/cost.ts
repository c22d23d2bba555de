import { join } from "node:path"
import { startOpenCode } from "../../../test/helpers/opencode.ts"
import type { TestOpenCode } from "../../../test/helpers/opencode.ts"
import { BENCH } from "../harness/peers.ts"
import type { Answer, Question } from "../harness/answer.ts"
import { verify } from "../harness/answer.ts"
import { count, ms, times } from "../harness/stats.ts"

/** What does a task cost while it runs? */
export const question: Question = {
  title: "CPU, memory, requests and bytes of one process with so many running tasks on one real OpenCode server.",
  ask: ({ quick }) => ask(quick),
}

interface Measured {
  readonly polled: number
  readonly running: number
  readonly startMs: number
  readonly cpuPercent: number
  readonly memoryMb: number
  readonly requests: number
  readonly bytes: number
  readonly lagP50: number
  readonly lagP99: number
}

const WAYS = ["pool", "worker per task", "in-process"]

async function ask(quick: boolean): Promise<Answer> {
  const sizes = quick ? [1, 20] : [1, 10, 100]
  await using oc = await startOpenCode()
  await measure(oc, "pool", 1)
  const found = new Map<string, Measured>()
  for (const size of sizes) for (const way of WAYS) found.set(`${way} ${size}`, await measure(oc, way, size))
  const most = quick ? 40 : 500
  // What the machine cannot carry is told, and costs no other figure.
  let why: string | undefined
  const largest = await measure(oc, "pool", most).catch((thrown: unknown) => void (why = String(thrown).slice(0, 200)))
  if (largest !== undefined) found.set(`pool ${most}`, largest)

  const [least = 1, large = 1] = [sizes[0], sizes.at(-1)]
  const slope = (way: string, of: (one: Measured) => number, to = large): number => {
    const [from, until] = [found.get(`${way} ${least}`), found.get(`${way} ${to}`)]
    return from === undefined || until === undefined ? Number.NaN : (of(until) - of(from)) / (to - least)
  }
  const cpu = (one: Measured): number => one.cpuPercent
  const memory = (one: Measured): number => one.memoryMb
  const ratio = slope("worker per task", cpu) / slope("pool", cpu)
  const biggest = found.get(`pool ${most}`)
  const hundred = found.get(`pool ${large}`)
  return {
    tables: [
      {
        title: "A process with so many running tasks",
        how: "Every task's model streams a word a second, with server events on and polls every 2 s; measured for 8 s after each task was polled once. CPU is of one core, all threads. Each measured once. Checked: all tasks were polled and still run at the end.",
        head: [
          "tasks, way",
          "CPU",
          "memory above start",
          "requests a second",
          "kB a second",
          "event loop late, p50",
          "p99",
        ],
        rows: [...found].map(([name, one]) => [
          name.replace(/^(.*) (\d+)$/, "$2, $1"),
          `${one.cpuPercent.toFixed(1)} %`,
          `${one.memoryMb.toFixed(0)} MB`,
          count(one.requests),
          (one.bytes / 1_000).toFixed(1),
          ms(one.lagP50),
          ms(one.lagP99),
        ]),
      },
      {
        title: `Growth per task, from ${least} to ${large}`,
        how: "",
        head: ["", "CPU of a core", "memory", "requests a second"],
        rows: WAYS.map((way) => [
          way,
          `${slope(way, cpu).toFixed(3)} %`,
          `${slope(way, memory).toFixed(2)} MB`,
          slope(way, (one) => one.requests).toFixed(2),
        ]),
      },
    ],
    goals: [
      { goal: "CPU per task at most 1/5 of a worker per task", measured: `1/${ratio.toFixed(1)}`, reached: ratio >= 5 },
      {
        goal: `coordinator's event loop at most 20 ms late (p99) with ${most} tasks`,
        measured: ms(biggest?.lagP99 ?? Number.NaN),
        reached: (biggest?.lagP99 ?? Number.NaN) <= 20,
      },
      {
        goal: `CPU grows linearly to ${most} tasks (slope within 1.5 × of the first part's)`,
        measured: times(slope("pool", cpu, most) / slope("pool", cpu)),
        reached: slope("pool", cpu, most) / slope("pool", cpu) <= 1.5,
      },
    ],
    notes: [
      ...(why === undefined ? [] : [`${most} tasks could not be measured: ${why}`]),
      "A worker per task is not asked for more than 100: each thread takes two files besides its memory, and running out of them ends the process.",
    ],
    plot: {
      title: "CPU of a core",
      unit: "%",
      log: true,
      bars: [...found].map(([name, one]) => ({ name, value: one.cpuPercent, ours: name.startsWith("pool") })),
    },
    facts: {
      memoryMb: hundred?.memoryMb ?? Number.NaN,
      requestsPerTask: (hundred?.requests ?? Number.NaN) / large,
      lagP99Ms: hundred?.lagP99 ?? Number.NaN,
      tasks: large,
    },
  }
}

async function measure(oc: TestOpenCode, way: string, tasks: number): Promise<Measured> {
  const child = Bun.spawn(
    [process.execPath, join(BENCH, "cost", "subject.ts"), way, String(tasks), oc.url, oc.password, oc.directory],
    { stdin: "ignore", stdout: "pipe", stderr: "pipe", timeout: 180_000 },
  )
  const [out, err] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ])
  const line = out.split("\n").find((text) => text.startsWith("{"))
  verify(line !== undefined, `${tasks} tasks, ${way}: ${err.slice(0, 500)}`)
  const measured = JSON.parse(line) as Measured
  verify(
    measured.polled === tasks && measured.running === tasks,
    `${tasks} tasks ran and were polled, ${way}: ${measured.running} and ${measured.polled}`,
  )
  return measured
}
