/** One coordinator with so many running tasks, in a process of its own: `subject.ts <way> <tasks>` prints JSON. */

import { basicAuth } from "../../../src/adapters/opencode-server.ts"
import { createLanes } from "../../../src/index.ts"
import { scripted } from "../../../test/helpers/opencode.ts"
import { quantile } from "../harness/stats.ts"

const WINDOW_MS = 8_000
const [way = "pool", tasks = "1", url = "", password = "", directory = ""] = process.argv.slice(2)
const n = Number(tasks)

const count = { requests: 0, bytes: 0 }
const counted = {
  _client: {
    getConfig: () => ({
      baseUrl: url,
      headers: { authorization: basicAuth(password) },
      fetch: async (request: Request) => {
        const response = await fetch(request)
        if (new URL(request.url).pathname === "/event") return response
        const body = await response.arrayBuffer()
        count.requests++
        count.bytes += body.byteLength
        return new Response(response.status === 204 ? null : body, response)
      },
    }),
  },
}

const before = process.memoryUsage().rss
await using lanes = await createLanes({
  server: counted,
  directory,
  configFiles: false,
  journal: "memory",
  ...(way === "in-process" ? { threads: "inline" } : {}),
  config: { defaultConcurrency: 1_000, maxQueued: 1_000, isolation: way === "worker per task" ? "task" : "pool" },
})
const polled = new Set<string>()
const all = Promise.withResolvers<void>()
lanes.on("task:snapshot", ({ id }) => {
  polled.add(id)
  if (polled.size === n) all.resolve()
})
const begun = performance.now()
const script = { turns: [{ stream: { chunks: 300, everyMs: 1_000 } }] }
for (let i = 0; i < n; i++)
  await lanes.launch({ agent: "general", prompt: scripted(`Stream ${i}`, { id: `${way}-${n}-${i}`, ...script }) })
await Promise.race([all.promise, Bun.sleep(75_000)])
const startMs = performance.now() - begun

const delays: number[] = []
let due = performance.now() + 10
let rss = 0
const timer = setInterval(() => {
  const now = performance.now()
  delays.push(Math.max(0, now - due))
  due = now + 10
  if (delays.length % 20 === 0) rss = Math.max(rss, process.memoryUsage().rss)
}, 10)
const from = { ...count }
const cpu = process.cpuUsage()
await Bun.sleep(WINDOW_MS)
const { user, system } = process.cpuUsage(cpu)
clearInterval(timer)
const running = lanes.list().filter(({ state }) => state === "running").length

process.stdout.write(
  `${JSON.stringify({
    polled: polled.size,
    running,
    startMs,
    cpuPercent: (user + system) / 10 / WINDOW_MS,
    memoryMb: (Math.max(rss, process.memoryUsage().rss) - before) / 1e6,
    requests: ((count.requests - from.requests) / WINDOW_MS) * 1_000,
    bytes: ((count.bytes - from.bytes) / WINDOW_MS) * 1_000,
    lagP50: quantile(delays, 0.5),
    lagP99: quantile(delays, 0.99),
  })}\n`,
)
await lanes.close()
process.exit(0)
