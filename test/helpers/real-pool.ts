import { afterAll, afterEach } from "bun:test"

import { SystemClock } from "../../src/adapters/system-clock.ts"
import type { Assignment } from "../../src/core/effects.ts"
import type { RunRef } from "../../src/core/task.ts"
import { WorkerPool } from "../../workers/pool.ts"
import type { PoolOptions } from "../../workers/pool.ts"
import { assignmentOf, promptOf } from "./assignments.ts"
import { Heard } from "./heard.ts"
import { NotingTransport } from "./noting-transport.ts"

export interface RealPool {
  readonly pool: WorkerPool
  readonly heard: Heard
  readonly transport: NotingTransport
  /** Starts a run that does this (see `puppet.ts`). */
  start(run: RunRef, ...orders: string[]): RunRef
  startWith(run: RunRef, change: Partial<Assignment>): RunRef
  /** Gives a run one more order. */
  order(run: RunRef, order: string): void
}

/** Pools of real workers with puppets in them, closed after each test. */
export function realPools(): (options?: Partial<PoolOptions>) => RealPool {
  const clock = new SystemClock()
  const opened: WorkerPool[] = []
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((pool) => pool.close()))
  })
  afterAll(() => clock[Symbol.dispose]())

  return (options = {}) => {
    const transport = new NotingTransport()
    const pool = new WorkerPool({
      transport,
      clock,
      maxWorkers: 2,
      isolation: "pool",
      workerUrl: new URL("./puppet-worker.ts", import.meta.url),
      heartbeatMs: 50,
      ...options,
    })
    opened.push(pool)
    const heard = new Heard(pool)
    let n = 0
    const startWith = (run: RunRef, change: Partial<Assignment>): RunRef => {
      pool.run(assignmentOf(run, change))
      return run
    }
    return {
      pool,
      heard,
      transport,
      startWith,
      start: (run, ...orders) =>
        startWith(run, { prompts: ["begin", ...orders].map((text, at) => promptOf(at, text)) }),
      order: (run, order) => {
        n += 1
        pool.command(run, { type: "prompt", prompt: promptOf(100 + n, order) })
      },
    }
  }
}
