import type { Ms, Options } from "./options.ts"
import { BOUNDS } from "./options.ts"
import type { Ask, Hint, NewestMessage, PollFailure, SessionStatus, Snapshot, Todos } from "./snapshot.ts"
import type { CompletedReason, ErrorReason } from "./task.ts"

/**
 * What is known of one run since its newest prompt was accepted. All times are monotonic ms. Three inputs never mean
 * the same: "absent from the status map", "not read" and "the request failed".
 */
export interface Evidence {
  /** When the run started, moved back by the run time of earlier processes. */
  readonly startedAt: number
  /** Newest accepted prompt, when it was accepted, and how many were. */
  promptID: string | undefined
  promptedAt: number
  accepted: number
  /** Last thing the agent did, moved forward over outages. */
  progressAt: number
  /** Last good sample; undefined while there is none newer than the newest prompt. */
  sampledAt: number | undefined
  /** Polls have failed since. */
  outageSince: number | undefined
  status: SessionStatus
  /** When the provider is asked again, as first heard or nearer; and since when it waits for that. */
  retryAt: number
  retrySince: number
  absentPolls: number
  absentSince: number
  fingerprint: string | undefined
  /** Consecutive reads of an unchanged newest message while absent, and since when. */
  samePolls: number
  sameSince: number
  newest: NewestMessage | null | undefined
  newestUser: string | undefined
  todos: Todos | undefined
  tool: string | undefined
  /** Messages that were counted as steps: a hint and a poll may tell of the same one, in any order. */
  readonly stepIDs: Set<string>
  steps: number
  asks: ReadonlyMap<string, Ask>
  /** An ask was rejected and nothing has been said since. */
  rejected: boolean
  /** A `session.error` event, believed when no answer follows. */
  error: { readonly name: string; readonly message: string; readonly at: number } | undefined
  deletedAt: number | undefined
  eventsAlive: boolean
  /** The server went away, was restarted or disposed its instance, and the run has not been seen busy since. */
  disturbed: boolean
  /** When that was last heard of: what was sampled before says nothing about it. */
  disturbedAt: number
  disposedAt: number | undefined
}

export type Verdict =
  | { readonly type: "wait"; readonly ms: Ms }
  /** Idle with open TODOs: ask it to go on. */
  | { readonly type: "nudge"; readonly open: number }
  /** Idle without an answer, or cut off: by `recover`. */
  | { readonly type: "interrupted"; readonly message: string; readonly cut: boolean }
  | { readonly type: "complete"; readonly reason: CompletedReason; readonly truncated: boolean }
  | { readonly type: "fail"; readonly reason: ErrorReason; readonly message: string }
  /** Somebody pressed escape in it. */
  | { readonly type: "escaped" }

/** What a judgement depends on besides the evidence. */
export interface Rules {
  readonly options: Options
  /** null = no bound. */
  readonly ttlMs: Ms | null
  /** A conversation asked for it: its session may have been deleted with that. */
  readonly parented: boolean
  /** Prompts of ours not accepted yet. */
  readonly unsent: number
  readonly nudges: number
  readonly todosBefore: Todos | undefined
}

export function newEvidence(now: number, ranMs: Ms, eventsAlive: boolean): Evidence {
  return {
    startedAt: now - ranMs,
    promptID: undefined,
    promptedAt: now,
    accepted: 0,
    progressAt: now,
    sampledAt: undefined,
    outageSince: undefined,
    status: { type: "absent" },
    retryAt: 0,
    retrySince: now,
    absentPolls: 0,
    absentSince: now,
    fingerprint: undefined,
    samePolls: 0,
    sameSince: now,
    newest: undefined,
    newestUser: undefined,
    todos: undefined,
    tool: undefined,
    stepIDs: new Set(),
    steps: 0,
    asks: NO_ASKS,
    rejected: false,
    error: undefined,
    deletedAt: undefined,
    eventsAlive,
    disturbed: false,
    disturbedAt: Number.NEGATIVE_INFINITY,
    disposedAt: undefined,
  }
}

/** A prompt was accepted: what was seen before says nothing about its answer. What had gone away may have taken it along. */
export function observePrompt(e: Evidence, messageID: string, now: number): void {
  // An idle agent has nothing to be silent about: its silence begins when it is asked.
  if (e.status.type === "absent") e.progressAt = now
  e.promptID = messageID
  e.promptedAt = now
  e.accepted++
  e.sampledAt = undefined
  forgetIdle(e, now)
  e.newest = undefined
  e.newestUser = undefined
  // Word of a prompt that fails at once may be here before the word that it was accepted.
  const early = e.error !== undefined && e.error.name !== ABORTED && now - e.error.at < BOUNDS.errorGraceMs
  if (!early) e.error = undefined
  e.rejected = false
}

/** Takes in a good sample; true when the agent has moved. */
export function observe(e: Evidence, snapshot: Snapshot, now: number): boolean {
  if (e.outageSince !== undefined) {
    // The stale clock stood still while nothing could be seen.
    e.progressAt += Math.max(0, now - Math.max(e.outageSince, e.progressAt))
    e.outageSince = undefined
    forgetIdle(e, now)
  }
  if (snapshot.asks !== undefined) observeAsks(e, snapshot.asks, now)
  if (snapshot.prompts < e.accepted) return false
  const at = now - (snapshot.ageMs ?? 0)
  // Whoever answers from after it went away is there again, busy or not.
  if (e.disposedAt !== undefined && at >= e.disposedAt) e.disposedAt = undefined
  e.sampledAt = at
  if (snapshot.status.type === "retry") observeRetry(e, snapshot.status, now)
  e.status = snapshot.status
  if (snapshot.status.type === "absent") {
    // An open ask keeps its session busy.
    observeAsks(e, [], now)
    // Looked at somewhere between the asking and now: a stretch of absence begins late and ends early.
    if (e.absentPolls++ === 0) e.absentSince = now
  } else {
    forgetIdle(e, now)
    if (at >= e.disturbedAt + LATE_MS) e.disturbed = false
    e.error = undefined
  }
  // An answer is judged by TODOs read with it: older ones may have been written before the list was.
  const candidate =
    snapshot.status.type === "absent" && snapshot.newest?.role === "assistant" && snapshot.newest.completed
  if (snapshot.todos !== undefined || candidate) e.todos = snapshot.todos
  return snapshot.newest !== undefined && observeMessage(e, snapshot.newest, snapshot, now)
}

/** The server waits by a timer: a wall clock that is set moves what it says of it, not when it asks. */
function observeRetry(e: Evidence, { attempt, inMs }: Extract<SessionStatus, { type: "retry" }>, now: number): void {
  const same = e.status.type === "retry" && e.status.attempt === attempt
  e.retryAt = same ? Math.min(e.retryAt, now + inMs) : now + inMs
  if (!same) e.retrySince = now
}

/** A sample knows how old it was when it was sent, not how long it was on its way. */
const LATE_MS = 1_000

const NO_ASKS: ReadonlyMap<string, Ask> = new Map()

/** The asks that are open; the stale clock stood still while there were any. */
function observeAsks(e: Evidence, asks: readonly Ask[], now: number): void {
  if (e.asks.size > 0 && asks.length === 0) e.progressAt = now
  e.asks = asks.length === 0 ? NO_ASKS : new Map(asks.map((ask) => [ask.id, ask]))
}

function observeMessage(e: Evidence, newest: NewestMessage | null, snapshot: Snapshot, now: number): boolean {
  e.newest = newest
  e.newestUser = snapshot.newestUser
  // Prompts that wait in line may hide the answer under way: then nothing is known of it.
  const hidden = newest !== null && newest.role === "user" && snapshot.fingerprint === ""
  if (!hidden) e.tool = newest?.tool
  const before = e.fingerprint
  const changed = !hidden && snapshot.fingerprint !== before
  if (!hidden) e.fingerprint = snapshot.fingerprint
  if (changed || e.status.type !== "absent") {
    e.samePolls = e.status.type === "absent" ? 1 : 0
    e.sameSince = now
  } else {
    e.samePolls++
  }
  // Our own prompts are not progress, nor is what was there before the first look.
  if (!changed || newest === null || (newest.role === "user" && before === undefined)) return false
  if (newest.role === "assistant") observeStep(e, newest.id)
  progress(e, now)
  return true
}

/** Counts a model step once, however it was learned of. */
function observeStep(e: Evidence, messageID: string): boolean {
  if (e.stepIDs.has(messageID)) return false
  e.stepIDs.add(messageID)
  e.steps++
  return true
}

/** Takes in an event; true when it proves that the agent moved. Hints never complete a run. */
export function observeHint(e: Evidence, hint: Hint, now: number): boolean {
  switch (hint.type) {
    case "delta":
      return progress(e, now)
    case "part":
      if (hint.tool !== undefined) e.tool = hint.tool ?? undefined
      return progress(e, now)
    case "step":
      // A step that begins after a rejection goes on in spite of it. Polls cannot tell: it may be the one that asked.
      if (observeStep(e, hint.messageID)) e.rejected = false
      return progress(e, now)
    case "step-end":
      e.tool = undefined
      return progress(e, now)
    case "todos":
      e.todos = hint.todos
      return progress(e, now)
    case "ask":
      e.asks = new Map(e.asks).set(hint.ask.id, hint.ask)
      return false
    case "answered":
      e.asks = new Map([...e.asks].filter(([id]) => id !== hint.askID))
      e.rejected = hint.rejected
      return progress(e, now)
    case "error":
      // What follows the first one is less telling: an unknown agent is told once by name, then as an error without one.
      e.error ??= { name: hint.name, message: hint.message, at: now }
      return false
    case "deleted":
      e.deletedAt ??= now
      return false
    case "idle":
      // Whoever becomes idle again was busy in between, seen or not.
      if (e.absentPolls > 0) forgetIdle(e, now)
      return false
  }
}

/** Takes in a failed poll: it changes nothing but stops every clock that rests on seeing. */
export function observeFailure(e: Evidence, failure: PollFailure, now: number): void {
  e.outageSince ??= now
  if (failure === "unreachable" || failure === "reloading") disturb(e, now)
}

/** Whatever ran was cut off, unless it is seen busy in a sample from after this. */
export function disturb(e: Evidence, now: number): void {
  e.disturbed = true
  e.disturbedAt = now
}

function progress(e: Evidence, now: number): boolean {
  e.progressAt = now
  return true
}

/** The run goes on with another worker: what the lost one saw of idleness does not count. */
export function observeRestart(e: Evidence, now: number): void {
  // It may have aborted what it could not go on with, and died before it could say so.
  disturb(e, now)
  e.sampledAt = undefined
  forgetIdle(e, now)
}

function forgetIdle(e: Evidence, now: number): void {
  e.absentPolls = 0
  e.absentSince = now
  e.samePolls = 0
  e.sameSince = now
}

/** Concludes from the evidence; the first bound or the strongest evidence wins. */
export function judge(e: Evidence, rules: Rules, now: number): Verdict {
  const ttlAt = rules.ttlMs === null ? Number.POSITIVE_INFINITY : e.startedAt + rules.ttlMs
  if (now >= ttlAt) return fail("TTL", `The run took longer than its ${words(rules.ttlMs ?? 0)}.`)
  if (e.deletedAt !== undefined) {
    const goneAt = e.deletedAt + (rules.parented ? BOUNDS.orphanMs : 0)
    return now >= goneAt ? fail("SESSION_GONE", "The session was deleted.") : wait(Math.min(goneAt, ttlAt) - now)
  }
  if (e.steps > rules.options.maxSteps) {
    return fail("STEP_LIMIT", `The run took more than ${rules.options.maxSteps} model steps.`)
  }
  if (e.outageSince !== undefined) return judgeOutage(e, rules, ttlAt, now)
  // Said again a while later: one sample may have been taken while a clock was set.
  const sure = e.sampledAt !== undefined && e.sampledAt - e.retrySince >= rules.options.pollIntervalMs / 2
  if (e.status.type === "retry" && e.retryAt > ttlAt && sure) {
    return fail("SESSION_ERROR", `The provider would be asked again only after the run's time: ${e.status.message}`)
  }
  const settled =
    e.promptID !== undefined && rules.unsent === 0 && e.sampledAt !== undefined && e.status.type === "absent"
  const verdict = settled ? judgeIdle(e, rules, now) : undefined
  if (verdict !== undefined && verdict.type !== "wait") return verdict
  const stale = judgeStale(e, rules, ttlAt, now)
  return verdict?.type === "wait" && stale.type === "wait" ? wait(Math.min(verdict.ms, stale.ms)) : stale
}

function judgeOutage(e: Evidence, rules: Rules, ttlAt: number, now: number): Verdict {
  const lostAt = (e.outageSince ?? now) + rules.options.serverLostMs
  if (now >= lostAt)
    return fail("SERVER_LOST", `The server could not be asked for ${words(rules.options.serverLostMs)}.`)
  const reloadAt = e.disposedAt === undefined ? Number.POSITIVE_INFINITY : e.disposedAt + BOUNDS.reloadMs
  // There is nobody to ask it to go on.
  if (now >= reloadAt) return fail("INTERRUPTED", "Its OpenCode instance was disposed and did not come back.")
  return wait(Math.min(lostAt, reloadAt, ttlAt) - now)
}

/** The newest message answers our newest prompt, and nobody has asked anything since. */
function answered(e: Evidence, message: NewestMessage): boolean {
  const asked = e.promptID
  if (message.role !== "assistant" || asked === undefined || message.parentID === undefined) return false
  return message.parentID >= asked && (e.newestUser === undefined || e.newestUser <= message.parentID)
}

/** The session is absent from the status map and was read since the newest prompt. Undefined = nothing to say yet. */
function judgeIdle(e: Evidence, rules: Rules, now: number): Verdict | undefined {
  const message = e.newest
  if (message === undefined) return undefined
  if (message === null || !answered(e, message)) return judgeUnanswered(e, message, rules, now)
  // An abort in the pause before a retry leaves a message without error, finish and text.
  const blank = message.completed && message.finish === undefined && !message.output
  if (message.error !== undefined || blank) {
    if (message.error !== undefined && message.error.name !== ABORTED)
      return fail("SESSION_ERROR", message.error.message)
    return e.disturbed
      ? { type: "interrupted", message: "Its OpenCode instance went away.", cut: true }
      : { type: "escaped" }
  }
  if (message.summary) return undefined
  const terminal = message.finish !== undefined && !NOT_FINAL.has(message.finish)
  if (!message.completed || (e.disturbed && !terminal)) {
    const open = e.disturbed ? e.absentPolls >= 2 : idleFor(e, rules, now)
    return open
      ? { type: "interrupted", message: "The server stopped working on it half-way.", cut: true }
      : idleWait(e, rules, now)
  }
  if (e.rejected && !terminal) {
    if (e.absentPolls < 2) return undefined
    return fail("PERMISSION", "A permission it needs was rejected, and it ended without an answer.")
  }
  return judgeAnswer(e, message, terminal, rules, now)
}

/** How OpenCode marks a message whose session was aborted or whose instance was disposed. */
const ABORTED = "MessageAbortedError"

const NOT_FINAL: ReadonlySet<string> = new Set(["tool-calls", "unknown", "error"])

/** An answer, complete and without error: graded evidence decides whether it is the last one. */
function judgeAnswer(
  e: Evidence,
  message: NewestMessage,
  terminal: boolean,
  rules: Rules,
  now: number,
): Verdict | undefined {
  const { minIdleMs, minStabilityMs, stablePolls, pollIntervalMs } = rules.options
  const idleAt = e.startedAt + minIdleMs
  // Two polls are two moments: the second read of an answer and a poked one come right after the first.
  const sampledAt = e.sampledAt ?? now
  const apart = sampledAt - e.absentSince >= pollIntervalMs / 2
  const stableAt = Math.max(e.startedAt + minStabilityMs, e.sameSince + stablePolls * pollIntervalMs)
  let reason: CompletedReason
  if (terminal && e.samePolls >= 2) reason = "FINISHED"
  else if (message.output && e.absentPolls >= 2 && apart && now >= idleAt) reason = "IDLE"
  else if (e.samePolls >= stablePolls && sampledAt >= stableAt) reason = "STABLE"
  else return wait(Math.min(...[idleAt, stableAt, now + pollIntervalMs].filter((at) => at > now)) - now)
  // TODOs that could not be read leave the question open.
  if (e.todos === undefined) return undefined
  const open = e.todos.digest === rules.todosBefore?.digest ? 0 : e.todos.open
  if (open === 0) return { type: "complete", reason, truncated: message.finish === "length" }
  if (rules.nudges < rules.options.todoNudges) return { type: "nudge", open }
  const giveUpAt = Math.max(e.progressAt, e.promptedAt) + rules.options.staleTimeoutMs
  if (now >= giveUpAt) return fail("TODOS_OPEN", `It stopped with ${open} of its TODOs open.`)
  return wait(giveUpAt - now)
}

/** Idle, but our prompt has no answer: too early, an error that left no message, or a prompt that was swallowed. */
function judgeUnanswered(e: Evidence, message: NewestMessage | null, rules: Rules, now: number): Verdict {
  // An instance that goes away aborts what runs in it, as a person does.
  const error = e.disturbed && e.error?.name === ABORTED ? undefined : e.error
  if (error !== undefined) {
    const at = error.at + BOUNDS.errorGraceMs
    if (now < at || e.absentPolls < 2) return wait(Math.max(1, at - now))
    return error.name === ABORTED ? { type: "escaped" } : fail(errorReason(error), error.message)
  }
  // One that was just accepted is not busy at once.
  if (e.disturbed && e.absentPolls >= 2 && now >= e.promptedAt + BOUNDS.errorGraceMs)
    return { type: "interrupted", message: "The server went away before it answered.", cut: true }
  if (!idleFor(e, rules, now)) return idleWait(e, rules, now)
  if (message === null)
    return fail(
      "PROMPT_REJECTED",
      "The server accepted the prompt but did not keep it; agent or model may be unknown to it.",
    )
  return { type: "interrupted", message: "The session went idle without answering.", cut: false }
}

/** OpenCode reports an unknown agent or model only by an event. */
function errorReason(error: { name: string; message: string }): ErrorReason {
  const text = `${error.name} ${error.message}`
  if (/agent not found|unknown agent/i.test(text)) return "AGENT_UNKNOWN"
  if (/ProviderModelNotFound|model not found|unknown model/i.test(text)) return "MODEL_UNKNOWN"
  return "SESSION_ERROR"
}

function idleFor(e: Evidence, rules: Rules, now: number): boolean {
  return e.absentPolls >= 3 && now - e.absentSince >= rules.options.minIdleMs
}

function idleWait(e: Evidence, rules: Rules, now: number): Verdict {
  return wait(Math.max(rules.options.pollIntervalMs, e.absentSince + rules.options.minIdleMs - now))
}

/**
 * Silence. With events every delta is seen, so a silent stream is a hang; without them it cannot be told from one,
 * and the longer bound of a running tool holds.
 */
function judgeStale(e: Evidence, rules: Rules, ttlAt: number, now: number): Verdict {
  if (rules.options.permissions === "forward" && e.asks.size > 0) return wait(ttlAt - now)
  const { staleTimeoutMs, toolStaleTimeoutMs } = rules.options
  const seen = e.eventsAlive || e.status.type === "absent"
  const bound = e.tool !== undefined || !seen ? toolStaleTimeoutMs : staleTimeoutMs
  const base = e.status.type === "retry" ? Math.max(e.progressAt, e.retryAt) : e.progressAt
  if (now < base + bound) return wait(Math.min(base + bound, ttlAt) - now)
  const where = e.tool === undefined ? "" : ` in the tool ${e.tool}`
  return fail("STALE", `Nothing moved${where} for ${words(bound)}.`)
}

function wait(ms: number): Verdict {
  return { type: "wait", ms: Math.max(1, ms) }
}

function fail(reason: ErrorReason, message: string): Verdict {
  return { type: "fail", reason, message }
}

/** A duration in words: `2m 15s`. */
export function words(ms: Ms): string {
  const s = Math.max(0, Math.round(ms / 1000))
  if (s === 0 && ms > 0) return `${Math.round(ms)}ms`
  const parts = [`${Math.floor(s / 3600)}h`, `${Math.floor((s % 3600) / 60)}m`, `${s % 60}s`]
  return parts.filter((part) => !part.startsWith("0")).join(" ") || "0s"
}
