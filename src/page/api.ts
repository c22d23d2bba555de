import type { IncomingMessage, ServerResponse } from "node:http"

import type { LaneLimits } from "../core/lanes.ts"
import type { TaskRow } from "../core/task.ts"
import type { Feed } from "./feed.ts"
import type { Metrics } from "./metrics.ts"
import { readJson, Refused, sendJson, sendText, text } from "./reply.ts"
import type { Source } from "./source.ts"
import { abilitiesOf } from "./source.ts"
import { wireDetail, wireTask } from "./wire-task.ts"
import type { WireSnapshot } from "./wire.ts"

export interface Served {
  readonly source: Source
  readonly feed: Feed
  readonly metrics: Metrics
  readonly title: string
  readonly directory: string
  readonly retainMs?: number
}

type Answer = (served: Served, response: ServerResponse, request: IncomingMessage, id: string) => unknown

/** What is read. A GET changes nothing. */
export const READS: readonly (readonly [pattern: RegExp, answer: Answer])[] = [
  [
    /^\/api\/snapshot$/,
    ({ source, feed, title, directory, retainMs }, response) => {
      const snapshot: WireSnapshot = {
        cursor: feed.cursor,
        now: Date.now(),
        title,
        directory,
        can: abilitiesOf(source),
        ...(retainMs === undefined ? {} : { retainMs }),
        lanes: source.usage(),
        tasks: source.list().map(wireTask),
        history: feed.histories(),
      }
      sendJson(response, snapshot)
    },
  ],
  [
    /^\/api\/events[.]jsonl$/,
    ({ feed }, response) => {
      let body = ""
      for (let number = feed.last; number > 0; number--) {
        const frame = feed.frame(number)
        if (frame === undefined) break
        body = `${JSON.stringify((JSON.parse(frame) as { event: unknown }).event)}\n${body}`
      }
      sendText(response, "application/jsonl; charset=utf-8", body, {
        "content-disposition": 'attachment; filename="lanes-events.jsonl"',
      })
    },
  ],
  [
    /^\/api\/tasks\/([^/]+)$/,
    ({ source }, response, _, id) => {
      sendJson(response, wireDetail(known(source, id)))
    },
  ],
  [
    /^\/api\/tasks\/([^/]+)\/messages$/,
    async ({ source }, response, _, id) => {
      if (source.messages === undefined) throw unable("messages")
      known(source, id)
      sendJson(response, await source.messages(id, { limit: 200 }))
    },
  ],
  [
    /^\/api\/tasks\/([^/]+)\/todos$/,
    async ({ source }, response, _, id) => {
      if (source.todos === undefined) throw unable("todos")
      known(source, id)
      sendJson(response, await source.todos(id))
    },
  ],
  [
    /^\/metrics$/,
    ({ metrics }, response) => sendText(response, "text/plain; version=0.0.4; charset=utf-8", metrics.text()),
  ],
]

/** What is changed: POST alone, JSON alone. */
export const CHANGES: readonly (readonly [pattern: RegExp, answer: Answer])[] = [
  [
    /^\/api\/tasks\/([^/]+)\/cancel$/,
    async ({ source }, response, request, id) => {
      await readJson(request)
      if (source.cancel === undefined) throw unable("cancel")
      known(source, id)
      await source.cancel(id)
      const row = source.get(id)
      sendJson(response, { task: row === undefined ? undefined : wireTask(row) })
    },
  ],
  [
    /^\/api\/tasks\/([^/]+)\/continue$/,
    async ({ source }, response, request, id) => {
      const prompt = text(await readJson(request), "prompt")
      if (source.continue === undefined) throw unable("continue")
      known(source, id)
      await source.continue(id, prompt)
      const row = source.get(id)
      sendJson(response, { task: row === undefined ? undefined : wireTask(row) })
    },
  ],
  [
    /^\/api\/cancel-all$/,
    async ({ source }, response, request) => {
      await readJson(request)
      if (source.cancelAll === undefined) throw unable("cancelAll")
      await source.cancelAll()
      sendJson(response, {})
    },
  ],
  [
    /^\/api\/limits$/,
    async ({ source }, response, request) => {
      const body = await readJson(request)
      if (source.setLimits === undefined) throw unable("setLimits")
      const limit = body["limit"]
      if (!Number.isInteger(limit) || (limit as number) < 0)
        throw new Refused(400, "INVALID_INPUT", "limit: expected an integer ≥ 0; 0 = unlimited.")
      await source.setLimits(limitsOf(source, text(body, "lane"), limit as number))
      sendJson(response, { lanes: source.usage() })
    },
  ],
]

/** One lane's limit as a change of limits: the others stay as they are. */
function limitsOf(source: Source, lane: string, limit: number): Partial<LaneLimits> {
  if (lane === "default") {
    if (limit === 0)
      throw new Refused(400, "INVALID_INPUT", "The lane default is always limited: expected an integer ≥ 1.")
    return { defaultConcurrency: limit }
  }
  const [, kind, name] = /^(provider|model):(.+)$/.exec(lane) ?? []
  if (kind === undefined || name === undefined || !source.usage().some((view) => view.lane === lane)) {
    throw new Refused(404, "LANE_UNKNOWN", `There is no lane ${lane}.`)
  }
  return kind === "provider" ? { providerConcurrency: { [name]: limit } } : { modelConcurrency: { [name]: limit } }
}

/** A task this page shows; what it does not show cannot be asked about, or for anything. */
function known(source: Source, id: string): TaskRow {
  const row = source.get(id)
  if (row === undefined) throw new Refused(404, "TASK_UNKNOWN", `There is no task ${id}.`)
  return row
}

function unable(what: string): Refused {
  return new Refused(501, "UNABLE", `Who coordinates these tasks cannot be asked for this here: ${what}.`)
}
