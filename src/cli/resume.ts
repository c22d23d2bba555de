/** `lanes resume`: takes over what a coordinator that is gone has left, and stays until all of it is done. */

import { defineCommand } from "citty"
import type { TaskRow } from "../core/task.ts"
import type { Lanes } from "../lanes.ts"
import { chooseServer, SERVER_ARGUMENT, stillThere } from "./choose-server.ts"
import { interruptible } from "./interrupt.ts"
import { Journals, print } from "./journals.ts"
import { openLanes } from "./open-lanes.ts"
import { EXIT } from "./output/exit-codes.ts"
import { progressFor } from "./output/reporter-for.ts"
import type { Watched } from "./output/reporter.ts"
import { Tally } from "./output/summary.ts"
import { directoryOf } from "./task-options.ts"
import type { Verb } from "./verb.ts"

const args = {
  server: SERVER_ARGUMENT,
  dir: { type: "string", description: "The project. Default: this folder", valueHint: "folder" },
  json: { type: "boolean", description: "One JSON object per event on stdout, the summary last" },
} as const

export const resume: Verb = defineCommand({
  meta: { name: "resume", description: "Take over the tasks of a coordinator that is gone" },
  args,
  run: async ({ args: { server: wanted, dir, json } }) => {
    const directory = directoryOf(dir)
    const left = await leftBehind(directory)
    if (left.tasks === 0) return print("Nothing is left here without a coordinator.")
    return interruptible(async (interrupt) => {
      using reporter = progressFor({ json: json === true })
      const server = await chooseServer(wanted ?? (await stillThere(left.servers)), (sentence) =>
        reporter.say(sentence),
      )
      const composed = await openLanes(server, { directory, recover: "resume" }, reporter, interrupt)
      await using lanes = composed.lanes
      for (const project of left.projects) await composed.join(project)
      interrupt.signal.throwIfAborted()
      const unsettled = lanes.list().filter(({ outcome }) => outcome === undefined)
      const tally = new Tally()
      const watched = withPast(lanes, unsettled)
      watched.on("*", (event) => tally.apply(event))
      reporter.follow(watched)
      reporter.status(`${unsettled.length} tasks go on in ${directory}`)
      const stopped = new Promise<void>((resolve) =>
        interrupt.signal.addEventListener("abort", () => resolve(), { once: true }),
      )
      await Promise.race([Promise.all(unsettled.map(({ id }) => lanes.done(id))), stopped])
      if (interrupt.exitCode !== undefined) reporter.status("Leaving; tasks that run on a server of yours go on there.")
      const summary = tally.summary(new Set(unsettled.map(({ id }) => id)))
      await lanes.close()
      reporter.finish(summary)
      if (interrupt.exitCode !== undefined) return interrupt.exitCode
      return summary.completed === unsettled.length ? EXIT.ok : EXIT.failed
    })
  },
})

/** The lanes as if one had listened from the start: what was taken over was queued before anybody could hear of it. */
function withPast(lanes: Lanes, rows: readonly TaskRow[]): Watched {
  return {
    usage: () => lanes.usage(),
    list: () => lanes.list(),
    get: (id) => lanes.get(id),
    on(type, handler) {
      for (const { id, epoch, lane, state, attempt, queuedMs, spec } of rows) {
        const stamp = { id, epoch, lane, at: Date.now(), seq: 0 }
        const agent = spec.agent === undefined ? {} : { agent: spec.agent }
        handler({ type: "task:queued", ...stamp, ahead: 0, description: spec.description, ...agent })
        if (state === "running") handler({ type: "task:started", ...stamp, attempt, queuedMs })
      }
      return lanes.on(type, handler)
    },
  }
}

/** Unfinished tasks nobody looks after, the servers their runs were in, and the projects of those who launched them. */
async function leftBehind(directory: string): Promise<{ tasks: number; servers: string[]; projects: string[] }> {
  using journals = await Journals.open()
  const orphans = journals
    .tasks(directory)
    .filter(({ row, living }) => !living && (row.outcome === undefined || row.notice.state === "owed"))
  const owners = orphans.map(({ reader }) => reader.owner())
  return {
    tasks: orphans.length,
    servers: [...new Set(owners.map(({ server }) => server))],
    projects: [...new Set(owners.map((owner) => owner.directory))],
  }
}
