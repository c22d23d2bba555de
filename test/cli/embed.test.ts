import { expect, test } from "bun:test"
import { run, watchTraces } from "../helpers/command.ts"

test("scripts/embed.ts prints what happens as it happens, then a summary, and leaves nothing behind", async () => {
  using traces = watchTraces()
  const { exitCode, stdout, stderr } = await run([process.execPath, "scripts/embed.ts"], traces)
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" })
  for (const name of ["Find the login code", "How sessions end", "Review the session design"]) {
    const words = stdout.split("\n").filter((line) => line.includes(name))
    expect(words[0]).toMatch(/^queued /)
    expect(words[1]).toMatch(/^started /)
    expect(words.at(-1)).toMatch(/^settled .*: FINISHED$/)
  }
  // Two at a time: the third starts when the first is settled.
  expect(stdout).toMatch(/settled [^]*started {2}Review/)
  expect(stdout).toMatch(/\n3 tasks in \d+ ms; one after another \d+ ms\n$/)
  expect(traces.left()).toEqual({ files: [], processes: [] })
}, 60_000)
