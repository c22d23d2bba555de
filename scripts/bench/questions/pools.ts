import { rmSync } from "node:fs"
import { join } from "node:path"
import type { Answer, Question } from "../harness/answer.ts"
import { verify } from "../harness/answer.ts"
import { BENCH } from "../harness/peers.ts"
import { count, inTurns, median, ms, quantile, spread, times } from "../harness/stats.ts"

const POOLS = ["ours", "piscina-streaming", "tinypool", "piscina", "poolifier"]

/** What the thread and the link cost a run. */
export const question: Question = {
  title:
    "A whole run against a server that answers at once (`workers/drive-session.ts` on a null `SessionApi`), through our pool and through others.",
  ask: ({ quick }) => ask(quick),
}

interface Measured {
  readonly ms: number
  readonly cpuMs: number
  readonly latencies: readonly number[]
  readonly whole: boolean
}

async function ask(quick: boolean): Promise<Answer> {
  const runs = quick ? 4_000 : 10_000
  const built = await buildForNode()
  const failures = new Map<string, string>()
  const contenders: Record<string, () => Promise<Measured | undefined>> = {}
  for (const pool of POOLS) {
    contenders[`${pool}, Bun`] = () =>
      measure(
        `${pool}, Bun`,
        [process.execPath, join(BENCH, "pools", "contender.ts"), pool, join(BENCH, "pools"), ".ts", String(runs)],
        failures,
      )
    if (pool !== "ours")
      contenders[`${pool}, Node`] = () =>
        measure(`${pool}, Node`, ["node", join(built, "contender.js"), pool, built, ".js", String(runs)], failures)
  }
  const found = await inTurns(contenders, quick ? 2 : 4, false)
  rmSync(built, { recursive: true, force: true })
  const names = Object.keys(found).filter((name) => (found[name]?.length ?? 0) > 0)
  const rate = (name: string): number => median((found[name] ?? []).map((one) => (runs / one.ms) * 1_000))
  const p = (name: string, at: number): number =>
    median((found[name] ?? []).map(({ latencies }) => quantile(latencies, at)))
  const ours = "ours, Bun"
  const streaming = "piscina-streaming, Bun"
  const peers = names.filter((name) => name !== ours && name.endsWith("Bun"))
  const best = peers.toSorted((a, b) => rate(b) - rate(a))[0] ?? ""
  const calmest = Math.min(...peers.map((name) => p(name, 0.99)))
  return {
    tables: [
      {
        title: "Null runs through pools of as many threads as cores, 8 runs at a time on each",
        how: `${runs} runs after ${runs / 2} to warm up; each creates its session, prompts, looks twice and leaves; pauses take no time. Ours reports each of the five steps as it happens, with order kept, checked at the door, and with its Comlink call; tinypool, piscina and poolifier answer once, with all five together; piscina-streaming reports each as it happens, by a port for each run. Each measurement in a process of its own. Checked: every run said its five words in order and brought the answer.`,
        head: ["", "runs a second", "of ours", "CPU per run", "p50", "p99"],
        rows: [
          ...names.map((name) => {
            const rates = (found[name] ?? []).map((one) => (runs / one.ms) * 1_000)
            const cpu = median((found[name] ?? []).map((one) => (one.cpuMs / runs) * 1_000))
            return [
              name,
              `${count(median(rates))} ${spread(rates)}`,
              times(rate(name) / rate(ours)),
              `${cpu.toFixed(0)} µs`,
              ms(p(name, 0.5)),
              ms(p(name, 0.99)),
            ]
          }),
          ...[...failures]
            .filter(([name]) => !names.includes(name))
            .map(([name, why]) => [name, why, "–", "–", "–", "–"]),
        ],
      },
    ],
    goals: [
      {
        goal: "null runs through the pool at least as fast as the best other pool on Bun",
        measured: `${times(rate(ours) / rate(best))} ${best}`,
        reached: rate(ours) >= rate(best),
      },
      {
        goal: "with a p99 below theirs",
        measured: `${ms(p(ours, 0.99))} against ${ms(calmest)}`,
        reached: p(ours, 0.99) <= calmest,
      },
    ],
    notes: [
      `A run is seven messages here and two in a pool that answers once. With each report heard as it happens, which is what snapshots, cancelling and a session id before the prompt need, piscina does ${times(rate(streaming) / rate(ours))} what ours does (p99 ${ms(p(streaming, 0.99))}); ours checks each message besides.`,
      "By a profile (`bun --cpu-prof`) most of the main thread's time goes into `postMessage`, which wakes the other thread, and then into the door's schemas. A run of a real agent makes one message a second or fewer.",
      "The flood guard is off here: it takes so many words from one worker for a fault, rightly.",
    ],
    plot: {
      title: "Null runs a second",
      unit: "/s",
      bars: names.map((name) => ({ name, value: rate(name), ours: name === ours })),
    },
  }
}

async function measure(name: string, command: string[], failures: Map<string, string>): Promise<Measured | undefined> {
  if (failures.has(name)) return undefined
  const child = Bun.spawn(command, { cwd: BENCH, stdin: "ignore", stdout: "pipe", stderr: "pipe", timeout: 30_000 })
  const [out, err] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ])
  const line = out.split("\n").find((text) => text.startsWith("{"))
  if (line === undefined) {
    const why = /^\s*(?:error|\w*Error): .*$/m.exec(err)?.[0].trim() ?? "no answer within 30 s"
    failures.set(name, `does not run: ${why.slice(0, 80)}`)
    return undefined
  }
  const measured = JSON.parse(line) as Measured
  verify(measured.whole, `each run of ${name} was whole`)
  return measured
}

/** The peers and the work for Node, beside the peers' packages. */
async function buildForNode(): Promise<string> {
  const outdir = join(BENCH, "node_modules", ".pools")
  const { success, logs } = await Bun.build({
    entrypoints: ["contender", "peer-worker", "stream-worker", "poolifier-worker"].map((name) =>
      join(BENCH, "pools", `${name}.ts`),
    ),
    outdir,
    target: "node",
    format: "esm",
    external: ["tinypool", "piscina", "poolifier", "comlink", "*/workers/pool.ts"],
  })
  verify(success, logs.map(String).join("\n"))
  return outdir
}
