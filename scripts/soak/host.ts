/**
 * A program with lanes in it, made to be killed. Its argument says where; each line of its input is an order, each line
 * of its output a fact: what it has said it had acknowledged.
 */

import { createInterface } from "node:readline"

import { OpencodeParent } from "../../src/adapters/opencode-parent.ts"
import { compose } from "../../src/compose.ts"
import type { HostFact, HostOptions, HostOrder } from "./host-words.ts"

const options = JSON.parse(process.argv[2] ?? "{}") as HostOptions

function say(fact: HostFact): void {
  process.stdout.write(`${JSON.stringify(fact)}\n`)
}

const start = performance.now()
const { lanes, coordinator } = await compose({
  server: options.url,
  password: options.password,
  directory: options.directory,
  configFiles: false,
  journal: options.folder === undefined ? "memory" : { folder: options.folder },
  config: { pollIntervalMs: 500, ...options.config },
  log: (message) => process.stderr.write(`${message}\n`),
  parent: ({ transport, clock }) =>
    new OpencodeParent({
      transport,
      clock,
      text: ({ task, epoch }) => `told ${task} ${epoch}`,
      onIdle: () => () => {},
    }),
})
say({ type: "ready", ms: performance.now() - start, tasks: lanes.list().length })
lanes.on("task:settled", ({ id, epoch, outcome }) =>
  say({ type: "settled", id, epoch, state: outcome.state, reason: outcome.reason }),
)
lanes.on("journal:error", ({ message }) => process.stderr.write(`${message}\n`))

async function obey(order: HostOrder): Promise<void> {
  switch (order.type) {
    case "launch": {
      const { script, prompt, parent, directory } = order
      const from = parent === undefined ? {} : { parent: { sessionID: parent, batch: script, agent: "build" } }
      const at = directory === undefined ? {} : { directory }
      const { id } = await lanes.launch({ prompt, description: script, agent: "general", ...from, ...at })
      return say({ type: "launched", script, id })
    }
    case "continue": {
      const { epoch } = await lanes.continue(order.id, order.prompt)
      return say({ type: "continued", id: order.id, script: order.script, epoch })
    }
    case "cancel":
      lanes.cancel(order.id)
      return say({ type: "cancelled", id: order.id })
    case "rows":
      return say({ type: "rows", rows: lanes.list() })
    case "sizes": {
      const { rss, heapUsed } = process.memoryUsage()
      return say({ type: "sizes", rss, heapUsed, sizes: coordinator.sizes() })
    }
    case "close":
      await lanes.close()
      return say({ type: "closed" })
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const order = JSON.parse(line) as HostOrder
  obey(order).catch((thrown: unknown) => say({ type: "refused", order, message: String(thrown) }))
}
