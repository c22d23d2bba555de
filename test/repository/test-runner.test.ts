/** The runner of the tests sees what could make a failure look like success. */
import { expect, test } from "bun:test"
import { existsSync } from "node:fs"
import { join } from "node:path"
import { ROOT, ScratchTree, type Said } from "./scratch-tree.ts"

const LIMIT_MS = 20_000
const PASSING = 'import { test } from "bun:test"\n\ntest("passes", () => {})\n'

function run(files: Readonly<Record<string, string>>, ...filters: string[]): Said & { last: string } {
  using tree = new ScratchTree({ "package.json": "{}", ...files })
  const said = tree.run(["bun", join(ROOT, "scripts/test.ts"), ...filters])
  return { ...said, last: said.output.split("\n").findLast((line) => / passed, /.test(line)) ?? "" }
}

test(
  "passing tests of both kinds are added up, and a filter chooses among them",
  () => {
    const files = { "test/core/a.test.ts": PASSING, "test/e2e/b.test.ts": PASSING }
    expect(run(files)).toMatchObject({ code: 0, last: "2 passed, 0 failed" })
    expect(run(files, "--", "core/")).toMatchObject({ code: 0, last: "1 passed, 0 failed" })
  },
  LIMIT_MS,
)

test(
  "the real workers run on both versions of Bun",
  () => {
    const version = 'import { test } from "bun:test"\n\ntest("v", () => console.log("on", Bun.version))\n'
    const { output, last } = run({ "test/workers/real/v.test.ts": version })
    expect(output).toContain(`on ${Bun.version}`)
    expect(output).toContain("on 1.3.14")
    expect(last).toBe("2 passed, 0 failed")
  },
  LIMIT_MS,
)

test(
  "nothing executed is a failure",
  () => {
    expect(run({ "test/a.test.ts": PASSING }, "no-such-file")).toMatchObject({ code: 1, last: "0 passed, 0 failed" })
  },
  LIMIT_MS,
)

test(
  "a file that does not load is a failure, and so is one without a test",
  () => {
    const { code, output, last } = run({
      "test/a.test.ts": PASSING,
      "test/b.test.ts": 'throw new Error("at load")\n',
      "test/c.test.ts": "export {}\n",
    })
    expect(code).toBe(1)
    expect(output).toContain("test/b.test.ts: failed to load or contains no test")
    expect(output).toContain("test/c.test.ts: failed to load or contains no test")
    expect(last).toBe("1 passed, 2 failed")
  },
  LIMIT_MS,
)

test(
  "a crash is a failure",
  () => {
    const crash = 'import { test } from "bun:test"\n\ntest("x", () => void process.kill(process.pid, "SIGKILL"))\n'
    const { code, output } = run({ "test/a.test.ts": crash })
    expect(code).toBe(1)
    expect(output).toContain("ended with SIGKILL and reported no test")
  },
  LIMIT_MS,
)

test(
  "skipped tests are counted, and do not count as passed",
  () => {
    const skipped = 'import { test } from "bun:test"\n\ntest.skip("later", () => {})\n'
    expect(run({ "test/a.test.ts": skipped })).toMatchObject({ code: 1, last: "0 passed, 0 failed, 1 skipped" })
  },
  LIMIT_MS,
)

test.skipIf(process.platform !== "linux")(
  "a process left behind is named, fails its file and is ended",
  async () => {
    const leaves = `import { test } from "bun:test"

test("leaves a process in a session of its own, without environment", () => {
  Bun.spawn(["setsid", "sleep", "97"], { env: {}, stdio: ["ignore", "ignore", "ignore"] }).unref()
})
`
    const { code, output, last } = run({ "test/e2e/a.test.ts": leaves })
    const pid = /left process (\d+) behind: sleep 97/.exec(output)?.[1]
    expect(code).toBe(1)
    expect(last).toBe("1 passed, 1 failed")
    expect(pid).toBeDefined()
    // Ended is enough: until its parent counts it, a dead process keeps its row.
    const status = `/proc/${pid}/status`
    expect(existsSync(status) ? await Bun.file(status).text() : "State:\tZ").toContain("State:\tZ")
  },
  LIMIT_MS,
)

test(
  "tables that tests write are shown above the totals",
  () => {
    const writes = `import { test } from "bun:test"

test("writes", async () => {
  await Bun.write(\`\${process.env.LANES_REPORT}/table.md\`, "| lane | waited |\\n")
})
`
    const { output } = run({ "test/a.test.ts": writes })
    expect(output.indexOf("| lane | waited |")).toBeGreaterThan(-1)
    expect(output.indexOf("| lane | waited |")).toBeLessThan(output.indexOf("1 passed, 0 failed"))
  },
  LIMIT_MS,
)
