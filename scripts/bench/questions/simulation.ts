import { join } from "node:path"
import { Loop } from "../../../src/sim/clock.ts"
import { pollAll, SESSIONS } from "../fake-timers/polling.ts"
import { peer, BENCH } from "../harness/peers.ts"
import type { Answer, Question } from "../harness/answer.ts"
import { verify } from "../harness/answer.ts"
import { count, inTurns, median, ms, spread, times } from "../harness/stats.ts"
import { play, populations } from "../simulated/population.ts"

const COLD_MS = 400
const EVENTS_A_SECOND = 1e6

/** How fast does virtual time go by, and what does a simulated task cost? */
export const question: Question = {
  title: "Virtual hours of polling per second of real time, and the whole system simulated.",
  ask: ({ quick }) => ask(quick),
}

interface SinonClock {
  readonly now: number
  setTimeout(callback: () => void, ms: number): unknown
  clearTimeout(id: unknown): void
  tickAsync(ms: number): Promise<number>
}

async function ask(quick: boolean): Promise<Answer> {
  const hours = quick ? 0.5 : 2
  const rounds = quick ? 2 : 5
  const sinon = await peer<{ createClock(now: number, limit: number): SinonClock }>("@sinonjs/fake-timers")
  const found = await inTurns(
    {
      "ours (`src/sim/clock.ts`)": () => {
        const loop = new Loop(0)
        const polls = pollAll({ now: () => loop.now, setTimer: (inMs, callback) => loop.after(inMs, callback) })
        return timed(hours, polls, () => {
          while (loop.step(hours * 3_600_000));
        })
      },
      "@sinonjs/fake-timers, tickAsync": async () => {
        const clock = sinon.createClock(0, 1e9)
        const polls = pollAll({
          now: () => clock.now,
          setTimer: (inMs, callback) => {
            const id = clock.setTimeout(callback, inMs)
            return () => clock.clearTimeout(id)
          },
        })
        return timed(hours, polls, async () => void (await clock.tickAsync(hours * 3_600_000)))
      },
      "bun test's fake timers": () =>
        underBunTest("fake-timers/bun.case.ts", /hours a second: ([\d.]+)/, { BENCH_HOURS: String(hours) }),
    },
    rounds,
  )
  const tasks = quick ? 200 : 1_000
  const whole = await inTurns(
    Object.fromEntries(Object.entries(populations).map(([name, of]) => [name, () => play(of, tasks)])),
    rounds + 2,
  )
  const many = quick ? 5_000 : 100_000
  const large = play(populations.short, many)
  const cold: Record<"mixed" | "short", number[]> = { mixed: [], short: [] }
  for (let round = 0; round < rounds; round++) {
    for (const agents of ["mixed", "short"] as const)
      cold[agents].push(await underBunTest("simulated/cold.case.ts", /took ms: ([\d.]+)/, { BENCH_AGENTS: agents }))
  }
  const names = Object.keys(found)
  const rate = (name: string): number => median(found[name] ?? [])
  const perTask = median((whole["short"] ?? []).map((one) => one.tookMs)) / tasks
  const rates = (name: string): number[] => (whole[name] ?? []).map((one) => one.events / (one.tookMs / 1_000))
  const fastest = Math.max(...Object.keys(whole).map((name) => median(rates(name))))
  const growth = large.tookMs / many / perTask
  const [mine = "", ...others] = names
  const best = Math.max(...others.map(rate))
  return {
    tables: [
      {
        title: "The same polling logic on three clocks",
        how: `${SESSIONS} loops that ask, await two answers, and sleep 2 s, for ${hours} virtual hours, every promise run to its end before time goes on. Checked: each loop has polled as often as the hours have ticks.`,
        head: ["", "virtual hours a second", "of ours"],
        rows: names.map((name) => [
          name,
          `${count(rate(name))} ${spread(found[name] ?? [])}`,
          times(rate(name) / rate(mine)),
        ]),
      },
      {
        title: "Simulation of the whole system",
        how: `${count(tasks)} tasks through core, coordinator, \`workers/drive-session.ts\` and a simulated OpenCode, five at a time, all invariants watched. An event is an input, a bus event, a call or a turn of the virtual loop. Checked: every task completed.`,
        head: ["agents", "virtual hours a second", "events a task", "events a second"],
        rows: Object.entries(POPULATION).map(([name, words]) => {
          const all = whole[name] ?? []
          return [
            words,
            count(median(all.map((one) => one.hours / (one.tookMs / 1_000)))),
            count((all[0]?.events ?? 0) / tasks),
            `${count(median(rates(name)))} ${spread(rates(name))}`,
          ]
        }),
      },
      {
        title: "Cost of a simulated task",
        how: "Cold: the first simulation of a fresh `bun test`. Mixed agents are those of the second line above, short ones of the third; warm and large are short ones.",
        head: ["", "in all", "a task"],
        rows: [
          ...(["mixed", "short"] as const).map((agents) => [
            `1,000 tasks, cold in \`bun test\`, ${agents} agents`,
            `${ms(median(cold[agents]))} ${spread(cold[agents])}`,
            us(median(cold[agents]) / 1_000),
          ]),
          [`${count(tasks)} tasks, warm`, ms(perTask * tasks), us(perTask)],
          [`${count(many)} tasks in one simulation`, ms(large.tookMs), `${us(large.tookMs / many)}: ${times(growth)}`],
        ],
      },
    ],
    goals: [
      {
        goal: "virtual time goes by faster than on the usual fake timers",
        measured: `${times(rate(mine) / best)} the better of them`,
        reached: rate(mine) > best,
      },
      {
        goal: "1,000 tasks with all invariants in at most 400 ms, cold in bun test",
        measured: `${ms(median(cold.mixed))} with mixed agents, ${ms(median(cold.short))} with short ones`,
        reached: median(cold.mixed) <= COLD_MS,
      },
      {
        goal: "at least a million simulated events a second, warm",
        measured: count(fastest),
        reached: fastest >= EVENTS_A_SECOND,
      },
      {
        goal: "100,000 tasks in one simulation at no more than 2 × the cost per task of 1,000",
        measured: times(growth),
        reached: growth <= 2,
      },
    ],
    notes: [
      `What is above the ${ms(perTask * tasks)} of a warm run is the engine's: code that has not run often is interpreted.`,
    ],
    plot: {
      title: "Virtual hours a second, the same polling",
      unit: "h/s",
      bars: names.map((name) => ({ name: name.replaceAll("`", ""), value: rate(name), ours: name === mine })),
    },
  }
}

async function timed(hours: number, polls: () => number, go: () => void | Promise<void>): Promise<number> {
  // The loops reach their first sleep.
  await Bun.sleep(0)
  const begun = performance.now()
  await go()
  const seconds = (performance.now() - begun) / 1_000
  verify(polls() >= SESSIONS * (hours * 1_800 - 1), `each loop polled ${hours * 1_800} times`)
  return hours / seconds
}

const POPULATION: Readonly<Record<keyof typeof populations, string>> = {
  minutes: "stream for 1 to 4 minutes",
  mixed: "think 2–20 s, a tool for 1–40 s, two TODOs",
  short: "think 2–8 s, a tool for 1–2 s",
}

function us(value: number): string {
  return `${Math.round(value * 1_000)} µs`
}

/** A number that a test prints: bun's fake timers exist in its test runner alone, and a cold start needs a fresh one. */
async function underBunTest(file: string, line: RegExp, env: Readonly<Record<string, string>> = {}): Promise<number> {
  const child = Bun.spawn([process.execPath, "test", `./${file}`], {
    cwd: BENCH,
    env: { ...process.env, ...env },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  })
  const [out, err] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ])
  const found = Number(line.exec(out)?.[1])
  verify(Number.isFinite(found), `bun test measured: ${err.slice(0, 500)} (${join(BENCH, file)})`)
  return found
}
