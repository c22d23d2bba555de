import type { Config } from "../../../src/config.ts"
import { startOpenCode } from "../../../test/helpers/opencode.ts"
import type { TestOpenCode } from "../../../test/helpers/opencode.ts"
import { AGENTS } from "../opencode/population.ts"
import { ours } from "../opencode/runner.ts"
import type { Runner } from "../opencode/runner.ts"
import { followTruth } from "../opencode/truth.ts"
import { tutorial } from "../opencode/tutorial.ts"
import type { Answer, Question } from "../harness/answer.ts"
import { verify } from "../harness/answer.ts"
import { median, ms, times } from "../harness/stats.ts"

const LANES: Readonly<Record<string, number>> = { one: 2, two: 3, three: 5 }
const PROVIDERS = Object.fromEntries(Object.keys(LANES).map((name) => [name, { m: {} }]))

/** How long do many tasks take, against what their lanes admit? */
export const question: Question = {
  title:
    "3, 30 and 300 tasks over three lanes of 2, 3 and 5 slots on the real OpenCode, from the first launch to the last settled.",
  ask: ({ quick }) => ask(quick),
}

interface Measured {
  readonly makespan: number
  readonly ideal: number
}

async function ask(quick: boolean): Promise<Answer> {
  await using oc = await startOpenCode({ agents: { ...AGENTS }, providers: PROVIDERS, smallModel: "one/m" })
  const limits: Config = { providerConcurrency: LANES }
  const mine = (): Promise<Runner> => ours(oc, limits)
  const usual = (): Promise<Runner> => tutorial(oc, LANES)
  await play(oc, mine, "warm", 6, 200)
  const rows: string[][] = []
  const over: Record<string, number> = {}
  const plan: [string, () => Promise<Runner>, number, number][] = [
    ["ours", mine, 3, quick ? 1 : 2],
    ["the tutorial's rule", usual, 3, 1],
    ["ours", mine, 30, 1],
    ["the tutorial's rule", usual, 30, 1],
    ...(quick ? [] : [["ours", mine, 300, 1] as [string, () => Promise<Runner>, number, number]]),
  ]
  for (const [name, make, tasks, rounds] of plan) {
    const found: Measured[] = []
    for (let round = 0; round < rounds; round++)
      found.push(await play(oc, make, `${name[0]}${tasks}r${round}`, tasks, 4_000))
    const ratio = median(found.map(({ makespan, ideal }) => makespan / ideal))
    over[`${name} ${tasks}`] = ratio
    rows.push([
      `${tasks} tasks, ${name}`,
      ms(median(found.map(({ makespan }) => makespan))),
      ms(median(found.map(({ ideal }) => ideal))),
      `${((ratio - 1) * 100).toFixed(1)} %`,
      String(rounds),
    ])
  }
  const most = quick ? 30 : 300
  const best = over[`ours ${most}`] ?? Number.NaN
  return {
    tables: [
      {
        title: "Makespan against the ideal schedule",
        how: "Tasks of 2 to 6 s, shared among the lanes as 2 : 3 : 5. The ideal is computed from the same run: each task's time is what the server says (busy to idle), started in order the moment a slot of its lane is free; it pays for no session, no prompt, no dispatch and no look. Checked: each lane's calls of the model never exceed its limit, each task was answered once.",
        head: ["", "makespan", "ideal", "over", "rounds"],
        rows,
      },
    ],
    goals: [
      {
        goal: `makespan at most 3 % over the ideal at ${most} tasks`,
        measured: `${((best - 1) * 100).toFixed(1)} %`,
        reached: best <= 1.03,
      },
    ],
    notes: [
      `At 30 tasks the tutorial's rule takes ${times((over["the tutorial's rule 30"] ?? Number.NaN) / (over["ours 30"] ?? Number.NaN))} as long as ours: a slot comes back only when the end is noticed, and most of these tasks end within the 5 s in which it drops the event that says so.`,
    ],
    plot: {
      title: "Over the ideal schedule",
      unit: "%",
      bars: Object.entries(over).map(([name, value]) => ({
        name: `${name} tasks`,
        value: Math.max(0.01, (value - 1) * 100),
        ours: name.startsWith("ours"),
      })),
    },
    facts: { overIdealPercent: (best - 1) * 100 },
  }
}

async function play(
  oc: TestOpenCode,
  make: () => Promise<Runner>,
  name: string,
  tasks: number,
  meanMs: number,
): Promise<Measured> {
  await using truth = await followTruth(oc)
  await using runner = await make()
  const slots = Object.values(LANES).reduce((sum, of) => sum + of, 0)
  const laneOf = (i: number): string => {
    let place = i % slots
    return Object.entries(LANES).find(([, of]) => (place -= of) < 0)?.[0] ?? "one"
  }
  const plan = Array.from({ length: tasks }, (_, i) => ({
    id: `${name}-${i}`,
    lane: laneOf(i),
    waitMs: Math.round(meanMs * (0.5 + ((i * 7) % 11) / 10)),
  }))
  const begun = Date.now()
  const settled = await Promise.all(
    plan.map(({ id, lane, waitMs }) => runner.launch({ id, turns: [{ wait: waitMs, text: "Done." }] }, `${lane}/m`)),
  )
  const makespan = Math.max(...settled.map(({ at }) => at)) - begun
  await Bun.sleep(200)
  for (const [lane, limit] of Object.entries(LANES)) {
    const peak = oc.model.peak((call) => call.provider === lane && call.scriptId?.startsWith(`${name}-`) === true)
    verify(peak <= limit, `no more than ${limit} at a time in lane ${lane}, not ${peak}`)
  }
  const took = plan.map(({ id, lane }, i) => {
    const { sessionID = "", state } = settled[i] ?? {}
    const [call] = oc.model.calls(id)
    verify(state === "completed" && oc.model.calls(id).length === 1, `${id} was answered once: ${state}`)
    const busy = truth.busyAt(sessionID)
    const idle = truth.idleAt(sessionID, call?.endedAt ?? 0)
    verify(busy !== undefined && idle !== undefined, `${id} was busy and idle`)
    return { lane, ms: idle - busy }
  })
  return { makespan, ideal: idealOf(took) }
}

/** First in, first out, per lane, each started the moment a slot is free. */
function idealOf(took: readonly { readonly lane: string; readonly ms: number }[]): number {
  const ends = Object.entries(LANES).map(([lane, limit]) => {
    const slots = Array.from({ length: limit }, () => 0)
    for (const task of took.filter((one) => one.lane === lane)) {
      const first = slots.indexOf(Math.min(...slots))
      slots[first] = (slots[first] ?? 0) + task.ms
    }
    return Math.max(...slots)
  })
  return Math.max(...ends)
}
