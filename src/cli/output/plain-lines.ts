/** Events as lines of text, for pipes and logs: what happened, to whom, in which lane. */

import type { LaneEvent } from "../../core/events.ts"
import type { Board } from "./board.ts"
import { stateWord } from "./task-line.ts"
import { cut, fit, printable } from "./columns.ts"
import { duration } from "./durations.ts"

/** A line for the event, or undefined when it says nothing new to a person. `board` has applied the event already. */
export function plainLine(event: LaneEvent, board: Board): string | undefined {
  switch (event.type) {
    case "task:queued":
      return line(
        "queued",
        event.id,
        board,
        event.ahead > 0 ? `behind ${event.ahead} in ${event.lane}` : `in ${event.lane}`,
      )
    case "task:started":
      return line("started", event.id, board, `waited ${duration(event.queuedMs)}; ${slots(event.lane, board)}`)
    case "task:nudged":
      return line("nudged", event.id, board, `asked to go on (${event.kind})`)
    case "task:permission":
      return line("asked", event.id, board, `permission ${printable(event.permission)} ${event.action}`)
    case "task:settled": {
      const { state, durationMs, sentence } = event.outcome
      const why = state === "completed" ? "" : `: ${printable(sentence)}`
      return line(stateWord(state), event.id, board, `ran ${duration(durationMs)}${why}`)
    }
    case "lane:limit":
      return `the limit of ${printable(event.lane)} is ${event.limit ?? "∞"} now`
    case "worker:lost":
      return `a worker was lost (${printable(event.cause)}); its tasks go on elsewhere`
    case "server:lost":
      return `the server does not answer: ${printable(event.message)}`
    case "server:back":
      return `the server answers again after ${duration(event.lostMs)}`
    case "journal:error":
      return `the journal cannot be written: ${printable(event.message)}`
    case "task:session":
    case "task:snapshot":
    case "task:progress":
    case "task:continued":
    case "task:notified":
    case "lane:granted":
    case "lane:released":
    case "worker:started":
    case "listener:error":
      return undefined
  }
}

/** A line for the tool a task has turned to. */
export function toolLine(id: string, tool: string, board: Board): string {
  return line("working", id, board, printable(tool))
}

function line(what: string, id: string, board: Board, more: string): string {
  const task = board.task(id)
  const who = `${fit(printable(task?.agent ?? ""), 9)} ${fit(cut(printable(task?.description ?? id), 32), 32)}`
  return `${fit(what, 9)} ${who} ${more}`
}

function slots(lane: string, board: Board): string {
  const view = board.lanes.find((each) => each.lane === lane)
  return view === undefined ? lane : `${lane} ${view.used}/${view.limit ?? "∞"}`
}
