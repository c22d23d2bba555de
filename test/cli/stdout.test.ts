/** When stdout takes nothing, or nobody reads it any more. */

import { describe, expect, test } from "bun:test"
import { existsSync } from "node:fs"
import { LANES, quoted, run, watchTraces } from "../helpers/command.ts"
import type { Ended } from "../helpers/command.ts"

/** Runs `lanes …` with a shell's word on where its output goes; the code is that of `lanes`. */
async function lanes(line: string): Promise<Ended> {
  using traces = watchTraces()
  return run(["bash", "-c", `${quoted(LANES)} ${line}; exit "\${PIPESTATUS[0]}"`], { env: traces.env })
}

test.skipIf(!existsSync("/dev/full"))("what cannot be written is a failure, and said", async () => {
  expect(await lanes("help > /dev/full")).toMatchObject({
    exitCode: 1,
    stderr: expect.stringMatching(/^error: What belongs on stdout cannot be written there: ENOSPC.*\n$/),
  })
})

describe("a reader that leaves early", () => {
  test("is no failure of a command that is over", async () => {
    expect(await lanes("help | true")).toEqual({ exitCode: 0, stdout: "", stderr: "" })
  })

  test("ends a command that goes on", async () => {
    expect(await lanes("doctor --server http://127.0.0.1:9 | true")).toEqual({ exitCode: 1, stdout: "", stderr: "" })
    const { exitCode, stderr } = await lanes("serve | true")
    expect(exitCode).toBe(0)
    expect(stderr).toMatch(/^The link opens one browser, once\..*\n$/)
  })
})
