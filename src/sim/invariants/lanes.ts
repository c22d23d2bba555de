import type { LaneEvent } from "../../core/events.ts"
import type { Options } from "../../core/options.ts"
import type { Oracle } from "../truth.ts"

/** The lane of a model, worked out anew from the documentation. */
function laneFor(model: string | undefined, options: Options): string {
  const cut = model?.indexOf("/") ?? -1
  if (model === undefined || cut <= 0 || cut === model.length - 1) return "default"
  const known = Object.keys(options.modelConcurrency)
  if (known.includes(model) || known.includes(model.slice(cut + 1))) return `model:${model}`
  const provider = model.slice(0, cut)
  return Object.keys(options.providerConcurrency).includes(provider) ? `provider:${provider}` : "default"
}

function limitFor(lane: string, options: Options): number {
  if (lane === "default") return options.defaultConcurrency
  const name = lane.replace(/^(model|provider):/, "")
  const limit = lane.startsWith("provider:")
    ? options.providerConcurrency[name]
    : (options.modelConcurrency[name] ?? options.modelConcurrency[name.slice(name.indexOf("/") + 1)])
  return limit === undefined || limit === 0 ? Number.POSITIVE_INFINITY : limit
}

interface Count {
  held: number
  /** Waiting tasks by their place in the order of arrival; the place says who is next. */
  readonly waiting: Map<string, number>
}

/** 1, 6, 10, 21, 25: slots counted by what was said of them, against limits and an own queue. */
export const lanes: Oracle = (scene) => {
  const counts = new Map<string, Count>()
  const holds = new Map<string, string[]>()
  const arrivals = new Map<string, number>()
  /** Places of those that have had a slot: after a restart they go before what only waited, in whatever lane. */
  const ran = new Set<number>()
  const changed = new Set<string>()
  let arrived = 0
  /** What a crash found waiting, in order: it keeps its place, and so does what was running before. */
  let recovering = false
  let limiting = false
  const of = (lane: string): Count => {
    let count = counts.get(lane)
    if (count === undefined) counts.set(lane, (count = { held: 0, waiting: new Map() }))
    return count
  }
  const queued = (event: LaneEvent<"task:queued">): void => {
    const key = `${event.id}:${event.epoch}`
    const place = recovering ? (arrivals.get(key) ?? ++arrived) : ++arrived
    arrivals.set(key, place)
    // It may have had a slot of which only the disk was told.
    if (recovering && scene.disk.rows.get(event.id)?.startedAt !== undefined) ran.add(place)
    const expected = laneFor(event.model, scene.options)
    if (!recovering && event.lane !== expected) {
      scene.fail(1, `${event.id} waits in ${event.lane}, its model belongs to ${expected}`)
    }
    of(event.lane).waiting.set(event.id, place)
    changed.add(event.lane)
  }
  const granted = (event: LaneEvent<"lane:granted">): void => {
    const count = of(event.lane)
    const place = count.waiting.get(event.id)
    if (place === undefined) return scene.fail(1, `${event.id} got a slot of ${event.lane} without waiting for one`)
    count.waiting.delete(event.id)
    const [next] = count.waiting
    if (next !== undefined && next[1] < place && (!ran.has(place) || ran.has(next[1]))) {
      scene.fail(6, `${event.id} got a slot of ${event.lane} before ${next[0]}, which came earlier`)
    }
    ran.add(place)
    count.held++
    const limit = limitFor(event.lane, scene.options)
    if (count.held > limit) {
      scene.fail(limiting ? 25 : 1, `${count.held} slots of ${event.lane} are taken, its limit is ${limit}`)
    }
    holds.set(event.id, [...(holds.get(event.id) ?? []), event.lane])
    changed.add(event.lane)
  }
  const released = (event: LaneEvent<"lane:released">): void => {
    const held = holds.get(event.id)
    const at = held?.indexOf(event.lane) ?? -1
    if (held === undefined || at < 0) {
      return scene.fail(10, `${event.id} gave back a slot of ${event.lane} it did not hold`)
    }
    held.splice(at, 1)
    of(event.lane).held--
    changed.add(event.lane)
  }
  return {
    event(event) {
      if (event.type === "task:queued") queued(event)
      else if (event.type === "lane:granted") granted(event)
      else if (event.type === "lane:released") released(event)
      else if (event.type === "task:settled") {
        if (limiting) scene.fail(25, `a change of limits ended ${event.id}`)
        if (of(event.lane).waiting.delete(event.id)) changed.add(event.lane)
      }
    },
    input(type) {
      limiting = type === "limits"
      recovering = type === "recover"
    },
    limits() {
      for (const lane of counts.keys()) changed.add(lane)
    },
    settled() {
      limiting = false
      recovering = false
      if (changed.size === 0) return
      if (scene.coordinator !== undefined) {
        for (const lane of changed) {
          const { held, waiting } = of(lane)
          const limit = limitFor(lane, scene.options)
          if (waiting.size > 0 && held < limit) {
            scene.fail(21, `${waiting.size} task(s) wait in ${lane} although ${held} of ${limit} slots are taken`)
          }
        }
      }
      changed.clear()
    },
    crashed() {
      counts.clear()
      holds.clear()
      changed.clear()
    },
    quiet() {
      for (const [lane, { held, waiting }] of counts) {
        if (held > 0 || waiting.size > 0)
          scene.fail(10, `at rest ${held} slot(s) of ${lane} are taken and ${waiting.size} task(s) wait`)
      }
    },
  }
}
