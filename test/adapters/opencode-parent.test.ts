import { expect, test } from "bun:test"

import { OpencodeParent } from "../../src/adapters/opencode-parent.ts"
import type { Transport, WireRequest } from "../../src/coordinator/ports.ts"
import type { Delivery } from "../../src/core/effects.ts"
import { SystemClock } from "../../src/adapters/system-clock.ts"
import { rowOf } from "../helpers/rows.ts"

interface Message {
  id: string
  role: string
  agent?: string
  parentID?: string
  model?: { providerID: string; modelID: string; variant?: string }
  time?: { created: number }
}

/** A server with one conversation; `act` sees each request first and may answer or throw. */
function conversation(act: (request: WireRequest, n: number) => number | void = () => {}) {
  const messages: Message[] = [{ id: "msg_000000000001aaaaaaaaaaaaaa", role: "user", agent: "plan" }]
  const sent: { path: string; body: Record<string, unknown> }[] = []
  let busy = false
  let n = 0
  const transport: Transport = {
    async fetch(request) {
      const path = request.path.split("?")[0] ?? ""
      const failed = act(request, (n += 1))
      if (typeof failed === "number") return { status: failed, headers: {}, body: "{}" }
      if (path === "/session/status")
        return { status: 200, headers: {}, body: JSON.stringify(busy ? { ses_1: { type: "busy" } } : {}) }
      if (request.method === "POST") {
        const body = JSON.parse(request.body ?? "") as { messageID: string; agent?: string }
        sent.push({ path, body: { ...body } })
        if (!messages.some(({ id }) => id === body.messageID)) {
          messages.push({
            id: body.messageID,
            role: "user",
            ...(body.agent === undefined ? {} : { agent: body.agent }),
          })
        }
        return { status: 200, headers: {}, body: "{}" }
      }
      const all = messages.map((info) => ({ info, parts: [] }))
      const one = /\/message\/(.+)$/.exec(path)?.[1]
      const limit = Number(new URL(request.path, "http://x").searchParams.get("limit") ?? 0)
      const body = one === undefined ? all.slice(-limit) : all.find(({ info }) => info.id === one)
      return { status: body === undefined ? 404 : 200, headers: {}, body: JSON.stringify(body ?? {}) }
    },
  }
  return { transport, messages, sent, setBusy: (value: boolean) => (busy = value) }
}

const delivery = (wake: boolean): Delivery => ({
  parent: { sessionID: "ses_1", batch: "b", agent: "build", model: "acme/fast" },
  directory: "/x",
  items: [
    { task: "bg_1", epoch: 1, tail: "AAAAAAAAAAAAAA" },
    { task: "bg_2", epoch: 1, tail: "BBBBBBBBBBBBBB" },
  ],
  wake,
})

function parentOn(transport: Transport, clock: SystemClock, ring: Set<() => void> = new Set()): OpencodeParent {
  return new OpencodeParent({
    transport,
    clock,
    text: ({ task }) => task,
    onIdle: (_id, callback) => {
      ring.add(callback)
      return () => ring.delete(callback)
    },
  })
}

const patient = new AbortController().signal

test("what starts no turn lets others go first, what does is not held up", async () => {
  using clock = new SystemClock()
  const { transport, sent } = conversation()
  let asked = 0
  const { promise, resolve } = Promise.withResolvers<void>()
  const letPass = (): Promise<void> => {
    asked += 1
    return promise
  }
  const parent = new OpencodeParent({ transport, clock, text: ({ task }) => task, onIdle: () => () => {}, letPass })
  await parent.deliver(delivery(true), [], patient)
  expect([sent.length, asked]).toEqual([2, 0])
  const other = conversation()
  const polite = new OpencodeParent({
    transport: other.transport,
    clock,
    text: ({ task }) => task,
    onIdle: () => () => {},
    letPass,
  })
  const told = polite.deliver(delivery(false), [], patient)
  await Bun.sleep(0)
  expect([other.sent.length, asked]).toEqual([0, 1])
  resolve()
  expect(await told).toHaveLength(2)
}, 10_000)

test("each item is one message, the last with a turn, in the conversation's agent and the task's model", async () => {
  using clock = new SystemClock()
  const { transport, sent } = conversation()
  const proofs = await parentOn(transport, clock).deliver(delivery(true), [], patient)
  expect(sent.map(({ path }) => path)).toEqual(["/session/ses_1/message", "/session/ses_1/prompt_async"])
  expect(sent.map(({ body }) => [body["messageID"], body["agent"], body["noReply"]])).toEqual([
    [proofs[0], "plan", true],
    [proofs[1], "plan", undefined],
  ])
  expect(sent[0]?.body["model"]).toEqual({ providerID: "acme", modelID: "fast" })
  expect(proofs.map((id) => id.slice(-14))).toEqual(["AAAAAAAAAAAAAA", "BBBBBBBBBBBBBB"])
})

test("what is there already is not written again, but a turn nobody answered starts", async () => {
  using clock = new SystemClock()
  const { transport, sent, messages } = conversation()
  messages.push(
    { id: "msg_000000000002AAAAAAAAAAAAAA", role: "user" },
    { id: "msg_000000000003BBBBBBBBBBBBBB", role: "user" },
  )
  const parent = parentOn(transport, clock)
  await parent.deliver(delivery(true), [], patient)
  expect(sent.map(({ body }) => body["messageID"])).toEqual(["msg_000000000003BBBBBBBBBBBBBB"])
  messages.push({ id: "msg_000000000004cccccccccccccc", role: "assistant", parentID: "msg_000000000003BBBBBBBBBBBBBB" })
  sent.length = 0
  expect(await parent.deliver(delivery(true), [], patient)).toHaveLength(2)
  expect(sent).toEqual([])
})

test("after a restart what lies far back is found, as far as the first end it tells of", async () => {
  using clock = new SystemClock()
  const { transport, sent, messages } = conversation()
  const now = Date.now()
  const rows = [rowOf({ id: "bg_1", settledAt: now - 60_000 }), rowOf({ id: "bg_2", settledAt: now - 30_000 })]
  messages.push(
    { id: "msg_000000000002AAAAAAAAAAAAAA", role: "user", time: { created: now - 50_000 } },
    { id: "msg_000000000003BBBBBBBBBBBBBB", role: "user", agent: "plan", time: { created: now - 20_000 } },
    { id: "msg_000000000004cccccccccccccc", role: "assistant", parentID: "msg_000000000003BBBBBBBBBBBBBB" },
  )
  for (let n = 0; n < 200; n++)
    messages.push({ id: `msg_0000000001${String(n).padStart(3, "0")}x`, role: "assistant", time: { created: now } })
  await parentOn(transport, clock)
    .deliver(delivery(true), rows, patient)
    .catch(() => {})
  expect(sent).toEqual([])
}, 20_000)

test("after a long turn it goes on with the agent, model and variant of its question", async () => {
  using clock = new SystemClock()
  const { transport, sent, messages } = conversation()
  const model = { providerID: "globex", modelID: "large", variant: "high" }
  messages.push({ id: "msg_000000000002qqqqqqqqqqqqqq", role: "user", agent: "build", model })
  for (let n = 0; n < 100; n++)
    messages.push({
      id: `msg_000000000003${String(n).padStart(3, "0")}x`,
      role: "assistant",
      parentID: "msg_000000000002qqqqqqqqqqqqqq",
    })
  await parentOn(transport, clock).deliver(delivery(true), [], patient)
  expect(sent.map(({ body }) => [body["agent"], body["model"], body["variant"]])).toEqual(
    Array.from({ length: 2 }, () => ["build", { providerID: "globex", modelID: "large" }, "high"]),
  )
})

test("a message whose answer was lost keeps its id when it is sent again", async () => {
  using clock = new SystemClock()
  const ids: unknown[] = []
  let lose = true
  const { transport } = conversation((request) => {
    if (request.method !== "POST") return undefined
    ids.push((JSON.parse(request.body ?? "") as { messageID: string }).messageID)
    if (!lose) return undefined
    lose = false
    return 503
  })
  const parent = parentOn(transport, clock)
  expect(parent.deliver(delivery(false), [], patient)).rejects.toMatchObject({ code: "SERVER_BUSY" })
  await Bun.sleep(0)
  await parent.deliver(delivery(false), [], patient)
  expect(ids[1]).toBe(ids[0])
})

test("nothing is written while the conversation is at work; the host's word that it is idle is heard at once", async () => {
  using clock = new SystemClock()
  const { transport, sent, setBusy } = conversation()
  setBusy(true)
  const ring = new Set<() => void>()
  const delivering = parentOn(transport, clock, ring).deliver(delivery(true), [], patient)
  await Bun.sleep(50)
  expect(sent).toEqual([])
  setBusy(false)
  const from = performance.now()
  for (const callback of ring) callback()
  expect(await delivering).toHaveLength(2)
  expect(performance.now() - from).toBeLessThan(500)
  expect(ring.size).toBe(0)
})

test("somebody who writes while the conversation is read, or between two messages, is not interrupted", async () => {
  using clock = new SystemClock()
  const ring = new Set<() => void>()
  for (const at of ["reading", "sending"]) {
    let wrote = false
    const { transport, sent, setBusy } = conversation(({ method, path }) => {
      const reads = method === "GET" && path.includes("/message")
      if (wrote || (at === "reading" ? !reads : method !== "POST")) return
      wrote = true
      setBusy(true)
    })
    const told = parentOn(transport, clock, ring).deliver(delivery(true), [], patient)
    while (!wrote || ring.size === 0) await Bun.sleep(1)
    expect(sent).toHaveLength(at === "reading" ? 0 : 1)
    setBusy(false)
    for (const callback of ring) callback()
    expect(await told).toHaveLength(2)
    expect(sent.map(({ path }) => path)).toEqual(["/session/ses_1/message", "/session/ses_1/prompt_async"])
  }
}, 10_000)

test("a delivery called back stops waiting, a conversation that is gone is told as such", async () => {
  using clock = new SystemClock()
  const { transport, setBusy } = conversation()
  setBusy(true)
  const back = new AbortController()
  const delivering = parentOn(transport, clock).deliver(delivery(true), [], back.signal)
  delivering.catch(() => {})
  await Bun.sleep(20)
  back.abort()
  expect(delivering).rejects.toBeDefined()
  const gone = conversation((request) => (request.path.includes("/message") ? 404 : undefined))
  expect(parentOn(gone.transport, clock).deliver(delivery(true), [], patient)).rejects.toMatchObject({
    code: "NOT_FOUND",
  })
  await delivering.catch(() => {})
})
