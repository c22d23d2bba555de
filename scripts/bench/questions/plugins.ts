import type { ScriptedTurn } from "../../../src/cli/demo/scripted-model.ts"
import { converse, until } from "../../../test/helpers/conversation.ts"
import { scripted } from "../../../test/helpers/opencode.ts"
import { laneGoals, laneTable, playLane } from "../opencode/lane-of-two.ts"
import type { LaneRound } from "../opencode/lane-of-two.ts"
import { startPair } from "../opencode/plugin-pair.ts"
import type { Contender } from "../opencode/plugin-pair.ts"
import { followTruth } from "../opencode/truth.ts"
import type { Answer, Question } from "../harness/answer.ts"
import { verify } from "../harness/answer.ts"
import { median, ms, quantile, times } from "../harness/stats.ts"

const PATIENCE_MS = 30_000

/** When is the conversation told? Plugin beside plugin, each as npm gives it, in an OpenCode of its own. */
export const question: Question = {
  title:
    "One conversation launches five children in the background; from the server's own idle of each child to the message that tells the conversation. The npm package `oh-my-opencode` beside ours, each in an OpenCode of its own with the same model script.",
  ask: ({ quick }) => ask(quick),
}

interface Child {
  readonly kind: string
  readonly turns: ScriptedTurn[]
  /** From its first call of the model to the end of its last one, at least; ms. */
  readonly takesMs: number
}

const grep: ScriptedTurn = { tools: [{ name: "grep", args: { pattern: "login" } }] }
const CHILDREN: readonly Child[] = [
  { kind: "fast answer (0.5 s)", turns: [{ wait: 500, text: "Found it." }], takesMs: 500 },
  {
    kind: "two steps (3 s)",
    turns: [
      { ...grep, wait: 1_500 },
      { wait: 1_500, text: "Found it." },
    ],
    takesMs: 3_000,
  },
  {
    kind: "silent tool (18 s)",
    turns: [{ tools: [{ name: "bash", args: { command: "sleep 18", description: "waits" } }] }, { text: "Found it." }],
    takesMs: 18_000,
  },
  {
    kind: "long stream (20 s)",
    turns: [{ stream: { chunks: 41, everyMs: 500 }, text: "A long answer. ".repeat(60) }],
    takesMs: 20_000,
  },
  { kind: "provider error", turns: [{ wait: 200, status: 400, message: "bad request" }], takesMs: 200 },
]

interface Told {
  readonly kind: string
  readonly lag: number | undefined
  readonly early: boolean
}

async function ask(quick: boolean): Promise<Answer> {
  const rounds = quick ? 1 : 2
  const found = await atOnce(rounds)
  const lanes = await inALane(quick ? 1 : 3)
  const names = Object.keys(found)
  const lags = (name: string, kind?: string): number[] =>
    (found[name] ?? []).flatMap((one) =>
      one.lag === undefined || one.early || (kind !== undefined && one.kind !== kind) ? [] : [one.lag],
    )
  const early = (name: string): number => (found[name] ?? []).filter((one) => one.early).length
  const lost = (name: string): number => (found[name] ?? []).filter((one) => one.lag === undefined).length
  const [mine, other] = [median(lags("ours")), median(lags("oh-my-opencode"))]
  const of = (name: string, kind: string): string => {
    const all = (found[name] ?? []).filter((one) => one.kind === kind)
    const gone = all.filter((one) => one.lag === undefined).length
    const soon = all.filter((one) => one.early).length
    return [
      ms(median(lags(name, kind))),
      ...(gone > 0 ? [`**${gone} of ${all.length} never**`] : []),
      ...(soon > 0 ? [`**${soon} of ${all.length} early**`] : []),
    ].join(", ")
  }
  return {
    tables: [
      {
        title: `${CHILDREN.length * rounds} children, ${CHILDREN.length} at a time`,
        how: `Told is the first message of the conversation that names the child as ended, by the server's clock. Never: not within ${PATIENCE_MS / 1_000} s after the last child was done. Checked: every child's model was called as often as its script plans, and took its time.`,
        head: ["", "lag p50", "longest", "early", "never told"],
        rows: names.map((name) => [
          name,
          ms(median(lags(name))),
          ms(quantile(lags(name), 1)),
          String(early(name)),
          String(lost(name)),
        ]),
      },
      {
        title: "By child: lag p50",
        how: "Dash: none was told in time.",
        head: ["", ...names],
        rows: CHILDREN.map(({ kind }) => [kind, ...names.map((name) => of(name, kind))]),
      },
      laneTable(lanes),
    ],
    goals: [
      {
        goal: "plugin: no child told early, every child told",
        measured: `${early("ours")} early, ${lost("ours")} never`,
        reached: early("ours") + lost("ours") === 0,
      },
      {
        goal: "plugin: told sooner than by oh-my-opencode",
        measured: `${ms(mine)} against ${ms(other)}: ${times(other / mine)}`,
        reached: mine < other,
      },
      ...laneGoals(lanes),
    ],
    notes: [],
    plot: {
      title: "From a child's idle to the conversation being told, p50",
      unit: "ms",
      log: true,
      bars: names.map((name) => ({ name, value: median(lags(name)), ours: name === "ours" })),
    },
    facts: { toldP50Ms: mine, peerToldP50Ms: other },
  }
}

/** All children of a round have a slot. */
async function atOnce(rounds: number): Promise<Record<string, Told[]>> {
  await using pair = await startPair({ slots: CHILDREN.length })
  const found: Record<string, Told[]> = {}
  for (let round = 0; round < rounds; round++) {
    for (const [name, contender] of Object.entries(pair.contenders))
      (found[name] ??= []).push(...(await play(contender, `${name}-${round}`)))
  }
  return found
}

/** Two of them have. */
async function inALane(rounds: number): Promise<Record<string, LaneRound[]>> {
  await using pair = await startPair({ slots: 2 })
  const found: Record<string, LaneRound[]> = {}
  for (let round = 0; round < rounds; round++) {
    for (const [name, contender] of Object.entries(pair.contenders))
      (found[name] ??= []).push(await playLane(contender, `${name}-lane-${round}`))
  }
  return found
}

async function play(contender: Contender, name: string): Promise<Told[]> {
  const { oc, tool } = contender
  await using truth = await followTruth(oc)
  const c = await converse(oc)
  const ids = CHILDREN.map((_, i) => `${name}-${i}`)
  const calls = CHILDREN.map(({ kind, turns }, i) => ({
    name: tool,
    args: contender.args({
      prompt: scripted(`Look into ${kind}.`, { id: ids[i] ?? "", turns }),
      description: `Child ${i}`,
    }),
  }))
  const answers = await c.turn([{ tools: calls }, { text: "launched" }])
  const tasks = answers.map((answer) => /\bbg_[0-9a-z]{8}\b/.exec(answer)?.[0])
  verify(
    tasks.length === CHILDREN.length && tasks.every((task) => task !== undefined),
    `five children were launched by ${name}: ${answers.join("\n").slice(0, 500)}`,
  )

  const ended = (
    id: string,
  ): { readonly sessionId: string | undefined; readonly startedAt: number; readonly endedAt: number | undefined }[] =>
    oc.model.calls(id).filter((call) => call.kind === "turn" && call.endedAt !== undefined)
  await oc.model.waitFor(() => CHILDREN.every(({ turns }, i) => ended(ids[i] ?? "").length >= turns.length), {
    timeoutMs: 90_000,
  })
  const toldAt = async (task = ""): Promise<number | undefined> =>
    (await c.messages()).find(({ role, text }) => role === "user" && contender.tells(text, task))?.created
  // Some are never told: that is a result, not a failure.
  await until(async () => (await Promise.all(tasks.map(toldAt))).every((at) => at !== undefined), PATIENCE_MS).catch(
    () => {},
  )

  return Promise.all(
    CHILDREN.map(async ({ kind, turns, takesMs }, i) => {
      const made = ended(ids[i] ?? "")
      const last = made.at(-1)?.endedAt ?? 0
      verify(made.length === turns.length, `the model of ${kind} was called ${turns.length} times, not ${made.length}`)
      verify(last - (made[0]?.startedAt ?? 0) >= takesMs - 50, `${kind} took its time`)
      const session = made[0]?.sessionId ?? ""
      await until(async () => truth.idleAt(session, last) !== undefined, 10_000)
      const idle = truth.idleAt(session, last)
      verify(idle !== undefined, `${kind} went idle`)
      const told = await toldAt(tasks[i])
      // An error is known from its own event, before the idle that follows it.
      const lag = told === undefined ? undefined : kind === "provider error" ? Math.max(0, told - idle) : told - idle
      return { kind, lag, early: lag !== undefined && lag < 0 }
    }),
  )
}
