import { LanesError } from "../core/errors.ts"
import type { Todo } from "../core/todos.ts"
import { checkWhole } from "./check.ts"
import type { Range, Span } from "./duration.ts"
import { parseSpan } from "./duration.ts"

/** One thing a scripted agent does. */
export type Act =
  /** Says nothing for so long: time to the first token. */
  | { readonly do: "think"; readonly for: Range }
  /** Writes for so long; REST shows nothing of it until the end, events show deltas. */
  | { readonly do: "stream"; readonly for: Range }
  | { readonly do: "tool"; readonly name: string; readonly for: Range; readonly silent: boolean }
  /** Writes so many open TODOs; closes all but `left` before its answer, and those after so many nudges. */
  | { readonly do: "todos"; readonly count: number; readonly left: number; readonly afterNudges: number }
  /** Writes exactly this list. */
  | { readonly do: "list"; readonly todos: readonly Todo[] }
  /** The server says idle although the agent works: so often, so long, with so much between. */
  | { readonly do: "idle"; readonly times: number; readonly for: Range; readonly where: "within" | "between" }
  | { readonly do: "hang" }
  /** Writes for ever. */
  | { readonly do: "chatter" }
  /** The provider refuses so often; the last time for good when `gives up`. */
  | {
      readonly do: "retry"
      readonly status: number
      readonly times: number
      readonly after: Range | undefined
      readonly fatal: boolean
    }
  /** The stream ends without a finish reason, so often; OpenCode asks again each time. */
  | { readonly do: "truncate"; readonly times: number }
  | { readonly do: "compact" }
  | { readonly do: "ask"; readonly permission: string; readonly patterns: readonly string[] }
  /** Somebody presses escape in its session. */
  | { readonly do: "escape" }
  | { readonly do: "fail"; readonly name: string; readonly message: string }
  | { readonly do: "done"; readonly text: string; readonly finish: "stop" | "length" }

const ENDINGS: ReadonlySet<Act["do"]> = new Set(["hang", "chatter", "escape", "fail", "done"])

/** What an agent does, in order; every method gives a new script, so that beginnings can be shared. */
export class AgentScript {
  readonly acts: readonly Act[]

  /** @internal */
  constructor(acts: readonly Act[] = []) {
    this.acts = acts
  }

  /** Silence before the first token. */
  think(span: Span): AgentScript {
    return this.#and({ do: "think", for: parseSpan(span, "time to think") })
  }

  /** A long answer, seen only by its events until it is whole. */
  stream(span: Span): AgentScript {
    return this.#and({ do: "stream", for: parseSpan(span, "time to stream") })
  }

  /** A tool call and, after it, another model step. `silent`: its output does not grow. */
  tool(name: string, span: Span, options: { readonly silent?: boolean } = {}): AgentScript {
    return this.#and({
      do: "tool",
      name,
      for: parseSpan(span, `time of the tool ${name}`),
      silent: options.silent ?? false,
    })
  }

  /** Open TODOs; closed before the answer but for `left`, and those after `afterNudges` nudges (never, if not given). */
  todos(count: number, options: { readonly left?: number; readonly afterNudges?: number } = {}): AgentScript {
    const { left = 0, afterNudges = Number.POSITIVE_INFINITY } = options
    checkWhole(count, "a number of TODOs", 1)
    checkWhole(left, "a number of TODOs left open", 0)
    return this.#and({ do: "todos", count, left: Math.min(left, count), afterNudges })
  }

  /** Exactly this list of TODOs. */
  list(todos: readonly Todo[]): AgentScript {
    return this.#and({ do: "list", todos })
  }

  /** Reported idle once, early, while it works. */
  earlyIdle(span: Span = "50ms..900ms"): AgentScript {
    return this.#and({ do: "idle", times: 1, for: parseSpan(span, "time of idleness"), where: "between" })
  }

  /** Reported idle and busy in turns. */
  flap(times: number, span: Span = "10ms..500ms"): AgentScript {
    checkWhole(times, "a number of flaps", 1)
    return this.#and({ do: "idle", times, for: parseSpan(span, "time of idleness"), where: "between" })
  }

  /** Reported idle in the middle of its answer, for longer. */
  lieIdle(span: Span): AgentScript {
    return this.#and({ do: "idle", times: 1, for: parseSpan(span, "time of idleness"), where: "within" })
  }

  /** The provider refuses with this status so often, then answers; `fatal`: never. */
  retry(
    status: 429 | 500,
    options: { readonly times?: number; readonly after?: Span; readonly fatal?: boolean } = {},
  ): AgentScript {
    const { times = 2, after, fatal = false } = options
    checkWhole(times, "a number of refusals", 1)
    return this.#and({
      do: "retry",
      status,
      times,
      after: after === undefined ? undefined : parseSpan(after, "time to wait"),
      fatal,
    })
  }

  /** The stream breaks off without a finish reason; Infinity = a loop without end. */
  truncated(times = 1): AgentScript {
    if (times !== Number.POSITIVE_INFINITY) checkWhole(times, "a number of truncated streams", 1)
    return this.#and({ do: "truncate", times })
  }

  /** The session is compacted: a summary, and OpenCode's own word to continue. */
  compaction(): AgentScript {
    return this.#and({ do: "compact" })
  }

  /** Asks for a permission and waits for the answer. */
  ask(permission: string, patterns: readonly string[] = ["*"]): AgentScript {
    return this.#and({ do: "ask", permission, patterns })
  }

  /** Busy, silent, for ever. */
  hang(): AgentScript {
    return this.#and({ do: "hang" })
  }

  /** Busy, talking, for ever. */
  chatter(): AgentScript {
    return this.#and({ do: "chatter" })
  }

  /** Somebody presses escape in its session. */
  escape(): AgentScript {
    return this.#and({ do: "escape" })
  }

  fail(message: string, name = "APIError"): AgentScript {
    return this.#and({ do: "fail", name, message })
  }

  done(text = "ok", options: { readonly finish?: "stop" | "length" } = {}): AgentScript {
    return this.#and({ do: "done", text, finish: options.finish ?? "stop" })
  }

  /** Refuses a script that never ends, with a sentence. */
  checked(): AgentScript {
    const last = this.acts.at(-1)
    if (last === undefined || !ENDINGS.has(last.do)) {
      throw new LanesError(
        "INVALID_INPUT",
        "This agent never comes to an end.",
        "Close its script with done, fail, escape, hang or chatter.",
      )
    }
    return this
  }

  #and(act: Act): AgentScript {
    const last = this.acts.at(-1)
    if (last !== undefined && ENDINGS.has(last.do)) {
      throw new LanesError("INVALID_INPUT", `"${act.do}" comes after "${last.do}", which ends the agent.`)
    }
    return new AgentScript([...this.acts, act])
  }
}

/** An agent that has done nothing yet. */
export function agent(): AgentScript {
  return new AgentScript()
}
