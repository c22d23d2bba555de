/** What this machine must have: Bun, worker threads, a place for the journal. */

import { sqliteLibrary } from "../../adapters/sqlite-library.ts"
import { ensurePrivate, stateFolder } from "../../adapters/state-folder.ts"
import { tryWorker } from "../../compose.ts"
import { version } from "../version.ts"
import type { Finding } from "./finding.ts"
import { messageOf } from "./finding.ts"

/** What everything is tested with; older ones back to 1.3 work, too. */
const TESTED = "1.4.5"

export function bunFinding(): Finding {
  const sentence = `Bun ${Bun.version}; opencode-lanes ${version()}`
  if (Bun.semver.satisfies(Bun.version, ">=1.4.0")) return { area: "bun", mark: "ok", sentence }
  if (Bun.semver.satisfies(Bun.version, ">=1.3.0")) {
    const remedy = `Bun ${TESTED} closes idle workers; before 1.4 they are kept`
    return { area: "bun", mark: "note", sentence, remedy }
  }
  return { area: "bun", mark: "bad", sentence, remedy: "Bun 1.3 is the oldest that works: bun upgrade" }
}

export async function workerFinding(): Promise<Finding> {
  const area = "workers"
  try {
    return { area, mark: "ok", sentence: `a worker starts in ${Math.round(await tryWorker())} ms` }
  } catch (thrown) {
    const remedy = "install the package again; in an app of yours set workerUrl"
    return { area, mark: "bad", sentence: `a worker does not start: ${messageOf(thrown)}`, remedy }
  }
}

export async function journalFinding(): Promise<Finding> {
  const area = "journal"
  try {
    const folder = stateFolder()
    ensurePrivate(folder)
    if ((await sqliteLibrary()) === undefined)
      return { area, mark: "note", sentence: "there is no SQLite: tasks are not kept" }
    return { area, mark: "ok", sentence: `tasks are kept in ${folder}` }
  } catch (thrown) {
    return { area, mark: "bad", sentence: messageOf(thrown) }
  }
}
