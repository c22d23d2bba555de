import { join } from "node:path"
import { agent, simulate } from "../../../src/sim/index.ts"
import { Loop } from "../../../src/sim/clock.ts"
import { pollAll, SESSIONS } from "../fake-timers/polling.ts"
import { peer, BENCH } from "../harness/peers.ts"
import type { Answer, Question } from "../harness/answer.ts"
import { verify } from "../harness/answer.ts"
import { count, inTurns, median, spread, times } from "../harness/stats.ts"

/** How fast does virtual time go by? */
export const question: Question = {
  title: "Virtual hours of polling per second of real time.",
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
        const polls = pollAll({ now: () => loop.now, setTimer: (ms, callback) => loop.after(ms, callback) })
        return timed(hours, polls, () => {
          while (loop.step(hours * 3_600_000));
        })
      },
      "@sinonjs/fake-timers, tickAsync": async () => {
        const clock = sinon.createClock(0, 1e9)
        const polls = pollAll({
          now: () => clock.now,
          setTimer: (ms, callback) => {
            const id = clock.setTimeout(callback, ms)
            return () => clock.clearTimeout(id)
          },
        })
        return timed(hours, polls, async () => void (await clock.tickAsync(hours * 3_600_000)))
      },
      "bun test's fake timers": () => underBunTest(hours),
    },
    rounds,
  )
  const campaign = await inTurns(
    { "the whole system, all invariants watched": () => campaignOf(quick ? 100 : 400) },
    rounds,
  )
  const names = Object.keys(found)
  const rate = (name: string): number => median(found[name] ?? [])
  const whole = Object.values(campaign)[0] ?? []
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
        how: "Tasks of random agents through core, coordinator, `workers/drive-session.ts` and a simulated OpenCode, with all invariants on. Checked: every task ended.",
        head: ["", "virtual hours a second", "events a second"],
        rows: [
          [
            "coordinator, lanes, runs, server",
            `${count(median(whole.map(({ hours: of }) => of)))} ${spread(whole.map(({ hours: of }) => of))}`,
            count(median(whole.map(({ events }) => events))),
          ],
        ],
      },
    ],
    goals: [
      {
        goal: "virtual time goes by faster than on the usual fake timers",
        measured: `${times(rate(mine) / best)} the better of them`,
        reached: rate(mine) > best,
      },
    ],
    notes: [],
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

/** Bun's fake timers exist in its test runner alone. */
async function underBunTest(hours: number): Promise<number> {
  const child = Bun.spawn([process.execPath, "test", "./fake-timers/bun.case.ts"], {
    cwd: BENCH,
    env: { ...process.env, BENCH_HOURS: String(hours) },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  })
  const [out, err] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ])
  const rate = Number(/hours a second: ([\d.]+)/.exec(out)?.[1])
  verify(Number.isFinite(rate), `bun test measured: ${err.slice(0, 500)} (${join(BENCH, "fake-timers")})`)
  return rate
}

function campaignOf(tasks: number): { hours: number; events: number } {
  const sim = simulate({ seed: 7, config: { defaultConcurrency: 5 } })
  const parent = sim.session("ses_parent")
  for (let i = 0; i < tasks; i++)
    sim.at(
      i * 60_000,
      () =>
        void parent.launch(
          { batch: `turn-${i}` },
          agent()
            .stream(`${60 + (i % 7) * 30}s`)
            .done("Done."),
        ),
    )
  const begun = performance.now()
  const result = sim.run({ until: "quiet" })
  const seconds = (performance.now() - begun) / 1_000
  verify(result.states["completed"] === tasks, `all ${tasks} tasks completed: ${JSON.stringify(result.states)}`)
  return { hours: result.elapsed / 3_600_000 / seconds, events: result.events / seconds }
}
