import { createRequire } from "node:module"
import run from "./peer-worker.ts"

interface Poolifier {
  readonly ThreadWorker: new (run: (data: never) => unknown) => unknown
}

const require = createRequire(import.meta.url)
const PEER = "poolifier"
const { ThreadWorker } = require(PEER) as Poolifier

const worker: unknown = new ThreadWorker(run)
export default worker
