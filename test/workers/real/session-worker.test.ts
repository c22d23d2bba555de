import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, describe, expect, test } from "bun:test"

import { assignmentOf, runOf } from "../../helpers/assignments.ts"
import { realPools } from "../../helpers/real-pool.ts"

const open = realPools()
const root = new URL("../../../", import.meta.url).pathname
const folder = mkdtempSync(join(tmpdir(), "lanes-bundle-"))
afterAll(() => rmSync(folder, { recursive: true }))

/** Bundled as an app does: the pool as a part of it, the worker beside it. */
async function bundle(): Promise<void> {
  const built = await Bun.build({
    entrypoints: [join(root, "workers/pool.ts"), join(root, "workers/session-worker.ts")],
    outdir: folder,
    target: "bun",
    minify: true,
  })
  expect(built.success).toBe(true)
}

describe("session-worker", () => {
  test("drives a session over the carried fetch, from source", async () => {
    const { pool, heard, transport } = open({
      workerUrl: new URL("../../../workers/session-worker.js", import.meta.url),
    })
    pool.run(assignmentOf(runOf("bg_a")))
    await transport.until(({ asked }) => asked.length > 0)
    expect(transport.asked[0]).toMatch(/^POST \/session(\?|$)/)
    expect(heard.all[0]).toEqual({ type: "worker-started", worker: "worker-1" })
  })

  test("and from a bundle, where the pool finds it beside itself", async () => {
    await bundle()
    const script = join(folder, "app.mjs")
    await Bun.write(
      script,
      `import { WorkerPool } from "./pool.js"
       const clock = { now: () => performance.now(), wall: () => 0, setTimer: (ms, f) => { const t = setTimeout(f, ms); return () => clearTimeout(t) } }
       const { promise, resolve } = Promise.withResolvers()
       const transport = { fetch: async ({ method, path }) => (resolve(method + " " + path), { status: 404, headers: {}, body: "{}" }) }
       const pool = new WorkerPool({ transport, clock, maxWorkers: 1, isolation: "pool" })
       pool.listen((report) => { if (report.type === "worker-lost") resolve(report.cause) })
       pool.run(${JSON.stringify(assignmentOf(runOf("bg_a")))})
       const asked = await promise
       await pool.close()
       process.stdout.write(asked)`,
    )
    const child = Bun.spawn([process.execPath, script], { cwd: folder, stdout: "pipe", stderr: "inherit" })
    expect(await new Response(child.stdout).text()).toMatch(/^POST \/session(\?|$)/)
    expect(await child.exited).toBe(0)
  })
})
