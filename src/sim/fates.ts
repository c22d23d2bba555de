import type { Delivery } from "../core/effects.ts"
import type { RunReport } from "../core/inputs.ts"
import type { Options } from "../core/options.ts"
import type { RunRef, TaskId, TaskRow } from "../core/task.ts"
import type { Ambush } from "./ambush.ts"
import type { CallFate, CallKind } from "./calls.ts"
import type { Loop } from "./clock.ts"
import type { Dice } from "./dice.ts"
import type { FaultClass, FaultRates } from "./faults.ts"
import type { DeliveryFate } from "./parents.ts"
import type { SimServer } from "./server.ts"
import type { CrashKind } from "./threads.ts"
import type { TaskTruth } from "./truth.ts"

/** Where chance is thrown for what happens to single calls, reports, runs and messages. */
interface Fortune {
  readonly loop: Loop
  readonly dice: Dice
  readonly rates: FaultRates
  readonly server: SimServer
  readonly tasks: ReadonlyMap<TaskId, TaskTruth>
  readonly cutUntil: number
  readonly options: Options
  readonly strays: TaskTruth["calls"]
  happened: number
  readonly ambushes: Ambush[]
  strike(what: FaultClass, words?: string): void
}

/** The ambush that waits for this, if any; it is used up by it. */
function ambushed(world: Fortune, on: Ambush["on"]): Ambush["how"] | undefined {
  const ambush = world.ambushes.find((one) => one.on === on && one.times > 0)
  if (ambush === undefined) return undefined
  ambush.times--
  return ambush.how
}

/** A call as somebody wanted it to go. */
function wanted(how: Ambush["how"], ms: number): CallFate {
  switch (how) {
    case "slow":
      return { ms: 5_000, early: true }
    case "failed":
      return { ms, early: true, code: "SERVER_BUSY" }
    case "garbled":
      return { ms, early: true, code: "GARBLED", acted: true }
    case "lost":
      return { ms, early: true, code: "SERVER_TIMEOUT", acted: true }
    case "refused":
      return { ms, early: true, code: "SERVER_REJECTED" }
    case "unreachable":
      return { ms, early: true, code: "SERVER_UNREACHABLE" }
  }
}

/** What becomes of a call. */
export function callFate(world: Fortune, kind: CallKind, task: TaskTruth | undefined): CallFate {
  const { dice, rates, loop, server } = world
  world.happened++
  const calls = task?.calls ?? world.strays
  const n = (calls[kind] = (calls[kind] ?? 0) + 1)
  const of = task?.of ?? 0
  const luck = dice.unit(kind, of, n)
  // The same throw says how long it takes and which half of the time is spent on the way there.
  const ms = 1 + ((luck * 1_000) % 1) * (kind === "prompt" || kind === "create" ? 20 : 6)
  const early = (luck * 10_000) % 1 < 0.5
  const ambush = world.ambushes.length === 0 ? undefined : ambushed(world, kind)
  if (ambush !== undefined) return wanted(ambush, ms)
  if (loop.now < world.cutUntil) return { ms, early, code: "SERVER_UNREACHABLE" }
  // Whoever asks for nobody's task may ask for any directory.
  if (task === undefined ? server.reloading.size > 0 : server.reloading.has(task.spec.directory))
    return { ms, early, code: "RELOADING" }
  let below = 0
  const falls = (what: FaultClass): boolean => {
    const rate = rates[what]
    if (rate === undefined) return false
    below += rate
    return luck < below && luck >= below - rate
  }
  const of5 = dice.unit("fate", of, n)
  if (falls("call.slow")) {
    world.strike("call.slow", `${kind} is slow (task ${of})`)
    return { ms: 500 + of5 * 9_000, early }
  }
  if (falls("call.failed")) {
    world.strike("call.failed", `${kind} fails (task ${of})`)
    return { ms, early, code: "SERVER_BUSY" }
  }
  if (falls("call.garbled")) {
    world.strike("call.garbled", `${kind} is answered badly (task ${of})`)
    return { ms, early, code: "GARBLED", acted: of5 < 0.8 }
  }
  if (falls("call.lost")) {
    world.strike("call.lost", `the answer to ${kind} is lost (task ${of})`)
    return { ms: of5 < 0.5 ? ms : 8_000, early, code: of5 < 0.5 ? "SERVER_UNREACHABLE" : "SERVER_TIMEOUT", acted: true }
  }
  if (kind === "prompt" && falls("call.refused")) {
    world.strike("call.refused", `${kind} is refused (task ${of})`)
    return { ms, early, code: "SERVER_REJECTED" }
  }
  return { ms, early }
}

/** How a report gets to the coordinator. */
export function travelOf(
  world: Fortune,
  task: TaskTruth | undefined,
  report: RunReport,
): { ms: number; copies: number; overtakes: boolean } {
  const { dice, rates } = world
  if (task === undefined || !("report.delay" in rates || "report.duplicate" in rates || "report.reorder" in rates)) {
    return { ms: 0.3, copies: 1, overtakes: false }
  }
  const n = ++task.throws
  const delay = dice.chance(rates["report.delay"] ?? 0, "delay", task.of, n)
  const duplicate = dice.chance(rates["report.duplicate"] ?? 0, "duplicate", task.of, n)
  const sample = report.type === "snapshot" || report.type === "poll-failed"
  const reorder = sample && dice.chance(rates["report.reorder"] ?? 0, "reorder", task.of, n)
  if (delay) world.strike("report.delay", `${report.type} is late (task ${task.of})`)
  if (duplicate) world.strike("report.duplicate", `${report.type} comes twice (task ${task.of})`)
  if (reorder) world.strike("report.reorder", `${report.type} is overtaken (task ${task.of})`)
  // Samples carry no time of their own: one that comes later than another was made would be a lie about time.
  const longest = sample ? world.options.pollIntervalMs * 0.1 : 5_000
  const ms = delay || reorder ? dice.unit("late", task.of, n) * longest : 0.3
  return { ms, copies: duplicate ? 2 : 1, overtakes: reorder }
}

/** What becomes of the worker that took this run. */
export function doomOf(
  world: Fortune,
  task: TaskTruth | undefined,
  run: RunRef,
): { in: number; how: CrashKind | "spins" | "silent" } | undefined {
  const { dice, rates } = world
  if (task === undefined) return undefined
  const n = run.attempt
  const after = 20 + dice.unit("doom", task.of, n) ** 3 * 60_000
  if (dice.chance(rates["worker.crash"] ?? 0, "worker.crash", task.of, n)) {
    world.strike("worker.crash", `the worker of task ${task.of} will crash`)
    return { in: after, how: dice.pick<CrashKind>(["throws", "rejects", "exits"], "how", task.of, n) }
  }
  if (dice.chance(rates["worker.spin"] ?? 0, "worker.spin", task.of, n)) {
    world.strike("worker.spin", `the worker of task ${task.of} will spin`)
    return { in: after, how: "spins" }
  }
  if (dice.chance(rates["worker.silent"] ?? 0, "worker.silent", task.of, n)) {
    world.strike("worker.silent", `the worker of task ${task.of} will fall silent`)
    return { in: after, how: "silent" }
  }
  return undefined
}

export function journalFails(world: Fortune, rows: readonly TaskRow[]): boolean {
  if (ambushed(world, "journal") !== undefined) return true
  const [row] = rows
  const task = row === undefined ? undefined : world.tasks.get(row.id)
  const rate = world.rates["journal.fails"]
  if (rate === undefined || task === undefined) return false
  const fails = world.dice.chance(rate, "journal", task.of, ++task.throws)
  if (fails) world.strike("journal.fails", `the disk is full (task ${task.of})`)
  return fails
}

export function deliveryFate(world: Fortune, delivery: Delivery): DeliveryFate {
  const { dice, rates } = world
  const task = world.tasks.get(delivery.items[0]?.task ?? "")
  const of = task?.of ?? 0
  const n = task === undefined ? 0 : ++task.throws
  const ambush = ambushed(world, "delivery")
  if (ambush !== undefined) return { ms: 5, fails: ambush !== "lost", ackLost: ambush === "lost" }
  const fails = dice.chance(rates["parent.failing"] ?? 0, "failing", of, n)
  const ackLost = !fails && dice.chance(rates["parent.ackLost"] ?? 0, "ack", of, n)
  if (fails) world.strike("parent.failing", `${delivery.parent.sessionID} cannot be told`)
  if (ackLost) world.strike("parent.ackLost", `${delivery.parent.sessionID} was told, the answer is lost`)
  return { ms: 2 + dice.unit("delivery", of, n) * 20, fails, ackLost }
}
