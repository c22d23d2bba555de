import { join } from "node:path"

import { describe, expect, test } from "bun:test"

import { playSeed } from "../../src/sim/campaign.ts"
import { agent, campaign, FAULT_CLASSES, faults } from "../../src/sim/index.ts"
import type { RunResult, Simulation } from "../../src/sim/index.ts"
import GOLDEN from "./golden.json"

describe("campaign", () => {
  test("300 seeds of a swarm: every promise holds, and everything that can happen does", () => {
    const result = campaign({
      seeds: 300,
      sometimes: ["completed", "error", "cancelled", ...REASONS, ...FAULT_CLASSES],
    })
    expect(result.tasks).toBeGreaterThan(3_000)
  }, 120_000)

  test.each(GOLDEN.map(({ seed, hash }) => [seed, hash] as const))("seed %p runs as ever", (seed, hash) => {
    expect(playSeed(seed).result.hash).toBe(hash)
  })

  test("without faults nothing ends but by its answer or its own bound", () => {
    const reasons = new Set<string>()
    const each = (_: number, run: RunResult): void => Object.keys(run.reasons).forEach((reason) => reasons.add(reason))
    campaign({ seeds: 40, from: 9_000, faults: faults.none(), config: { defaultConcurrency: 3 }, each })
    expect([...reasons].toSorted()).toEqual(["FINISHED", "TTL"])
  })

  test("the same seed gives the same hash in three processes", async () => {
    const script = `const { campaign } = await import(${JSON.stringify(join(import.meta.dir, "../../src/sim/index.ts"))}); process.stdout.write(campaign({ seeds: 8, from: 70 }).hash)`
    const hashes = await Promise.all(
      [1, 2, 3].map(async () => {
        const run = Bun.spawn([process.execPath, "-e", script], {
          stdout: "pipe",
          stderr: "inherit",
          env: { PATH: process.env["PATH"] ?? "" },
        })
        const said = await new Response(run.stdout).text()
        expect(await run.exited).toBe(0)
        return said
      }),
    )
    expect(new Set(hashes).size).toBe(1)
    expect(hashes[0]).toBe(campaign({ seeds: 8, from: 70 }).hash)
  })

  test("a load that depends on more than the seed is found when each seed is played twice", () => {
    let launches = 0
    const scenario = (sim: Simulation): void =>
      void sim.launch(
        {},
        agent()
          .think(1_000 * ++launches)
          .done(),
      )
    const play = (): unknown => campaign({ seeds: 1, faults: faults.none(), scenario, config: {} })
    expect(play).not.toThrow()
    process.env["SIM_CHECK_DETERMINISM"] = "1"
    try {
      expect(play).toThrow("gave two different runs")
    } finally {
      delete process.env["SIM_CHECK_DETERMINISM"]
    }
  })

  test("what was never reached is refused", () => {
    expect(() => campaign({ seeds: 2, faults: faults.none(), sometimes: ["WORKER_LOST"] })).toThrow(
      "never reached WORKER_LOST",
    )
  })

  test("SIM_SEED plays one seed, SIM_NUM so many", () => {
    const played = (env: Record<string, string>): number[] => {
      const before = { ...process.env }
      const seeds: number[] = []
      Object.assign(process.env, env)
      try {
        campaign({ seeds: 3, faults: faults.none(), tasks: 3, each: (seed) => void seeds.push(seed) })
      } finally {
        for (const name of Object.keys(env)) {
          if (before[name] === undefined) delete process.env[name]
          else process.env[name] = before[name]
        }
      }
      return seeds
    }
    expect(played({})).toEqual([0, 1, 2])
    expect(played({ SIM_SEED: "17" })).toEqual([17])
    expect(played({ SIM_NUM: "2" })).toEqual([0, 1])
    expect(() => played({ SIM_SEED: "x" })).toThrow("Expected SIM_SEED as an integer")
  })
})

const REASONS = [
  "FINISHED",
  "IDLE",
  "TTL",
  "QUEUE_TTL",
  "STALE",
  "TODOS_OPEN",
  "STEP_LIMIT",
  "SESSION_ERROR",
  "SESSION_GONE",
  "PROMPT_REJECTED",
  "AGENT_UNKNOWN",
  "MODEL_UNKNOWN",
  "SERVER_LOST",
  "INTERRUPTED",
  "WORKER_LOST",
  "USER",
  "PARENT",
]
