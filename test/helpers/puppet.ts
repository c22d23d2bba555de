import type { SessionApi } from "../../src/coordinator/ports.ts"
import { LanesError } from "../../src/core/errors.ts"
import type { RunReport } from "../../src/core/inputs.ts"
import type { Prompt, RunRef } from "../../src/core/task.ts"
import type { CarriedFetch } from "../../workers/link.ts"
import type { Role } from "../../workers/role.ts"

/** What a puppet knows: its run, its voice and its way to the server. */
interface Strings {
  readonly run: RunRef
  readonly fetch: CarriedFetch
  readonly say: (message: string) => void
  readonly report: (report: RunReport) => void
}

const port = globalThis as unknown as { postMessage(message: unknown): void }

/** What a prompt `!verb rest` makes a puppet do. */
const VERBS: Readonly<Record<string, (strings: Strings, rest: string) => void>> = {
  count: ({ say }, rest) => {
    for (let n = 0; n < Number(rest); n += 1) say(String(n))
  },
  throw: (_strings, rest) =>
    void setTimeout(() => {
      throw new Error(rest)
    }, 0),
  "count-throw": ({ say }, rest) => {
    for (let n = 0; n < Number(rest); n += 1) say(String(n))
    setTimeout(() => {
      throw new Error("after counting")
    }, 0)
  },
  reject: (_strings, rest) => void Promise.reject(new Error(rest)),
  exit: (_strings, rest) => process.exit(Number(rest)),
  spin: () => {
    for (;;);
  },
  flood: ({ say }) => {
    for (;;) say("flood")
  },
  post: (_strings, rest) => port.postMessage(JSON.parse(rest)),
  cycle: () => {
    const loop: { self?: unknown } = {}
    loop.self = loop
    port.postMessage(loop)
  },
  heavy: ({ say }, rest) => say("x".repeat(Number(rest))),
  hoard: ({ say }, rest) => {
    hoard.push(Array.from({ length: Number(rest) }, (_, n) => ({ n })))
    say("hoarded")
  },
  env: ({ say }, rest) => say(String(process.env[rest])),
  as: ({ run, report }, rest) =>
    report({
      type: "poll-failed",
      run: { ...run, attempt: Number(rest) },
      seq: 0,
      failure: "refused",
      message: "late",
    }),
  fetch: (strings, rest) => {
    const [method = "", path = ""] = rest.split(" ")
    tell(strings, strings.fetch(strings.run, { method, path, headers: {} }))
  },
  "fetch-as": (strings, rest) => {
    const [attempt, method = "", path = ""] = rest.split(" ")
    tell(strings, strings.fetch({ ...strings.run, attempt: Number(attempt) }, { method, path, headers: {} }))
  },
  "fetch-shared": (strings, rest) => {
    const [method = "", path = ""] = rest.split(" ")
    tell(strings, strings.fetch(undefined, { method, path, headers: {} }))
  },
  "fetch-forgo": (strings, rest) => {
    const giveUp = new AbortController()
    tell(strings, strings.fetch(strings.run, { method: "GET", path: rest, headers: {} }, giveUp.signal))
    setTimeout(() => giveUp.abort(new LanesError("SERVER_TIMEOUT", "Enough.")), 5)
  },
  /** So many requests one after another; tells how long one took, in µs. */
  measure: (strings, rest) => void measure(strings, Number(rest)),
}

const hoard: unknown[] = []

function tell({ say }: Strings, answer: ReturnType<CarriedFetch>): void {
  answer.then(
    ({ status, body }) => say(`${status} ${body.slice(0, 100)}`),
    (thrown: unknown) => say(thrown instanceof LanesError ? thrown.code : `not ours: ${String(thrown)}`),
  )
}

async function measure({ fetch, run, say }: Strings, times: number): Promise<void> {
  const begun = performance.now()
  for (let n = 0; n < times; n += 1) await fetch(run, { method: "GET", path: "/measure", headers: {} })
  say(String(((performance.now() - begun) / times) * 1_000))
}

/**
 * A run that does what it is told: reports its session, accepts each prompt, stops when told to, and before that carries
 * out prompts of the form `!verb rest`. After `!ignore-stop` it does not stop.
 */
export function puppetRole(): Role {
  let fetch: CarriedFetch
  return {
    connect: (options) => {
      fetch = options.fetch
      return () => ({}) as SessionApi
    },
    drive: ({ run, prompts, title }, { report }) => {
      const { promise: done, resolve, reject } = Promise.withResolvers<void>()
      if (title === "refuses to start") throw new Error("refused to start")
      let stops = true
      const say = (message: string): void => report({ type: "poll-failed", run, seq: 0, failure: "refused", message })
      const accept = ({ n, text }: Prompt): void => {
        report({ type: "prompted", run, n, messageID: `msg_${n}` })
        const [, verb = "", rest = ""] = /^!(\S+) ?(.*)$/s.exec(text) ?? []
        if (verb === "ignore-stop") stops = false
        else if (verb === "leave") resolve()
        else if (verb === "reject-done") reject(new Error(rest))
        else VERBS[verb]?.({ run, fetch, say, report }, rest)
      }
      report({ type: "session", run, sessionID: `ses_${run.task}` })
      for (const prompt of prompts) accept(prompt)
      return {
        done,
        command: (command) => {
          if (command.type === "prompt") accept(command.prompt)
          if (command.type !== "stop") return
          say("told to stop")
          if (!stops) return
          report({ type: "stopped", run, idle: true })
          resolve()
        },
      }
    },
  }
}
