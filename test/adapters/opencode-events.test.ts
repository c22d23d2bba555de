import { afterEach, describe, expect, test } from "bun:test"

import { opencodeEvents } from "../../src/adapters/opencode-events.ts"
import type { Undo } from "../../src/coordinator/ports.ts"
import { LanesError } from "../../src/core/errors.ts"
import { ManualClock } from "../helpers/manual-clock.ts"

const undos: Undo[] = []
afterEach(() => {
  for (const undo of undos.splice(0)) undo()
})

/** One connection, as the server's end sees it. */
interface Connection {
  readonly path: string
  readonly signal: AbortSignal
  readonly send: (text: string) => void
  readonly end: () => void
}

/** A server of events under control, and a listener's notes. */
function scene(accept: (nth: number) => "stream" | "refuse" | "page" | "hang" = () => "stream") {
  const clock = new ManualClock()
  const connections: Connection[] = []
  const notes: string[] = []
  const open = (path: string, signal: AbortSignal): Promise<Response> => {
    let out: ReadableStreamDefaultController<Uint8Array> | undefined
    const body = new ReadableStream<Uint8Array>({ start: (controller) => void (out = controller) })
    const send = (text: string): void => out?.enqueue(new TextEncoder().encode(text))
    connections.push({ path, signal, send, end: () => out?.close() })
    const answer = accept(connections.length)
    if (answer === "refuse") return Promise.reject(new LanesError("SERVER_UNREACHABLE", "Nobody is there."))
    if (answer === "hang")
      return new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error)))
    const type = answer === "page" ? "text/html" : "text/event-stream"
    return Promise.resolve(new Response(body, { headers: { "content-type": type } }))
  }
  const undo = opencodeEvents({ transport: { open }, clock }).follow("/a b", {
    hint: (sessionID, hint) => notes.push(`${sessionID} ${hint.type}`),
    alive: (alive) => notes.push(alive ? "alive" : "silent"),
    disposed: () => notes.push("disposed"),
  })
  undos.push(undo)
  return { clock, connections, notes, undo }
}

const event = (type: string, properties: object = {}): string =>
  `data: ${JSON.stringify({ id: "evt_1", type, properties })}\n\n`
const connected = event("server.connected")
const idle = (sessionID: string): string => event("session.idle", { sessionID })

/** Lets everything that is ready happen. */
async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve))
}

/** The nth connection, once it is there. */
async function connection(connections: readonly Connection[], nth: number): Promise<Connection> {
  await settle()
  const found = connections[nth - 1]
  if (found === undefined) throw new Error(`There are only ${connections.length} connections.`)
  return found
}

describe("a stream of events", () => {
  test("is opened for its directory, is alive with its first event, and turns events into hints", async () => {
    const { connections, notes } = scene()
    const { path, send } = await connection(connections, 1)
    expect(path).toBe("/event?directory=%2Fa%20b")
    expect(notes).toEqual([])
    send(connected)
    send(idle("ses_1"))
    await settle()
    expect(notes).toEqual(["alive", "ses_1 idle"])
  })

  test("takes events in pieces, several at once, and what is not JSON", async () => {
    const { connections, notes } = scene()
    const { send } = await connection(connections, 1)
    const text = connected + "data: {half\n\n: comment\n\n" + idle("ses_ä")
    for (const letter of text.slice(0, 90)) send(letter)
    send(text.slice(90) + idle("ses_2"))
    await settle()
    expect(notes).toEqual(["alive", "ses_ä idle", "ses_2 idle"])
  })

  test("that ends is opened again after a pause, and tells both", async () => {
    const { clock, connections, notes } = scene()
    const first = await connection(connections, 1)
    first.send(connected)
    await settle()
    first.end()
    await settle()
    expect(notes).toEqual(["alive", "silent"])
    expect(connections).toHaveLength(1)
    clock.advance(500)
    const second = await connection(connections, 2)
    second.send(connected)
    await settle()
    expect(notes).toEqual(["alive", "silent", "alive"])
  })

  test("that is silent for 25 s is dead; with a heart-beat every 10 s it lives", async () => {
    const { clock, connections, notes } = scene()
    const first = await connection(connections, 1)
    first.send(connected)
    await settle()
    for (let beat = 0; beat < 6; beat++) {
      clock.advance(10_000)
      first.send(event("server.heartbeat"))
      await settle()
    }
    expect(notes).toEqual(["alive"])
    clock.advance(24_000)
    await settle()
    expect(notes).toEqual(["alive"])
    clock.advance(2_000)
    await settle()
    expect(notes).toEqual(["alive", "silent"])
    expect(first.signal.aborted).toBe(true)
    clock.advance(500)
    expect((await connection(connections, 2)).path).toBe(first.path)
  })

  test("that is never answered is given up like a silent one", async () => {
    const { clock, connections, notes } = scene((nth) => (nth === 1 ? "hang" : "stream"))
    await connection(connections, 1)
    clock.advance(25_000)
    await settle()
    clock.advance(500)
    const second = await connection(connections, 2)
    second.send(connected)
    await settle()
    expect(notes).toEqual(["alive"])
  })

  test.each([["refuse"], ["page"]] as const)(
    "that cannot be had (%s) is asked for ever more rarely",
    async (answer) => {
      const { clock, connections, notes } = scene(() => answer)
      const pauses = [500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000]
      for (const [tried, pause] of pauses.entries()) {
        await settle()
        clock.advance(pause - 1)
        await settle()
        expect(connections).toHaveLength(tried + 1)
        clock.advance(1)
        await settle()
        expect(connections).toHaveLength(tried + 2)
      }
      expect(notes).toEqual([])
    },
  )

  test("tells a disposal of its directory alone, once for each", async () => {
    const { connections, notes } = scene()
    const { send } = await connection(connections, 1)
    send(connected)
    send(event("server.instance.disposed", { directory: "/other" }))
    send(event("server.instance.disposed", { directory: "/a b" }))
    await settle()
    expect(notes).toEqual(["alive", "disposed"])
  })

  test("says nothing after it was undone, and leaves nothing behind", async () => {
    const { clock, connections, notes, undo } = scene()
    const { send, signal } = await connection(connections, 1)
    send(connected)
    await settle()
    send(idle("ses_1"))
    undo()
    await settle()
    expect(notes).toEqual(["alive"])
    expect(signal.aborted).toBe(true)
    expect(clock.pending).toBe(0)
    clock.advance(60_000)
    await settle()
    expect(connections).toHaveLength(1)
  })

  test("undone while it pauses, is not opened again", async () => {
    const { clock, connections, undo } = scene(() => "refuse")
    await settle()
    undo()
    await settle()
    clock.advance(60_000)
    await settle()
    expect(connections).toHaveLength(1)
    expect(clock.pending).toBe(0)
  })
})
