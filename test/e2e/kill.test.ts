import { expect, test } from "bun:test"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

import { killRounds } from "../../scripts/soak/kill-rounds.ts"
import { useOpenCode } from "../helpers/opencode.ts"
import { report } from "../helpers/report.ts"

const oc = useOpenCode()

test("a host that is killed at any point loses no task, prompts none twice and tells each once", async () => {
  const folder = mkdtempSync(join(tmpdir(), "lanes-kill-"))
  try {
    const { url, password, directory, client, model } = oc
    const result = await killRounds(
      { url, password, directory, client, model, folder },
      { rounds: 5, limit: 3, launches: 6, seed: 7 },
    )
    report(
      "Killed at random points",
      ["round", "killed after", "acknowledged so far", "found again", "ready after", "integrity"],
      result.rounds.map((r) => [
        `${r.round}`,
        `${r.killedAfterMs} ms`,
        `${r.acknowledged}`,
        `${r.found}`,
        `${r.readyMs} ms`,
        r.integrity,
      ]),
    )
    expect(result.broken).toEqual([])
    expect(result.launched).toBeGreaterThan(5)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}, 200_000)
