import type { Threads } from "../../src/coordinator/ports.ts"
import type { RunReport, ThreadReport } from "../../src/core/inputs.ts"
import type { RunRef } from "../../src/core/task.ts"
import { runKey } from "../../workers/link.ts"

export type Report = RunReport | ThreadReport

/** Everything threads reported, and a way to wait for what they have not reported yet. */
export class Heard {
  readonly all: Report[] = []
  readonly #waiting = new Set<(report: Report) => void>()

  constructor(threads: Threads) {
    threads.listen((report) => {
      this.all.push(report)
      for (const look of [...this.#waiting]) look(report)
    })
  }

  /** The first report of this type that fits; waits until there is one. */
  async until<T extends Report["type"]>(
    type: T,
    fits: (report: Extract<Report, { type: T }>) => boolean = () => true,
  ): Promise<Extract<Report, { type: T }>> {
    const isIt = (report: Report): report is Extract<Report, { type: T }> =>
      report.type === type && fits(report as Extract<Report, { type: T }>)
    const said = this.all.find(isIt)
    if (said !== undefined) return said
    const { promise, resolve } = Promise.withResolvers<Extract<Report, { type: T }>>()
    const look = (report: Report): void => {
      if (!isIt(report)) return
      this.#waiting.delete(look)
      resolve(report)
    }
    this.#waiting.add(look)
    return promise
  }

  /** Waits for a report of one run. */
  of<T extends RunReport["type"]>(
    run: RunRef,
    type: T,
    fits: (report: Extract<RunReport, { type: T }>) => boolean = () => true,
  ): Promise<Extract<Report, { type: T }>> {
    return this.until(type, (report) => {
      const own = report as Extract<RunReport, { type: T }>
      return runKey(own.run) === runKey(run) && fits(own)
    })
  }

  /** What one run has reported so far. */
  saidBy(run: RunRef): RunReport[] {
    return this.all.filter((report): report is RunReport => "run" in report && runKey(report.run) === runKey(run))
  }
}
