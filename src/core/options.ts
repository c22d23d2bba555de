/** Number of milliseconds. */
export type Ms = number

/**
 * Everything that can be set, resolved: each key has a value. Validation and file formats live in `config.ts`;
 * here are only the plain types and the defaults, so that the core needs no package.
 */
export interface Options {
  /** Slots of the lane `default`; integer ≥ 1. */
  readonly defaultConcurrency: number
  /** Slots per provider id; integer ≥ 0, 0 = unlimited. */
  readonly providerConcurrency: Readonly<Record<string, number>>
  /** Slots per model, key `model` or `provider/model` (the longer wins); integer ≥ 0, 0 = unlimited. */
  readonly modelConcurrency: Readonly<Record<string, number>>
  /** Time between two polls of one run; ms ≥ 100. */
  readonly pollIntervalMs: Ms
  /** Consecutive polls without change before completion by stability; ≥ 1. */
  readonly stablePolls: number
  /** No completion by stability before this run time; ms ≥ 0. */
  readonly minStabilityMs: Ms
  /** A bare idle before this run time is deferred, never dropped; ms ≥ 0. */
  readonly minIdleMs: Ms
  /** No progress for so long: `STALE`; ms ≥ 1000. */
  readonly staleTimeoutMs: Ms
  /** The same while a tool runs; ms ≥ `staleTimeoutMs`. */
  readonly toolStaleTimeoutMs: Ms
  /** Run time of one run; ms ≥ 1000. */
  readonly taskTtlMs: Ms
  /** Time in the queue; 0 = as long as it takes, else ms ≥ 1000. */
  readonly queueTtlMs: Ms
  /** Server unreachable for so long: `SERVER_LOST`; ms ≥ 1000. */
  readonly serverLostMs: Ms
  /** Model steps of one run; ≥ 1. */
  readonly maxSteps: number
  /** Unsettled tasks of one parent conversation; ≥ 1. */
  readonly maxPerRoot: number
  /** Waiting tasks over all lanes; ≥ 1. */
  readonly maxQueued: number
  /** How often an idle session with open TODOs is asked to go on; ≥ 0. */
  readonly todoNudges: number
  /** A settled task stays readable for so long; ms ≥ 60 000. */
  readonly retainMs: Ms
  /** Longer results are cut in the middle; characters ≥ 1000. */
  readonly maxResultChars: number
  /** Worker threads at most; 1–64. */
  readonly maxWorkers: number
  /** `task` gives each run a worker of its own. */
  readonly isolation: "pool" | "task"
  /** When a finished task starts a turn of the parent. */
  readonly wake: "all" | "each"
  /** What happens to a permission ask in a task's session. */
  readonly permissions: "reject" | "forward"
  /** What happens to interrupted runs: prompt them to go on, or settle them `INTERRUPTED`. */
  readonly recover: "resume" | "ask"
}

/**
 * The defaults. `pollIntervalMs`, `stablePolls`, `minStabilityMs`, `minIdleMs`, `taskTtlMs` and `defaultConcurrency`
 * are the tutorial's constants; the others are measured on OpenCode 1.18 or chosen so that bounds are ordered:
 * stale ≤ tool-stale ≤ 5/6 of the TTL.
 */
export const DEFAULTS: Options = {
  defaultConcurrency: 5,
  providerConcurrency: {},
  modelConcurrency: {},
  pollIntervalMs: 2_000,
  stablePolls: 3,
  minStabilityMs: 10_000,
  minIdleMs: 5_000,
  staleTimeoutMs: 180_000,
  toolStaleTimeoutMs: 1_500_000,
  taskTtlMs: 1_800_000,
  queueTtlMs: 0,
  serverLostMs: 300_000,
  maxSteps: 200,
  maxPerRoot: 50,
  maxQueued: 1_000,
  todoNudges: 2,
  retainMs: 86_400_000,
  maxResultChars: 60_000,
  maxWorkers: 2,
  isolation: "pool",
  wake: "all",
  permissions: "reject",
  recover: "resume",
}

/** Bounds that are not options: each with its reason. */
export const BOUNDS = {
  /** An abort takes 0.1–0.4 s on a real server; after this a hung one no longer holds the lane. */
  drainMs: 2_000,
  /** How long a continued run waits for its predecessor to be out of the session. */
  predecessorMs: 10_000,
  /** OpenCode deletes a conversation after the sessions under it, 14 ms for each: how long word of it is waited for. */
  orphanMs: 5_000,
  /** How long runs wait for a disposed instance to be loaded again. */
  reloadMs: 10_000,
  /** Prompts to go on after an interruption, per epoch: bounds a server that crashes on the same task. */
  resumes: 3,
  /** Undelivered notices stop being retried after this and are shown at the parent's next message. */
  noticeMs: 3_600_000,
  /** First and longest pause between two attempts to deliver. */
  noticeBackoffMs: [500, 60_000] as readonly [Ms, Ms],
  /** Running rows are written at most this often for run time and counters. */
  journalProgressMs: 10_000,
  /** Crashes of workers a task survives: the second re-run is alone, the next crash is its end. */
  crashes: 2,
  /** An ask still open so long after it was answered is answered again. */
  askAgainMs: 10_000,
  /** A `session.error` without a message is believed after this. */
  errorGraceMs: 1_000,
  /** Characters of a description, and of one prompt. */
  descriptionChars: 200,
  promptChars: 1_000_000,
} as const
