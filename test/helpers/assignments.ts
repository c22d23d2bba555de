import type { Assignment, RunCommand } from "../../src/core/effects.ts"
import type { Prompt, RunRef } from "../../src/core/task.ts"

export function runOf(task: string, attempt = 1, epoch = 1): RunRef {
  return { task, epoch, attempt }
}

export function promptOf(n: number, text: string): Prompt {
  return { n, kind: n === 0 ? "first" : "follow-up", text, tail: `tail${n}`.padEnd(14, "0") }
}

/** An assignment whose one prompt is `text`. */
export function assignmentOf(run: RunRef, change: Partial<Assignment> = {}): Assignment {
  return {
    run,
    directory: "/project",
    createdAt: 0,
    title: run.task,
    search: false,
    stamp: false,
    prompts: [promptOf(0, "begin")],
    check: false,
    accepted: 0,
    alone: false,
    pollIntervalMs: 100,
    maxResultChars: 1_000,
    ...change,
  }
}

export const STOP: RunCommand = { type: "stop", abort: true }
