import type { Config } from "../config.ts"
import { LanesError } from "../core/errors.ts"
import type { AgentScript } from "./agent.ts"
import { agent } from "./agent.ts"
import type { FaultClass } from "./faults.ts"
import type { Dice } from "./dice.ts"
import { Dice as Throws } from "./dice.ts"
import type { SimParent, SimTask } from "./handles.ts"
import type { Simulation } from "./simulate.ts"

const MODELS = ["a/haiku", "a/opus", "b/mini", "c/large", "d/nolane"] as const

/** A configuration chosen by the seed. */
export function configOf(seed: number): Config {
  const dice = new Throws(seed)
  const pick = <T>(of: readonly [T, ...T[]], n: number): T => dice.pick(of, "config", 0, n)
  return {
    defaultConcurrency: pick([1, 2, 3, 5], 1),
    providerConcurrency: pick<Record<string, number>>([{}, { a: 1 }, { a: 2, b: 3 }, { b: 0 }], 2),
    modelConcurrency: pick<Record<string, number>>([{}, { "a/opus": 1 }, { mini: 2 }], 3),
    wake: pick(["all", "each"], 4),
    recover: pick(["resume", "resume", "ask"], 5),
    permissions: pick(["reject", "reject", "forward"], 6),
    isolation: pick(["pool", "pool", "task"], 7),
    maxWorkers: pick([1, 2, 4], 8),
    queueTtlMs: pick([0, 0, 0, 600_000], 9),
    maxPerRoot: pick([50, 50, 6], 10),
    maxQueued: pick([1_000, 1_000, 8], 11),
    todoNudges: pick([2, 2, 0, 1], 12),
    pollIntervalMs: pick([2_000, 2_000, 500, 5_000], 13),
    maxSteps: pick([200, 200, 30], 14),
  }
}

/** Fills a simulation with so many tasks of a few conversations, and with people who interfere. */
export function populate(sim: Simulation, tasks: number): void {
  const dice = new Throws(sim.seed ^ 0x5151)
  const parents = Array.from({ length: dice.whole(1, 4, "parents", 0) }, (_, i) => sim.session(`ses_parent${i}`))
  for (let of = 0; of < tasks; of++) {
    const at = dice.chance(0.5, "together", 0) ? 0 : Math.floor(dice.unit("arrives", of) * 120_000)
    const launch = (): void => launchOne(sim, dice, parents, of, launch)
    sim.at(at, launch)
  }
  parents.forEach((parent, i) => interfere(sim, dice, parent, i))
}

function launchOne(sim: Simulation, dice: Dice, parents: readonly SimParent[], of: number, again: () => void): void {
  // Nobody can launch while there is nobody to ask; they try again.
  if (sim.world.coordinator === undefined) return sim.at(sim.world.loop.now + 1_000, again)
  const alone = dice.chance(0.2, "alone", of)
  const parent = alone ? undefined : parents[dice.whole(0, parents.length - 1, "parent", of)]
  const unknown = rolls(sim, dice, "agent.unknown", of)
  const model = unknown && dice.chance(0.5, "unknown", of) ? "unknown/model" : dice.pick(MODELS, "model", of)
  const agentName = unknown && model !== "unknown/model" ? "unknown-agent" : "explore"
  const ttlMs = dice.chance(0.15, "ttl", of) ? dice.whole(30_000, 300_000, "ttl", of, 1) : undefined
  const spec = {
    prompt: `do ${of}`,
    description: `number ${of}`,
    model,
    agent: agentName,
    directory: dice.chance(0.3, "directory", of) ? "/sim/other" : "/sim",
    batch: `turn-${dice.whole(1, 3, "batch", of)}`,
    background: !dice.chance(0.1, "foreground", of),
    ...(ttlMs === undefined ? {} : { ttlMs }),
  }
  const script = scriptOf(sim, dice, of)
  try {
    const task = parent === undefined ? sim.launch(spec, script) : parent.launch(spec, script)
    meddle(sim, dice, task, of)
  } catch (thrown) {
    // Refusals are part of the game: full queues, full conversations, a full disk.
    if (!(thrown instanceof LanesError)) throw thrown
    sim.world.tally.reach(thrown.code)
  }
}

/** What people do to one task. */
function meddle(sim: Simulation, dice: Dice, task: SimTask, of: number): void {
  const later = (kind: string, withinMs: number, act: () => void): void =>
    sim.at(
      sim.world.loop.now + 5 + dice.unit(kind, of, 1) ** 2 * withinMs,
      () => sim.world.coordinator !== undefined && act(),
    )
  const guarded = (act: () => void) => (): void => {
    try {
      act()
    } catch (thrown) {
      if (!(thrown instanceof LanesError)) throw thrown
      sim.world.tally.reach(thrown.code)
    }
  }
  if (rolls(sim, dice, "user.cancel", of))
    later("cancel", 90_000, () => task.cancel({ silent: dice.chance(0.5, "silent", of) }))
  if (rolls(sim, dice, "user.followUp", of))
    later(
      "follow",
      40_000,
      guarded(() => task.continue(`and also ${of}`)),
    )
  if (rolls(sim, dice, "session.deleted", of)) later("delete", 60_000, () => task.deleteSession())
  if (rolls(sim, dice, "user.continue", of)) {
    later(
      "continue",
      240_000,
      guarded(() => task.continue(`again ${of}`, agent().think("1s..10s").tool("edit", "1s..10s").done("again"))),
    )
  }
}

/** What one conversation does besides. */
function interfere(sim: Simulation, dice: Dice, parent: SimParent, i: number): void {
  if (rolls(sim, dice, "parent.busy", i)) {
    for (let n = 0; n < 3; n++)
      sim.at(dice.unit("busy at", i, n) * 200_000, () => parent.busy(dice.unit("busy", i, n) * 60_000))
  }
  if (rolls(sim, dice, "parent.deleted", i)) {
    sim.at(dice.unit("deleted at", i) * 200_000, () => sim.world.coordinator !== undefined && parent.delete())
  }
}

function rolls(sim: Simulation, dice: Dice, what: FaultClass, of: number): boolean {
  const rolled = dice.chance(sim.world.rates[what] ?? 0, what, of)
  if (rolled) sim.world.strike(what)
  return rolled
}

/** An agent chosen by the seed: an ordinary one, or an odd one. */
function scriptOf(sim: Simulation, dice: Dice, of: number): AgentScript {
  const odd = rolls(sim, dice, "agent.odd", of)
  let script = agent().think("200ms..15s")
  const acts = dice.whole(0, 3, "acts", of)
  for (let n = 0; n < acts; n++) script = ordinary(script, dice, of, n)
  return odd ? strange(sim, script, dice, of) : script.done(`did ${of}`)
}

function ordinary(script: AgentScript, dice: Dice, of: number, n: number): AgentScript {
  switch (dice.whole(0, 3, "act", of, n)) {
    case 0:
      return script.tool("grep", "100ms..40s")
    case 1:
      return script.stream("1s..50s")
    case 2:
      return script.todos(dice.whole(1, 4, "todos", of, n)).tool("edit", "200ms..5s")
    default:
      return script.think("100ms..20s").tool("read", "20ms..2s")
  }
}

function strange(sim: Simulation, script: AgentScript, dice: Dice, of: number): AgentScript {
  switch (dice.whole(0, 18, "odd", of)) {
    case 0:
      return script.hang()
    case 1:
      return script.chatter()
    case 2:
      return script.retry(429, { times: dice.whole(1, 4, "times", of) }).done()
    case 3:
      return script.retry(500, { times: 5, fatal: true }).done()
    case 4:
      return script.truncated(dice.whole(1, 3, "times", of)).done()
    case 5:
      return script.truncated(Number.POSITIVE_INFINITY).done()
    case 6:
      return script.compaction().think("1s..10s").done()
    case 7:
      return script.ask("bash").think("1s..5s").done("without")
    case 8:
      return script.fail("The account is empty.")
    case 9:
      return script.escape()
    case 10:
      return script
        .tool("read", "1s..3s")
        .earlyIdle(`10ms..${sim.options.pollIntervalMs * 0.35}ms`)
        .think("1s..8s")
        .done()
    case 11:
      return script
        .flap(sim.options.pollIntervalMs < 2_000 ? 1 : dice.whole(2, 6, "times", of), "10ms..100ms")
        .think("1s..8s")
        .done()
    case 12:
      return script.think("1s..3s").lieIdle("500ms..4s").think("1s..8s").done()
    case 13:
      return script.todos(3, { left: 2, afterNudges: dice.whole(1, 2, "nudges", of) }).done("half")
    case 14:
      return script.todos(2, { left: 1 }).done("never the rest")
    case 15:
      return script.tool("build", "2m..10m", { silent: true }).done()
    case 16:
      return script.stream("3m..12m").done("long")
    case 17:
      return script.done("cut", { finish: "length" })
    default:
      return script.done("so much to say ".repeat(5_000))
  }
}
