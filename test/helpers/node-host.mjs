/**
 * A host that runs plugins in Node, as a desktop application does: loads the packed plugin, hands it a client of a running
 * server and the server's events, calls its tools, and leaves. Says what came of it as one line of JSON.
 */
import { createOpencodeClient } from "@opencode-ai/sdk/client"

const { PLUGIN, URL: baseUrl, AUTH, DIRECTORY, SESSION, CALLS } = process.env
const SHARED = ["SIGINT", "SIGTERM", "SIGHUP", "exit", "beforeExit", "uncaughtException", "unhandledRejection"]
const handlers = () => SHARED.map((name) => process.listenerCount(name)).join()
const before = handlers()
const { default: plugin } = await import(PLUGIN)
const client = createOpencodeClient({ baseUrl, directory: DIRECTORY, headers: { authorization: AUTH } })
const hooks = await plugin.server({ client, directory: DIRECTORY, worktree: DIRECTORY })
const config = {}
await hooks.config(config)

const listening = new AbortController()
const { stream } = await client.event.subscribe({ signal: listening.signal })
const events = (async () => {
  for await (const event of stream) await hooks.event({ event })
})().catch(() => {})

/** Until the conversation holds so many messages of the plugin's. */
async function told(notices) {
  for (;;) {
    const { data } = await client.session.messages({ path: { id: SESSION } })
    const ours = data.filter(({ info, parts }) => info.role === "user" && parts.every(({ synthetic }) => synthetic))
    if (ours.length >= notices) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

const answers = []
let shown = 0
for (const [tool, args] of JSON.parse(CALLS)) {
  if (tool === "(told)") {
    await told(args.notices)
    continue
  }
  const task = /bg_[0-9a-z]{8}/.exec(answers.join("\n"))?.[0]
  const given = Object.fromEntries(
    Object.entries(args).map(([key, value]) => [key, value === "{{task}}" ? task : value]),
  )
  const call = {
    sessionID: SESSION,
    messageID: "msg_000000000001hostofplugins0",
    agent: "build",
    abort: new AbortController().signal,
    metadata: () => (shown += 1),
  }
  const answer = await hooks.tool[tool].execute(given, call)
  answers.push(typeof answer === "string" ? answer : answer.output)
}
const untouched = handlers() === before
await hooks.dispose()
listening.abort()
await events
process.stdout.write(
  JSON.stringify({ answers, shown, untouched, agents: Object.keys(config.agent ?? {}), node: process.version }),
)
