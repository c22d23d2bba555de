/** Ctrl-C before there are tasks: while a command waits for the server it starts. Here that is a program which never answers. */

import { expect, test } from "bun:test"
import { chmodSync, existsSync, mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { LANES, watchTraces } from "../helpers/command.ts"
import { leaveRows } from "../helpers/journals.ts"
import { until } from "../helpers/processes.ts"
import { rowOf } from "../helpers/rows.ts"

const TASKS = '{"prompt":"Find it."}\n{"prompt":"Explain it."}\n'

test.each([
  ["run", ["run", "Find it."]],
  ["batch", ["batch", "-"]],
  ["resume", ["resume"]],
])(
  "lanes %s leaves at once, says so, and takes its server with it",
  async (verb, words) => {
    using traces = watchTraces()
    const started = join(traces.folder, "started")
    const binary = join(traces.folder, "opencode")
    writeFileSync(binary, `#!/bin/sh\n: > '${started}'\nexec sleep 600\n`)
    chmodSync(binary, 0o755)
    const directory = join(traces.folder, "project")
    mkdirSync(directory)
    if (verb === "resume") await leaveRows(String(traces.env["XDG_STATE_HOME"]), directory, [rowOf()])

    const child = Bun.spawn([...LANES, ...words], {
      cwd: directory,
      env: { ...traces.env, OPENCODE_BIN: binary, LANES_SERVER: "spawn" },
      stdin: new Blob([TASKS]),
      stdout: "pipe",
      stderr: "pipe",
    })
    await until(() => existsSync(started), 10_000)
    child.kill("SIGINT")
    const [stdout, stderr] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
    expect({ code: await child.exited, stdout }).toEqual({ code: 130, stdout: "" })
    expect(stderr).toMatch(/Starting OpenCode\n.*Stopping; Ctrl-C again leaves at once\n$/)
    expect(traces.left().processes).toEqual([])
  },
  15_000,
)
