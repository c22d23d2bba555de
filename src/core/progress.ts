import type { Book } from "./book.ts"
import { BOUNDS } from "./options.ts"
import type { Run } from "./run.ts"
import type { Snapshot, Tokens } from "./snapshot.ts"

const ONE_WORD_PER_MS = 1_000

/** What a poll read goes into the row. */
export function note(book: Book, { task, ref }: Run, snapshot: Snapshot): void {
  if (snapshot.tokens !== undefined) task.tokens = snapshot.tokens
  if (snapshot.cost !== undefined) task.cost = snapshot.cost
  const { newest } = snapshot
  if (newest?.role === "assistant" && newest.text) task.lastText = newest.text
  book.emit({ type: "task:snapshot", id: ref.task, epoch: ref.epoch, snapshot })
}

/** The agent moved: counters into the row, a word on the bus at most once a second. */
export function tellProgress(book: Book, run: Run): void {
  const { task, evidence } = run
  task.steps = evidence.steps
  if (evidence.tool !== undefined) task.lastTool = evidence.tool
  if (book.now.mono - run.emittedAt < ONE_WORD_PER_MS) return
  run.emittedAt = book.now.mono
  const { id, epoch, steps, cost } = task
  const tool = task.lastTool === undefined ? {} : { tool: task.lastTool }
  const tokens = task.tokens.input + task.tokens.output + task.tokens.reasoning
  book.emit({ type: "task:progress", id, epoch, steps, ...tool, tokens, cost })
}

/** What a step used, as soon as it is told; the next poll that reads the session's own count puts that in its place. */
export function noteUse({ task }: Run, used: { readonly tokens: Tokens; readonly cost: number }): void {
  const { input, output, reasoning, cacheRead, cacheWrite } = task.tokens
  task.tokens = {
    input: input + used.tokens.input,
    output: output + used.tokens.output,
    reasoning: reasoning + used.tokens.reasoning,
    cacheRead: cacheRead + used.tokens.cacheRead,
    cacheWrite: cacheWrite + used.tokens.cacheWrite,
  }
  task.cost += used.cost
}

/** Run time and counters into the journal, also of a run that is silent: a restart goes on from there. */
export function checkpoint(book: Book, run: Run): void {
  if (book.now.mono - run.journaledAt < BOUNDS.journalProgressMs) return
  run.journaledAt = book.now.mono
  book.journal(run.task)
}
