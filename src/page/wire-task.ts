import type { LaneEvent } from "../core/events.ts"
import type { TaskRow } from "../core/task.ts"
import type { WireDetail, WireEvent, WireTask } from "./wire.ts"

/** A row as lists show it. */
export function wireTask(row: TaskRow): WireTask {
  const { spec, outcome, tokens } = row
  return {
    id: row.id,
    epoch: row.epoch,
    order: row.order,
    state: row.state,
    description: spec.description,
    ...(spec.agent === undefined ? {} : { agent: spec.agent }),
    ...(spec.model === undefined ? {} : { model: spec.model }),
    lane: row.lane,
    ...(spec.parent === undefined ? {} : { parent: spec.parent.sessionID }),
    ...(row.sessionID === undefined ? {} : { sessionID: row.sessionID }),
    createdAt: row.createdAt,
    queuedAt: row.queuedAt,
    ...(row.startedAt === undefined ? {} : { startedAt: row.startedAt }),
    ...(row.settledAt === undefined ? {} : { settledAt: row.settledAt }),
    queuedMs: Math.round(row.queuedMs),
    ranMs: Math.round(row.ranMs),
    attempt: row.attempt,
    nudges: row.nudges,
    steps: row.steps,
    tokens: tokens.input + tokens.output + tokens.reasoning + tokens.cacheRead + tokens.cacheWrite,
    cost: row.cost,
    ...(row.lastTool === undefined ? {} : { tool: row.lastTool }),
    ...(outcome === undefined ? {} : { reason: outcome.reason, sentence: outcome.sentence }),
  }
}

/** All of a row. */
export function wireDetail(row: TaskRow): WireDetail {
  const { spec, outcome } = row
  const text = outcome?.text ?? row.lastText
  const open = webAddress(row)
  return {
    task: wireTask(row),
    directory: spec.directory,
    server: spec.server,
    prompts: [
      ...(row.prompts.some((prompt) => prompt.kind === "first")
        ? []
        : [{ kind: "first", text: spec.prompt, sent: row.sessionID !== undefined }]),
      ...row.prompts.map(({ kind, text: words, messageID }) => ({ kind, text: words, sent: messageID !== undefined })),
    ],
    tokens: row.tokens,
    crashes: row.crashes,
    resumes: row.resumes,
    ...(spec.ttlMs === undefined ? {} : { ttlMs: spec.ttlMs }),
    background: spec.background,
    ...(spec.parent === undefined ? {} : { batch: spec.parent.batch }),
    ...(text === undefined ? {} : { text }),
    ...(outcome === undefined ? {} : { truncated: outcome.truncated, unsent: outcome.unsent }),
    notice: row.notice.state,
    ...(open === undefined ? {} : { open }),
  }
}

/** OpenCode's own web page of a session: the directory in base64, then the session. */
function webAddress({ spec, sessionID }: TaskRow): string | undefined {
  if (sessionID === undefined || !/^https?:\/\//.test(spec.server)) return undefined
  const directory = Buffer.from(spec.directory).toString("base64url")
  return new URL(`/${directory}/session/${encodeURIComponent(sessionID)}`, spec.server).href
}

const WORDS = 200

/** An event without long texts: results and prompts are read in the detail. */
export function wireEvent(event: LaneEvent): WireEvent {
  if (event.type === "task:snapshot") {
    const { status, newest, todos } = event.snapshot
    const { snapshot: _, ...rest } = event
    return {
      ...rest,
      status: status.type,
      ...(status.type === "retry" ? { retry: `${status.message} (attempt ${status.attempt})`.slice(0, WORDS) } : {}),
      ...(newest?.tool === undefined ? {} : { tool: newest.tool }),
      ...(todos === undefined ? {} : { todosOpen: todos.open }),
    }
  }
  if (event.type === "task:settled") {
    const { state, reason, sentence, durationMs, queuedMs, cost } = event.outcome
    return { ...event, outcome: { state, reason, sentence, durationMs, queuedMs, cost } }
  }
  return event.type === "task:continued" ? { ...event, prompt: event.prompt.slice(0, WORDS) } : { ...event }
}
