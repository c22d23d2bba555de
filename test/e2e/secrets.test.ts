/** The password of the server, given in three ways, is found in nothing that is written for others to read. */

import { expect, test } from "bun:test"
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

import { createLanes } from "../../src/index.ts"
import type { CreateOptions } from "../../src/index.ts"
import { scripted, useOpenCode } from "../helpers/opencode.ts"

const oc = useOpenCode()

const WAYS: readonly (readonly [string, () => Partial<CreateOptions>])[] = [
  ["as an option", () => ({ server: oc.url, password: oc.password })],
  ["in the address", () => ({ server: oc.url.replace("://", `://opencode:${encodeURIComponent(oc.password)}@`) })],
  ["by the environment", () => ({ server: oc.url })],
]

test.each(WAYS)("%s", async (way, options) => {
  const folder = mkdtempSync(join(tmpdir(), "lanes-secrets-"))
  const before = process.env["OPENCODE_SERVER_PASSWORD"]
  if (way === "by the environment") process.env["OPENCODE_SERVER_PASSWORD"] = oc.password
  const said: string[] = []
  try {
    await using lanes = await createLanes({
      server: oc.url,
      ...options(),
      directory: oc.directory,
      journal: { folder },
      configFiles: false,
      page: true,
      log: (message) => said.push(message),
    })
    const leak = `env says OPENCODE_SERVER_PASSWORD=${oc.password}`
    const turns = [{ tools: [{ name: "grep", args: { pattern: oc.password } }] }, { text: leak }]
    const id = way.replaceAll(" ", "-")
    const outcome = await (
      await lanes.launch({ prompt: scripted(`Play ${id}`, { id, turns }), description: leak })
    ).done
    // Who asked for it gets what the agent said.
    expect(outcome.text).toBe(leak)
  } finally {
    if (before === undefined) delete process.env["OPENCODE_SERVER_PASSWORD"]
    else process.env["OPENCODE_SERVER_PASSWORD"] = before
  }
  const written = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name)))
  rmSync(folder, { recursive: true })
  expect(written.length).toBeGreaterThan(0)
  expect(written.some((bytes) => bytes.includes("env says OPENCODE_SERVER_PASSWORD=•••"))).toBe(true)
  expect(written.filter((bytes) => bytes.includes(oc.password))).toEqual([])
  expect(said.filter((line) => line.includes(oc.password))).toEqual([])
})
