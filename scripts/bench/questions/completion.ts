import { startOpenCode } from "../../../test/helpers/opencode.ts"
import type { TestOpenCode } from "../../../test/helpers/opencode.ts"
import { AGENTS, kinds, population } from "../opencode/population.ts"
import type { Scripted } from "../opencode/population.ts"
import { ours } from "../opencode/runner.ts"
import type { Runner, Settled } from "../opencode/runner.ts"
import { followTruth } from "../opencode/truth.ts"
import { tutorial } from "../opencode/tutorial.ts"
import type { Answer, Question } from "../harness/answer.ts"
import { verify } from "../harness/answer.ts"
import { median, ms, quantile, times } from "../harness/stats.ts"

/** A task not settled so long after the others are done is given up. */
const PATIENCE_MS = 45_000

/** How late is done said, and is it true? */
export const question: Question = {
  title:
    "How long a session lies idle until its task is `settled`, on the real OpenCode with a scripted model; and how often `settled` came before the agent was done.",
  ask: ({ quick }) => ask(quick),
}

interface Judged {
  readonly kind: string
  /** How long the session lay idle before it was settled; undefined = early or never. */
  readonly lag?: number
  readonly early: boolean
  readonly lost: boolean
  readonly wrong: boolean
}

/** Tasks at a time, for each way. */
const SLOTS = 10

const WAYS: Readonly<Record<string, (oc: TestOpenCode) => Promise<Runner>>> = {
  ours: (oc) => ours(oc, { defaultConcurrency: SLOTS }),
  "ours without events": (oc) => ours(oc, { defaultConcurrency: SLOTS }, false),
  "the tutorial's rule": (oc) => tutorial(oc, { acme: SLOTS }),
}

async function ask(quick: boolean): Promise<Answer> {
  const each = quick ? 2 : 4
  const rounds = 1
  const found: Record<string, Judged[]> = {}
  await using oc = await startOpenCode({ agents: { ...AGENTS } })
  await warm(oc)
  for (let round = 0; round < rounds; round++) {
    for (const [i, [name, make]] of Object.entries(WAYS).entries()) {
      found[name] = [...(found[name] ?? []), ...(await play(oc, make, population(`r${round}w${i}`, each)))]
    }
  }
  const lags = (name: string, kind?: string): number[] =>
    (found[name] ?? []).flatMap((one) =>
      one.lag === undefined || (kind !== undefined && one.kind !== kind) ? [] : [one.lag],
    )
  const number = (name: string, what: "early" | "lost" | "wrong", kind?: string): number =>
    (found[name] ?? []).filter((one) => one[what] && (kind === undefined || one.kind === kind)).length
  const names = Object.keys(WAYS)
  const [mine = "", , theirs = ""] = names
  const ratio = median(lags(theirs)) / median(lags(mine))
  const tasks = kinds.length * each * rounds
  return {
    tables: [
      {
        title: `${tasks} tasks of seven kinds, ${SLOTS} at a time`,
        how: `Lag is how long the server called the session idle before the task was settled, taken from an event stream of its own. Early is settled before the last call of the model that the script plans was over and the session idle, lost is not settled ${PATIENCE_MS / 1_000} s after the last was done. The tutorial's rule is \`scripts/bench/opencode/tutorial.ts\`; its lag counts only what it did not end early. Each way once. Checked: the model was called as often as the script plans.`,
        head: ["", "lag p50", "p95", "p99", "early", "lost", "wrong state"],
        rows: names.map((name) => [
          name,
          ...[0.5, 0.95, 0.99].map((p) => ms(quantile(lags(name), p))),
          String(number(name, "early")),
          String(number(name, "lost")),
          String(number(name, "wrong")),
        ]),
      },
      {
        title: "By kind: lag p50, and how many were ended early",
        how: `${each * rounds} tasks of each kind.`,
        head: ["", ...names],
        rows: kinds.map((kind) => [
          kind,
          ...names.map(
            (name) =>
              `${ms(median(lags(name, kind)))}${number(name, "early", kind) > 0 ? `, **${number(name, "early", kind)} early**` : ""}`,
          ),
        ]),
      },
    ],
    goals: [
      {
        goal: "no task ended early, none lost",
        measured: `${number(mine, "early")} early, ${number(mine, "lost")} lost, ${number(mine, "wrong")} wrong`,
        reached: number(mine, "early") + number(mine, "lost") + number(mine, "wrong") === 0,
      },
      {
        goal: "lag p50 at least 40 × better than the tutorial's rule",
        measured: `${ms(median(lags(mine)))} against ${ms(median(lags(theirs)))}: ${times(ratio)}`,
        reached: ratio >= 40,
      },
    ],
    notes: [
      "The event that the tutorial's rule drops when it comes within 5 s is the one its lag comes from; what ends by itself later than that is told by the event at once, for it as for us (three steps).",
    ],
    plot: {
      title: "Lag from idle to settled, p50",
      unit: "ms",
      log: true,
      bars: names.map((name) => ({ name, value: median(lags(name)), ours: name.startsWith("ours") })),
    },
    facts: {
      lagP50Ms: median(lags(mine)),
      tutorialLagP50S: median(lags(theirs)) / 1_000,
      early: number(mine, "early"),
      tutorialEarly: number(theirs, "early"),
      tasks,
    },
  }
}

/** One round of one way. */
async function play(
  oc: TestOpenCode,
  make: (oc: TestOpenCode) => Promise<Runner>,
  tasks: readonly Scripted[],
): Promise<Judged[]> {
  await using truth = await followTruth(oc)
  const runner = await make(oc)
  const settled = new Map<string, Settled>()
  const all = tasks.map(async ({ script }) => void settled.set(script.id, await runner.launch(script)))
  const done = Promise.all(
    tasks.map(({ script, calls }) =>
      oc.model.waitFor(() => ended(oc, script.id).length >= calls, { timeoutMs: 90_000 }),
    ),
  )
  await Promise.race([Promise.all(all), done.then(() => Bun.sleep(PATIENCE_MS))])
  await done
  await Bun.sleep(1_000)
  const judged = tasks.map(({ kind, script, fails, calls }): Judged => {
    const made = ended(oc, script.id)
    verify(made.length === calls, `the model was called ${calls} times for ${script.id}, not ${made.length} times`)
    const session = made[0]?.sessionId ?? ""
    const at = settled.get(script.id)
    const idle = truth.idleAt(session, made.at(-1)?.endedAt ?? 0)
    verify(idle !== undefined, `${script.id} went idle`)
    const early = at !== undefined && at.at < idle
    const wrong = at !== undefined && at.state !== (fails ? "error" : "completed")
    const lag = at === undefined ? undefined : truth.idleBefore(session, at.at)
    // An error is known from its own event, before the idle that follows it.
    const tooSoon = early && !fails
    return { kind, early: tooSoon, lost: at === undefined, wrong, ...(lag === undefined || tooSoon ? {} : { lag }) }
  })
  await runner[Symbol.asyncDispose]()
  await Promise.all(all)
  return judged
}

function ended(
  oc: TestOpenCode,
  id: string,
): { readonly sessionId: string | undefined; readonly endedAt: number | undefined }[] {
  return oc.model.calls(id).filter(({ kind, endedAt }) => kind === "turn" && endedAt !== undefined)
}

/** The first prompt of a server takes seconds. */
async function warm(oc: TestOpenCode): Promise<void> {
  await using runner = await ours(oc, { defaultConcurrency: 4 })
  await Promise.all([1, 2, 3].map((n) => runner.launch({ id: `warm-${n}`, turns: [{ text: "warm" }] })))
}
