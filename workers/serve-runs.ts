import { expose } from "comlink"

import type { Assignment, RunCommand } from "../src/core/effects.ts"
import type { RunRef } from "../src/core/task.ts"
import { CarriedFetches } from "./carried-fetch.ts"
import type { DrivenRun } from "./drive-session.ts"
import { EXIT_FATAL, isTagged, messageOf, runKey, shareErrors, TAG } from "./link.ts"
import type { FromWorker, ToWorker, WorkerCalls } from "./link.ts"
import type { LoadRole, Role } from "./role.ts"
import { threadClock } from "./thread-clock.ts"

/** The thread's own port. */
interface Port {
  postMessage(message: unknown): void
  addEventListener(type: "message", listener: (event: MessageEvent) => void): void
}

/**
 * The shell of a worker: listens at once, loads its role, then drives the runs it is given until it is told to close. Any
 * error nobody caught ends the thread with its last words, because a thread in doubt is worth less than a new one.
 */
export function serveRuns(load: LoadRole): void {
  const port = globalThis as unknown as Port
  const post = (message: FromWorker): void => {
    try {
      port.postMessage(message)
    } catch (thrown) {
      die(thrown)
    }
  }
  const fetches = new CarriedFetches(post)
  const runs = new Map<string, DrivenRun>()
  let drive: Role["drive"] | undefined
  let view: ReturnType<Role["connect"]>
  let heapSize = (): number => 0

  const calls: WorkerCalls = {
    run(assignment: Assignment): void {
      if (drive === undefined || runs.has(runKey(assignment.run))) return
      const { run } = assignment
      try {
        const driven = drive(assignment, {
          api: view(run),
          clock: threadClock,
          report: (report) => post({ [TAG]: "report", report }),
        })
        runs.set(runKey(run), driven)
        driven.done.then(() => ended(run), die)
      } catch (thrown) {
        die(thrown)
      }
    },
    command(run: RunRef, command: RunCommand): void {
      runs.get(runKey(run))?.command(command)
    },
    ping: () => ({ heap: heapSize(), runs: runs.size }),
    close: () => process.exit(0),
  }
  const ended = (run: RunRef): void => {
    runs.delete(runKey(run))
    post({ [TAG]: "ended", run })
  }

  process.on("uncaughtException", die)
  process.on("unhandledRejection", die)
  shareErrors()
  port.addEventListener("message", (event) => {
    if (isTagged(event.data)) fetches.answer(event.data as ToWorker)
  })
  expose(calls, port as Parameters<typeof expose>[1])

  Promise.all([load(), import("bun:jsc")]).then(([loaded, jsc]) => {
    drive = loaded.drive
    view = loaded.connect({ fetch: (run, request, signal) => fetches.fetch(run, request, signal), clock: threadClock })
    heapSize = () => jsc.heapSize()
    post({ [TAG]: "ready" })
  }, die)

  function die(thrown: unknown): never {
    port.postMessage({ [TAG]: "fatal", message: messageOf(thrown) } satisfies FromWorker)
    process.exit(EXIT_FATAL)
  }
}
