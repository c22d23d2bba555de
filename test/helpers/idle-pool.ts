import { SystemClock } from "../../src/adapters/system-clock.ts"
import { WorkerPool } from "../../workers/pool.ts"
import { assignmentOf, runOf, STOP } from "./assignments.ts"
import { Heard } from "./heard.ts"
import { NotingTransport } from "./noting-transport.ts"

// A program that runs one run to its end and then has nothing left to do: it exits, though a worker rests.
const pool = new WorkerPool({
  transport: new NotingTransport(),
  clock: new SystemClock(),
  maxWorkers: 1,
  isolation: "pool",
  workerUrl: new URL("./puppet-worker.ts", import.meta.url),
})
const heard = new Heard(pool)
const run = runOf("bg_1")
pool.run(assignmentOf(run))
await heard.of(run, "prompted")
pool.command(run, STOP)
await heard.of(run, "stopped")
process.stdout.write("stopped\n")
