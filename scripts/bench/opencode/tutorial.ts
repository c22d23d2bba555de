import type { Script } from "../../../src/cli/demo/scripted-model.ts"
import type { TestOpenCode } from "../../../test/helpers/opencode.ts"
import { scripted } from "../../../test/helpers/opencode.ts"
import { followEventLines } from "../../../test/helpers/server-events.ts"
import { AGENT } from "./population.ts"
import type { Runner, Settled } from "./runner.ts"

const POLL_MS = 2_000
const MIN_IDLE_MS = 5_000
const MIN_STABILITY_MS = 10_000
const STABLE_POLLS = 3

interface Watched {
  readonly sessionID: string
  readonly startedAt: number
  count: number
  stable: number
  nudges: number
  readonly end: (settled: Settled) => void
}

/**
 * The usual rule, as its tutorial describes it: an idle event counts once the task has run for 5 s, and is dropped before; a
 * poll every 2 s counts messages, and from 10 s on three equal counts in a row complete the task, busy or not. With open
 * TODOs it is asked to go on. An error event ends it.
 */
export async function tutorial(oc: TestOpenCode, limits: Readonly<Record<string, number>> = {}): Promise<Runner> {
  const { client } = oc
  const watched = new Map<string, Watched>()
  const slots = new Slots(limits)
  const end = (task: Watched, state: string, reason: string): void => {
    if (watched.delete(task.sessionID)) task.end({ state, reason, at: Date.now(), sessionID: task.sessionID })
  }
  /** Done, unless TODOs are open. */
  const candidate = async (task: Watched, reason: string): Promise<void> => {
    const { data: todos = [] } = await client.session.todo({ sessionID: task.sessionID })
    if (!todos.some(({ status }) => status === "pending" || status === "in_progress"))
      return end(task, "completed", reason)
    if (task.nudges++ < 2)
      await client.session.promptAsync({
        sessionID: task.sessionID,
        parts: [{ type: "text", text: "Continue: there are open TODOs." }],
      })
  }
  const poll = async (task: Watched): Promise<void> => {
    const { data: messages = [] } = await client.session.messages({ sessionID: task.sessionID })
    const same = messages.length === task.count
    task.count = messages.length
    if (Date.now() - task.startedAt < MIN_STABILITY_MS) return
    task.stable = same ? task.stable + 1 : 0
    if (task.stable >= STABLE_POLLS) await candidate(task, "STABLE")
  }
  let polling = false
  const timer = setInterval(() => {
    if (polling) return
    polling = true
    void Promise.allSettled([...watched.values()].map(poll)).then(() => (polling = false))
  }, POLL_MS)
  const events = await listen(oc, (type, sessionID) => {
    const task = watched.get(sessionID)
    if (task === undefined) return
    if (type === "error") end(task, "error", "SESSION_ERROR")
    else if (Date.now() - task.startedAt >= MIN_IDLE_MS) candidate(task, "IDLE").catch(() => {})
  })

  return {
    launch: async (script, model = "acme/fast") => {
      const [providerID = "", modelID = ""] = model.split("/")
      // oxlint-disable-next-line no-underscore-dangle -- held, not used
      await using _slot = await slots.take(providerID)
      const sessionID = await create(client)
      const settled = new Promise<Settled>((resolve) => {
        watched.set(sessionID, { sessionID, startedAt: Date.now(), count: -1, stable: 0, nudges: 0, end: resolve })
      })
      await client.session.promptAsync({
        sessionID,
        agent: AGENT,
        model: { providerID, modelID },
        parts: [{ type: "text", text: prompt(script) }],
      })
      return await settled
    },
    [Symbol.asyncDispose]: async () => {
      clearInterval(timer)
      await events[Symbol.asyncDispose]()
      for (const task of watched.values()) end(task, "lost", "never")
    },
  }
}

function prompt(script: Script): string {
  return scripted(`Play ${script.id}`, script)
}

async function create(client: TestOpenCode["client"]): Promise<string> {
  const { data } = await client.session.create({ title: "a task" })
  if (data === undefined) throw new Error("no session was made")
  return data.id
}

/** A counter and a queue for each provider. */
class Slots {
  readonly #limits: Readonly<Record<string, number>>
  readonly #used = new Map<string, number>()
  readonly #waiting = new Map<string, (() => void)[]>()

  constructor(limits: Readonly<Record<string, number>>) {
    this.#limits = limits
  }

  async take(provider: string): Promise<AsyncDisposable> {
    const used = this.#used.get(provider) ?? 0
    if (used < (this.#limits[provider] ?? Number.POSITIVE_INFINITY)) this.#used.set(provider, used + 1)
    else
      await new Promise<void>((resolve) =>
        this.#waiting.set(provider, [...(this.#waiting.get(provider) ?? []), resolve]),
      )
    return { [Symbol.asyncDispose]: async () => this.#give(provider) }
  }

  #give(provider: string): void {
    const next = this.#waiting.get(provider)?.shift()
    if (next === undefined) this.#used.set(provider, (this.#used.get(provider) ?? 1) - 1)
    else next()
  }
}

function listen(oc: TestOpenCode, on: (type: "idle" | "error", sessionID: string) => void): Promise<AsyncDisposable> {
  return followEventLines(oc, (line) => {
    const [, type, session] = /"type":"session\.(idle|error)","properties":\{"sessionID":"(ses_\w+)"/.exec(line) ?? []
    if (session !== undefined) on(type === "error" ? "error" : "idle", session)
  })
}
