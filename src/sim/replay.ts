import type { BareEvent, LaneEvent } from "../core/events.ts"
import { LanesError } from "../core/errors.ts"
import type { Input, Now } from "../core/inputs.ts"
import type { Options } from "../core/options.ts"
import { Core } from "../core/step.ts"

/** A recorded log: every input in order, with the time it was taken in. */
export interface InputLog {
  readonly options: Options
  readonly inputs: readonly { readonly input: Input; readonly now: Now }[]
}

/** What a log leads to. */
export interface Replayed {
  /** Everything that is said on the bus, in order, without stamps. */
  readonly events: readonly BareEvent[]
  /** Rows as they were last written. */
  readonly rows: ReadonlyMap<string, unknown>
  /** All effects of all steps. */
  readonly effects: number
}

/** Feeds a recorded log to a new core: the same inputs at the same times give the same effects, wherever they were recorded. */
export function replay(log: InputLog): Replayed {
  const core = new Core(log.options)
  const events: BareEvent[] = []
  const rows = new Map<string, unknown>()
  let effects = 0
  log.inputs.forEach(({ input, now }, i) => {
    const undone = log.inputs[i + 1]?.input.type === "refuse"
    for (const effect of stepped(core, input, now)) {
      effects++
      // What the journal did not take was never carried out.
      if (undone || input.type === "refuse") continue
      if (effect.type === "emit") events.push(effect.event)
      if (effect.type === "journal") rows.set(effect.row.id, effect.row)
      if (effect.type === "forget") rows.delete(effect.id)
    }
  })
  return { events, rows, effects }
}

/** Commands that were refused when they were recorded are refused again. */
function stepped(core: Core, input: Input, now: Now): ReturnType<Core["step"]> {
  try {
    return core.step(input, now)
  } catch (thrown) {
    if (thrown instanceof LanesError) return []
    throw thrown
  }
}

/** Where a replay first differs from what was said when it was recorded; undefined = nowhere. */
export function firstDifference(log: InputLog, said: readonly LaneEvent[]): string | undefined {
  const heard = said.filter(({ type }) => type !== "journal:error" && type !== "listener:error")
  const { events } = replay(log)
  for (const [i, event] of heard.entries()) {
    const { at: _at, seq: _seq, ...bare } = event
    if (JSON.stringify(bare) !== JSON.stringify(events[i])) {
      return `event ${i}: recorded was ${JSON.stringify(bare)}, the replay says ${JSON.stringify(events[i]) ?? "nothing"}`
    }
  }
  return undefined
}
