import { describe, expect, test } from "bun:test"

import type { Config } from "../../src/config.ts"
import { agent, campaign, faults, replay, simulate, Violation } from "../../src/sim/index.ts"
import type { FaultRates, Simulation } from "../../src/sim/index.ts"
import type { Oracle } from "../../src/sim/truth.ts"

test("20 tasks, 3 slots, a crash and a nap", () => {
  const sim = simulate({ seed: 42, config: { defaultConcurrency: 3 } })
  const parent = sim.session("ses_parent")
  for (let i = 0; i < 20; i++) {
    parent.launch({ model: "a/haiku" }, agent().think("2s..20s").tool("grep", "1s..40s").todos(2).done("ok"))
  }
  sim.at("30s", () => sim.crash("coordinator"))
  sim.at("1m", () => sim.sleepMachine("10m"))
  const run = sim.run({ until: "quiet", max: "2h" })
  expect(run.states).toEqual({ completed: 20 })
  expect(run.peak("default")).toBe(3)
  expect(run.delivered(parent)).toHaveLength(20)
})

describe("a violation", () => {
  /** A promise nobody can keep. */
  const nothingEnds: Oracle = (scene) => ({
    event: (event) => {
      if (event.type === "task:settled" && event.outcome.state === "error") scene.fail(2, `${event.id} may not end`)
    },
  })

  const found = (): Violation => {
    const sim = simulate({ seed: 3, oracles: [nothingEnds] })
    const parent = sim.session("ses_parent")
    for (let i = 0; i < 12; i++)
      parent.launch({}, i === 7 ? agent().think("1s").fail("no") : agent().think("1s..5s").done())
    sim.at("2s", () => sim.crash("worker"))
    sim.at("5s", () => sim.dropEvents("1s"))
    try {
      sim.run()
    } catch (thrown) {
      return thrown as Violation
    }
    throw new Error("It passed.")
  }

  test("names the invariant, the seed, the fewest tasks and faults, and the line that shows it again", () => {
    const violation = found()
    expect(violation).toBeInstanceOf(Violation)
    expect(violation.invariant).toBe(2)
    expect(violation.finding.tasks).toEqual(["bg_00000007 (task 7)"])
    expect(violation.finding.faults).toEqual([])
    expect(violation.finding.replay).toBe("SIM_SEED=3 bun test test/sim/simulate.test.ts")
    expect(violation.message).toContain("bg_00000007#1 settled error SESSION_ERROR: no")
    expect(violation.message).toContain(
      "invariant 2 (one terminal state per epoch, always reached): bg_00000007 may not end",
    )
  })

  test("is found the same every time", () => {
    expect(found().message).toBe(found().message)
  })
})

describe("bad use is refused with a sentence", () => {
  const idle = (): Simulation => simulate({ seed: 1 })
  const rates = (of: Record<string, number>): FaultRates => of
  test.each([
    [
      "a past time",
      () => {
        const sim = idle()
        sim.run({ until: "1m" })
        sim.at("30s", () => {})
      },
      "30s is past: it is 60000 ms already",
    ],
    ["an unknown verb", () => idle().crash("moon" as "worker"), 'Nothing called "moon" can crash'],
    [
      "a duration that does not parse",
      () => idle().sleepMachine("a while"),
      'Expected how long the machine sleeps like "2s"',
    ],
    ["an agent that never ends", () => idle().launch({}, agent().think("1s")), "never comes to an end"],
    ["an act after the end", () => agent().done().think("1s"), '"think" comes after "done"'],
    ["half a TODO", () => agent().todos(1.5), "Expected a number of TODOs as an integer"],
    ["an unknown option", () => simulate({ config: { concurrency: 3 } as Config }), "concurrency"],
    ["an unknown fault", () => faults.only("meteor" as "call.slow"), 'There is no fault "meteor"'],
    ["a swarm of unknown faults", () => faults.swarm(["bogus" as "call.slow"]), 'There is no fault "bogus"'],
    [
      "own rates of an unknown fault",
      () => simulate({ faults: () => rates({ "worker.crashes": 1 }) }),
      "worker.crashes",
    ],
    [
      "a rate above 1",
      () => simulate({ faults: () => rates({ "call.slow": 3 }) }),
      "rate of call.slow from 0 to 1, got 3",
    ],
    ["half a seed", () => simulate({ seed: 1.5 }), "Expected a seed as an integer, got 1.5"],
    [
      "a first seed that is none",
      () => campaign({ seeds: 10, from: Number.NaN }),
      "Expected the first seed as an integer, got NaN",
    ],
    ["a number of tasks that is none", () => campaign({ seeds: 1, tasks: Number.NaN }), "Expected a number of tasks"],
    [
      "an end of a worker nobody knows",
      () => idle().worker("explodes" as "exits"),
      'how a worker ends as one of throws, rejects, exits, spins, falls silent, got "explodes"',
    ],
    ["an ambush on nothing", () => idle().ambush("creat" as "create", "lost"), "what goes wrong as one of create,"],
    [
      "an ambush that does nothing",
      () => idle().ambush("create", "explodes" as "lost"),
      "how it goes wrong as one of slow,",
    ],
    [
      "half an ambush",
      () => idle().ambush("create", "lost", 0.5),
      "how often it goes wrong as an integer ≥ 1, got 0.5",
    ],
    ["a clock set by nothing", () => idle().jumpWall(Number.NaN), "Expected how far the clock is set"],
    ["a moment that is none", () => idle().at(undefined as unknown as string, () => {}), "Expected a moment"],
    [
      "an end that is past",
      () => {
        const sim = idle()
        sim.run({ until: "1h" })
        sim.run({ until: "30m" })
      },
      "30m is past: it is 3600000 ms already",
    ],
    [
      "a TTL that is no number",
      () => idle().launch({ ttlMs: "5m" as unknown as number }, agent().done()),
      'ttlMs: expected null or milliseconds ≥ 1000, got "5m"',
    ],
    ["no prompt", () => idle().launch({ prompt: "" }, agent().done()), "prompt: expected a non-empty string"],
    [
      "a model that is no name",
      () => idle().launch({ model: 5 as unknown as string }, agent().done()),
      "model: expected",
    ],
    [
      "no prompt to continue with",
      () => idle().launch({}, agent().done()).continue(" "),
      "prompt: expected a non-empty string",
    ],
    [
      "no slot at all",
      () => idle().limits({ defaultConcurrency: 0 }),
      "defaultConcurrency: expected an integer ≥ 1, got 0",
    ],
    [
      "half a slot",
      () => idle().limits({ modelConcurrency: { "a/x": 0.5 } }),
      "modelConcurrency.a/x: expected an integer ≥ 0",
    ],
    [
      "an unknown limit",
      () => idle().limits({ concurrency: 3 } as {}),
      "expected defaultConcurrency, providerConcurrency",
    ],
    [
      "a launch while nobody is there",
      () => {
        const sim = idle()
        sim.crash("coordinator", "1h")
        sim.launch({}, agent().done())
      },
      "The coordinator is down",
    ],
  ])("%s", (_, act, sentence) => expect(act).toThrow(sentence))
})

describe("a simulation can be asked", () => {
  test("two at once do not meet", () => {
    const [a, b] = [simulate({ seed: 1 }), simulate({ seed: 2 })]
    for (const sim of [a, b]) sim.launch({}, agent().think("1s..1m").done())
    a.run({ until: "500ms" })
    const [second, first] = [b.run(), a.run()]
    expect([first.states, second.states]).toEqual([{ completed: 1 }, { completed: 1 }])
    expect(first.elapsed).not.toBe(second.elapsed)
  })

  test("a settled task is continued in the same session, and told anew", () => {
    const sim = simulate({ seed: 1 })
    const parent = sim.session("ses_parent")
    const task = parent.launch({}, agent().think("2s").done("one"))
    sim.run()
    const session = task.row?.sessionID
    task.continue("and now", agent().think("2s").done("two"))
    const run = sim.run()
    expect(task.row).toMatchObject({ epoch: 2, sessionID: session, outcome: { text: "two", reason: "FINISHED" } })
    expect(run.delivered(parent).map(({ epoch }) => epoch)).toEqual([1, 2])
    sim.rest()
    expect(task.row).toBeUndefined()
  })

  test("what ended longer ago than it is kept for has ended all the same", () => {
    const sim = simulate({ seed: 1 })
    const parent = sim.session("ses_parent")
    sim.at("1s", () => void parent.launch({}, agent().think("2s").done()))
    sim.at("30h", () => void parent.launch({}, agent().think("2s").done()))
    const run = sim.run({ max: "60h" })
    expect(run.rows).toHaveLength(1)
    expect([run.states, run.reasons]).toEqual([{ completed: 2 }, { FINISHED: 2 }])
  })

  test("a new limit leaves the others as they are, over a restart too", () => {
    const sim = simulate({ seed: 1, config: { providerConcurrency: { a: 1 }, modelConcurrency: { "c/x": 1 } } })
    const load = (): void => {
      for (const model of ["a/x", "b/x", "c/x"])
        for (let i = 0; i < 3; i++) sim.launch({ model }, agent().think("20s").done())
    }
    load()
    sim.at("5s", () => sim.limits({ providerConcurrency: { b: 2 } }))
    sim.at("6s", load)
    sim.at("8s", () => sim.crash("coordinator"))
    sim.at("15s", load)
    const run = sim.run()
    expect(run.states).toEqual({ completed: 27 })
    expect(["provider:a", "provider:b", "model:c/x"].map((lane) => run.peak(lane))).toEqual([1, 2, 1])
  })

  test("a log replays to what was said", () => {
    const sim = simulate({ seed: 5, record: true })
    for (let i = 0; i < 5; i++) sim.session("ses_parent").launch({}, agent().think("1s..5s").done())
    sim.run()
    const [log] = sim.world.recordings
    const settled = replay(log ?? { options: sim.options, inputs: [] }).events.filter(
      ({ type }) => type === "task:settled",
    )
    expect(settled).toHaveLength(5)
  })
})
