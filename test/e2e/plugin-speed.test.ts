/** How long the plugin holds people up, counted at the model server. Times are told; asserted is what holds on a busy machine. */

import { expect, test } from "bun:test"

import { converse, launch, until } from "../helpers/conversation.ts"
import { cpuOf } from "../helpers/cpu-of.ts"
import { startOpenCode } from "../helpers/opencode.ts"
import type { TestOpenCode } from "../helpers/opencode.ts"
import { startPluginHome, usePluginHome } from "../helpers/plugin-home.ts"
import { report } from "../helpers/report.ts"

const oc = usePluginHome({ settings: { defaultConcurrency: 2 } })

test("five children in a lane of two: launching, a free slot's next use, the waking turn", async () => {
  const rounds: { hold: number; reuse: number[]; wake: number }[] = []
  for (let round = 0; round < 3; round++) {
    const c = await converse(oc)
    const ids = Array.from({ length: 5 }, (_, i) => `v${round}-${i}`)
    const id = await c.say(
      [{ tools: ids.map((one, i) => launch(one, [{ wait: 900 + 60 * i, text: "done" }])) }, { text: "launched" }],
      { onPrompt: [{ text: "read them" }] },
    )
    await oc.model.waitFor(() => oc.model.calls(id).length === 3, { timeoutMs: 30_000 })
    await c.idle()
    expect(oc.model.peak(`v${round}-`)).toBe(2)
    const [first, second, third] = oc.model.calls(id)
    const children = ids.flatMap((one) => oc.model.calls(one))
    expect(children).toHaveLength(5)
    const ends = children.map(({ endedAt = Number.NaN }) => endedAt).toSorted((a, b) => a - b)
    const starts = children.map(({ startedAt }) => startedAt).toSorted((a, b) => a - b)
    rounds.push({
      hold: (second?.startedAt ?? Number.NaN) - (first?.endedAt ?? Number.NaN),
      reuse: starts.slice(2).map((start, i) => start - (ends[i] ?? Number.NaN)),
      wake: (third?.startedAt ?? Number.NaN) - (ends.at(-1) ?? Number.NaN),
    })
    // Told once: one message for each, one of them answered, by one request.
    const notices = await c.notices()
    expect(notices).toHaveLength(5)
    const told = new Set(notices.map((notice) => notice.id))
    expect((await c.messages()).filter(({ parentID }) => parentID !== undefined && told.has(parentID))).toHaveLength(1)
    expect(oc.model.calls(id)).toHaveLength(3)
  }
  const reuse = rounds.flatMap((round) => round.reuse)
  const row = (what: string, times: number[]): string[] => [
    what,
    ms(Math.min(...times)),
    ms(median(times)),
    ms(Math.max(...times)),
  ]
  report(
    "The plugin in `opencode serve`: five children, a lane of two",
    ["", "shortest", "median", "longest"],
    [
      row(
        "launching five holds the conversation",
        rounds.map(({ hold }) => hold),
      ),
      row("from a child's end to the next one's request", reuse),
      row(
        "from the last end to the waking turn's request",
        rounds.map(({ wake }) => wake),
      ),
    ],
  )
}, 90_000)

test("a free slot is used again at once: three times while the other child is at its one answer", async () => {
  const c = await converse(oc)
  const long = launch("o-long", [{ wait: 8_000, text: "done" }])
  const short = ["o-0", "o-1", "o-2", "o-3"].map((id) => launch(id, [{ wait: 100, text: "done" }]))
  const id = await c.say([{ tools: [long, ...short] }, { text: "launched" }], { onPrompt: [{ text: "read them" }] })
  await oc.model.waitFor(() => oc.model.calls(id).length === 3, { timeoutMs: 60_000 })
  const end = ([one]: ReturnType<typeof oc.model.calls>): number => one?.endedAt ?? Number.NaN
  const others = ["o-0", "o-1", "o-2", "o-3"].map((one) => end(oc.model.calls(one)))
  // By the order at the model, not by the clock: looking at each child every few seconds would not get so far.
  expect(others.every((at) => at < end(oc.model.calls("o-long")))).toBe(true)
  expect(oc.model.peak("o-")).toBe(2)
  // The launching turn went on while all but two of them waited, and the waking one came after the last end.
  const [, second, third] = oc.model.calls(id)
  expect(second?.startedAt).toBeLessThan(end(oc.model.calls("o-long")))
  expect(third?.startedAt).toBeGreaterThan(end(oc.model.calls("o-long")))
  await c.idle()
  expect(await c.notices()).toHaveLength(5)
}, 90_000)

interface Load {
  /** Until the request that loads the instance is answered; ms. */
  readonly wall: number
  /** Of the server's process; ms, in steps of 10. */
  readonly cpu: number
}

test("what it adds to the start of an instance", async () => {
  const first: Record<string, Load[]> = { with: [], without: [] }
  const later: Record<string, Load[]> = { with: [], without: [] }
  for (let round = 0; round < 4; round++) {
    // By turns, and in turn the first: a slow minute of the machine hits both.
    for (const which of round % 2 === 0 ? ["with", "without"] : ["without", "with"]) {
      await using home = which === "with" ? await startPluginHome() : await startOpenCode({ plugins: [] })
      const [one, ...more] = await instanceLoads(home)
      if (one !== undefined) first[which]?.push(one)
      later[which]?.push(...more)
    }
  }
  const least = (loads: readonly Load[] = [], of: keyof Load): number => Math.min(...loads.map((load) => load[of]))
  const cells = (loads: readonly Load[] = []): string[] => [
    `${ms(median(loads.map(({ wall }) => wall)))} (${ms(least(loads, "wall"))})`,
    `${ms(median(loads.map(({ cpu }) => cpu)))} (${ms(least(loads, "cpu"))})`,
  ]
  report(
    "Loading an instance, with and without the plugin: median (least)",
    ["", "with", "its CPU", "without", "its CPU"],
    [
      ["the first instance of a process", ...cells(first["with"]), ...cells(first["without"])],
      ["a further one", ...cells(later["with"]), ...cells(later["without"])],
    ],
  )
  // The least of either, and CPU time: other work on the machine adds to the wall clock, and to the median.
  expect(least(first["with"], "cpu") - least(first["without"], "cpu")).toBeLessThan(100)
}, 180_000)

/** The first request that names a directory loads its instance. */
async function instanceLoads(home: TestOpenCode): Promise<Load[]> {
  const loads: Load[] = []
  for (let i = 0; i < 4; i++) {
    const client = home.clientFor(i === 0 ? home.directory : home.newDirectory())
    const [start, used] = [performance.now(), cpuOf(home.server.pid)]
    await client.path.get()
    await until(async () => (await client.session.status()).error === undefined)
    loads.push({ wall: performance.now() - start, cpu: cpuOf(home.server.pid) - used })
  }
  return loads
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}

function ms(value: number): string {
  return `${Math.round(value)} ms`
}
