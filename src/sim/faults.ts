import { LanesError } from "../core/errors.ts"
import { Dice } from "./dice.ts"

/** Every kind of fault, and how often it strikes when it is switched on: per call, run, task, message or simulation. */
const CLASSES = {
  "call.slow": 0.03,
  "call.failed": 0.03,
  "call.garbled": 0.02,
  "call.lost": 0.03,
  "call.refused": 0.01,
  "events.dropped": 0.5,
  "events.stalled": 0.5,
  "events.never": 1,
  "server.restart": 0.6,
  "server.cut": 0.6,
  "server.dispose": 0.5,
  "session.deleted": 0.04,
  "worker.crash": 0.06,
  "worker.spin": 0.03,
  "worker.silent": 0.03,
  "report.delay": 0.05,
  "report.duplicate": 0.05,
  "report.reorder": 0.05,
  "coordinator.crash": 1,
  "host.crash": 0.7,
  "machine.sleep": 0.6,
  "wall.jump": 0.6,
  "journal.fails": 0.01,
  "parent.busy": 0.4,
  "parent.failing": 0.1,
  "parent.deleted": 0.05,
  "parent.ackLost": 0.1,
  "user.cancel": 0.06,
  "user.continue": 0.06,
  "user.followUp": 0.05,
  "user.limits": 0.6,
  "agent.odd": 0.35,
  "agent.unknown": 0.03,
} as const

export type FaultClass = keyof typeof CLASSES
export const FAULT_CLASSES: readonly FaultClass[] = Object.keys(CLASSES) as FaultClass[]

/** Which faults strike, and how often. */
export type FaultRates = Readonly<Partial<Record<FaultClass, number>>>

/** The faults of a simulation, chosen by its seed. */
export type FaultPlan = (seed: number) => FaultRates

/** Plans of faults. */
export const faults = {
  /** None at all. */
  none: (): FaultPlan => () => ({}),
  /** All of them, at their usual rates times `scale`. */
  all:
    (scale = 1): FaultPlan =>
    () =>
      scaled(FAULT_CLASSES, scale),
  /** These alone; refuses a name that is none. */
  only: (...classes: FaultClass[]): FaultPlan => {
    checkNames(classes)
    return () => scaled(classes, 1)
  },
  /** Another set for each seed: what a fixed set never meets, some swarm does. */
  swarm: (from: readonly FaultClass[] = FAULT_CLASSES): FaultPlan => {
    checkNames(from)
    return (seed) => {
      const dice = new Dice(seed)
      const share = dice.pick([0, 0.15, 0.3, 0.5, 0.8], "swarm", 0)
      const rates: Partial<Record<FaultClass, number>> = {}
      from.forEach((name, i) => {
        if (dice.chance(share, "swarm", 1, i))
          rates[name] = Math.min(1, CLASSES[name] * dice.pick([0.3, 1, 1, 3], "swarm", 2, i))
      })
      return rates
    }
  },
}

/** The same plan without some classes. */
export function without(rates: FaultRates, classes: readonly FaultClass[]): FaultRates {
  return Object.fromEntries(Object.entries(rates).filter(([name]) => !classes.includes(name as FaultClass)))
}

function scaled(classes: readonly FaultClass[], scale: number): FaultRates {
  return Object.fromEntries(classes.map((name) => [name, Math.min(1, CLASSES[name] * scale)]))
}

/** Rates as they are; refuses a name that is none, and what is no probability. */
export function checkRates(rates: FaultRates): FaultRates {
  checkNames(Object.keys(rates))
  for (const [name, rate] of Object.entries(rates)) {
    if (!(rate >= 0 && rate <= 1))
      throw new LanesError("INVALID_INPUT", `Expected the rate of ${name} from 0 to 1, got ${String(rate)}.`)
  }
  return rates
}

function checkNames(names: readonly string[]): void {
  const strange = names.find((name) => !Object.hasOwn(CLASSES, name))
  if (strange === undefined) return
  const hint = `There are: ${FAULT_CLASSES.join(", ")}.`
  throw new LanesError("INVALID_INPUT", `There is no fault "${strange}".`, hint)
}
