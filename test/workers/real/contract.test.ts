import { afterAll } from "bun:test"

import { SystemClock } from "../../../src/adapters/system-clock.ts"
import { WorkerPool } from "../../../workers/pool.ts"
import { testThreads } from "../../contract/threads.ts"
import { NotingTransport } from "../../helpers/noting-transport.ts"

const clock = new SystemClock()
afterAll(() => clock[Symbol.dispose]())
const workerUrl = new URL("../../helpers/puppet-worker.ts", import.meta.url)

testThreads({
  create: () =>
    new WorkerPool({ transport: new NotingTransport(), clock, maxWorkers: 2, isolation: "pool", workerUrl }),
})
