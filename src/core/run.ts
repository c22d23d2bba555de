import type { Deadline } from "./due-queue.ts"
import type { Assignment } from "./effects.ts"
import type { SlotToken } from "./lanes.ts"
import type { Options } from "./options.ts"
import { BOUNDS } from "./options.ts"
import type { Task } from "./outcome.ts"
import type { Evidence, Rules } from "./stability.ts"
import { disturb, newEvidence, observePrompt } from "./stability.ts"
import type { RunRef, TaskId } from "./task.ts"

/** A run that holds its slot and works. */
export interface Run {
  readonly task: Task
  ref: RunRef
  readonly token: SlotToken
  readonly evidence: Evidence
  /** When it is to be judged again. */
  deadline: Deadline
  /** As last derived from the row. */
  rules: RunRules | undefined
  /** Handed to a worker; false while its predecessor is still in the session. */
  started: boolean
  /** An earlier attempt of this epoch may have prompted already. */
  again: boolean
  /** The attempt that has told its session; 0 = none. */
  openedBy: number
  /** Last report taken in; older ones are duplicates or late. */
  seq: number
  emittedAt: number
  journaledAt: number
  /** When each ask was answered, or left to the human. */
  asksSeen: Map<string, number> | undefined
}

/** Rules, and what of the row they were derived from. */
type RunRules = Rules & Pick<Task, "prompts" | "spec">

/** The run of a task that has just been given a slot; `again`: an earlier process or attempt had started it. */
export function newRun(task: Task, token: SlotToken, how: { mono: number; eventsAlive: boolean; again: boolean }): Run {
  const { mono, eventsAlive, again } = how
  const evidence = newEvidence(mono, task.ranMs, eventsAlive)
  for (const { messageID } of task.prompts) if (messageID !== undefined) observePrompt(evidence, messageID, mono)
  evidence.steps = task.steps
  // Perhaps prompted, and perhaps aborted, by an earlier attempt or process, of which nobody heard.
  if (again) disturb(evidence, mono)
  return {
    task,
    ref: { task: task.id, epoch: task.epoch, attempt: task.attempt },
    token,
    evidence,
    deadline: { key: deadlineOf(task.id), at: 0, queuedAt: 0, n: 0, alive: false },
    rules: undefined,
    started: false,
    again,
    openedBy: 0,
    seq: 0,
    emittedAt: Number.NEGATIVE_INFINITY,
    journaledAt: mono,
    asksSeen: undefined,
  }
}

/** Key of a task's one deadline. */
export function deadlineOf(id: TaskId): string {
  return `t:${id}`
}

/** All its worker needs to know. */
export function assignmentOf({ task, ref, again }: Run, options: Options): Assignment {
  const { spec, sessionID, createdAt } = task
  const accepted = task.prompts.filter((prompt) => prompt.messageID !== undefined).length
  return {
    run: ref,
    directory: spec.directory,
    createdAt,
    title: spec.description,
    ...(spec.parent === undefined ? {} : { parentSessionID: spec.parent.sessionID }),
    ...(spec.agent === undefined ? {} : { agent: spec.agent }),
    ...(spec.model === undefined ? {} : { model: spec.model }),
    ...(sessionID === undefined ? {} : { sessionID }),
    search: task.attempt > 1 && sessionID === undefined,
    stamp: spec.sessionID !== undefined && accepted === 0,
    prompts: task.prompts.filter((prompt) => prompt.messageID === undefined),
    check: again,
    accepted,
    alone: task.crashes >= BOUNDS.crashes || options.isolation === "task",
    pollIntervalMs: options.pollIntervalMs,
    maxResultChars: options.maxResultChars,
  }
}

/** What its verdict depends on besides the evidence; derived anew only when the row has changed in it. */
export function rulesOf(run: Run, options: Options): Rules {
  const { rules } = run
  const { prompts, spec, nudges, todosBefore } = run.task
  const unchanged =
    rules?.prompts === prompts && rules.spec === spec && rules.nudges === nudges && rules.todosBefore === todosBefore
  if (unchanged && rules.options === options) return rules
  const ttlMs = spec.ttlMs === undefined ? options.taskTtlMs : spec.ttlMs
  const unsent = prompts.filter((prompt) => prompt.messageID === undefined).length
  run.rules = { options, ttlMs, parented: spec.parent !== undefined, unsent, nudges, todosBefore, prompts, spec }
  return run.rules
}

export function same(a: RunRef, b: RunRef): boolean {
  return a.attempt === b.attempt && a.epoch === b.epoch && a.task === b.task
}
