/** The bus: order, isolation, and every way to stop listening. */
import { describe, expect, test } from "bun:test"
import { Bus } from "../../src/coordinator/bus.ts"
import type { BareEvent, LaneEvent } from "../../src/core/events.ts"
import { settled } from "../helpers/manual-clock.ts"

const started = (worker: string): BareEvent => ({ type: "worker:started", worker })
const limit = (n: number): BareEvent => ({ type: "lane:limit", lane: "default", limit: n })

function bus(): Bus {
  let now = 100
  return new Bus(() => now++)
}

describe("emit", () => {
  test("stamps every event, without gaps", () => {
    const { emit, heard } = listening()
    emit(limit(1))
    emit(started("w"))
    expect(heard.map(({ type, seq, at }) => [type, seq, at])).toEqual([
      ["lane:limit", 1, 100],
      ["worker:started", 2, 101],
    ])
  })

  test("an emit from within a listener comes after the current event has reached everybody", () => {
    const of = bus()
    const heard: string[] = []
    of.on("lane:limit", (event) => {
      heard.push(`first ${event.limit}`)
      if (event.limit === 1) of.emit(limit(2))
    })
    of.on("lane:limit", (event) => heard.push(`second ${event.limit}`))
    of.emit(limit(1))
    expect(heard).toEqual(["first 1", "second 1", "first 2", "second 2"])
  })

  test("a listener that throws or rejects stops nobody and is told", async () => {
    const { of, emit, heard } = listening()
    of.on("lane:limit", () => {
      throw new Error("thrown")
    })
    of.on("lane:limit", () => Promise.reject(new Error("rejected")))
    let reached = 0
    of.on("lane:limit", () => void reached++)
    emit(limit(1))
    await settled()
    expect(reached).toBe(1)
    expect(heard.filter((event) => event.type === "listener:error")).toMatchObject([
      { event: "lane:limit", message: "thrown" },
      { event: "lane:limit", message: "rejected" },
    ])
  })

  test("a listener of failures that fails itself is not told about it", async () => {
    const of = bus()
    let calls = 0
    of.on("*", () => {
      calls++
      throw new Error("always")
    })
    of.emit(limit(1))
    await settled()
    expect(calls).toBe(2)
  })
})

describe("on", () => {
  test("returns its undo, which holds at once", () => {
    const of = bus()
    const heard: string[] = []
    const undos: (() => void)[] = []
    of.on("lane:limit", () => {
      heard.push("first")
      for (const undo of undos) undo()
    })
    undos.push(of.on("lane:limit", () => heard.push("second")))
    of.emit(limit(1))
    of.emit(limit(2))
    expect(heard).toEqual(["first", "first"])
  })

  test("a signal ends it; one that is aborted already never begins", () => {
    const of = bus()
    const over = new AbortController()
    let heard = 0
    of.on("*", () => void heard++, { signal: over.signal })
    of.emit(limit(1))
    over.abort()
    of.emit(limit(2))
    of.on("*", () => void heard++, { signal: over.signal })
    of.emit(limit(3))
    expect(heard).toBe(1)
  })

  test("once hears one event, also when it emits another", () => {
    const of = bus()
    const heard: (number | null)[] = []
    of.once("lane:limit", (event) => {
      heard.push(event.limit)
      of.emit(limit(2))
    })
    of.emit(limit(1))
    expect(heard).toEqual([1])
  })
})

describe("waitFor", () => {
  test("resolves with the first event that fits", async () => {
    const of = bus()
    const waiting = of.waitFor("lane:limit", (event) => event.limit === 2)
    of.emit(limit(1))
    of.emit(limit(2))
    expect((await waiting).limit).toBe(2)
  })

  test("rejects with the signal's reason, before and meanwhile", async () => {
    const of = bus()
    const over = new AbortController()
    const waiting = of.waitFor("lane:limit", undefined, { signal: over.signal })
    over.abort(new Error("enough"))
    expect(waiting).rejects.toThrow("enough")
    expect(of.waitFor("lane:limit", undefined, { signal: over.signal })).rejects.toThrow("enough")
    await settled()
  })
})

describe("events", () => {
  test("hears from the call on, in order, until the signal is aborted", async () => {
    const of = bus()
    const over = new AbortController()
    const events = of.events({ signal: over.signal })
    of.emit(limit(1))
    of.emit(limit(2))
    const heard: number[] = []
    for await (const event of events) {
      heard.push(event.seq)
      if (event.seq === 2) of.emit(limit(3))
      if (event.seq === 3) over.abort()
    }
    expect(heard).toEqual([1, 2, 3])
  })

  test("a reader that waits is woken by the next event, and by the end", async () => {
    const of = bus()
    const over = new AbortController()
    const events = of.events({ signal: over.signal })
    const next = events.next()
    await settled()
    of.emit(limit(7))
    expect((await next).value).toMatchObject({ limit: 7 })
    const last = events.next()
    await settled()
    over.abort()
    expect((await last).done).toBe(true)
  })

  test("leaving the loop ends it; two readers do not share", async () => {
    const of = bus()
    const one = of.events()
    const two = of.events()
    of.emit(limit(1))
    for await (const event of one) {
      expect(event.seq).toBe(1)
      break
    }
    expect((await two.next()).value).toMatchObject({ seq: 1 })
    await two.return(undefined)
    expect((await one.next()).done).toBe(true)
  })
})

function listening(): { of: Bus; emit: (event: BareEvent) => void; heard: LaneEvent[] } {
  const of = bus()
  const heard: LaneEvent[] = []
  of.on("*", (event) => heard.push(event))
  return { of, emit: (event) => void of.emit(event), heard }
}
