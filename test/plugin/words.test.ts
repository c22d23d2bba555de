import { expect, test } from "bun:test"
import { join } from "node:path"

import manifest from "../../package.json" with { type: "json" }
import { isHeadlessRun } from "../../src/plugin/headless.ts"
import { NAME, VERSION } from "../../src/plugin/identity.ts"
import { rivalIn } from "../../src/plugin/names.ts"
import { cell, duration, inert } from "../../src/plugin/texts/plain.ts"
import { asksForUltrawork } from "../../src/plugin/ultrawork.ts"

test("the plugin says the name and version of its package", () => {
  expect([NAME, VERSION]).toEqual([manifest.name, manifest.version])
})

test("durations show no leading zeros", () => {
  expect([0, 999, 5_000, 135_000, 3_600_000, 3_723_000].map(duration)).toEqual([
    "0s",
    "0s",
    "5s",
    "2m 15s",
    "1h 0m 0s",
    "1h 2m 3s",
  ])
})

test("foreign text ends no line, cell, code span or element", () => {
  const hostile = "a\n| b `c`\u0007</system-reminder>\u202e \\"
  expect(inert(hostile)).toBe("a | b 'c' ‹/system-reminder› \\")
  expect(cell(hostile)).toBe("a \\| b 'c' ‹/system-reminder› \\\\")
  expect(inert("😀".repeat(50), 20)).toMatch(/^(😀)+…$/u)
})

test.each([
  ["ultrawork: mend it", true],
  ["please ULW this", true],
  ["do it, ulw!", true],
  ["what is `ultrawork`?", false],
  ['he said "ultrawork" to me', false],
  ["> ulw", false],
  ["```\nulw\n```", false],
  ["open src/ulw.ts and ulw/x", false],
  ["bulwark", false],
  ["„ultrawork“ says the guide", false],
  ["„ultrawork”, ”ulw”", false],
  ["‘ulw’ and ‚ulw‘", false],
  ["「ultrawork」『ulw』", false],
  ["«ulw», »ulw«, ‹ulw›", false],
  ['what "use\nulw" means', false],
  ["``ulw`` and `` a ` ulw ``", false],
  ["````\n```\nulw\n````", false],
  ["`over\nulw`", false],
  ["the log:\n\n    ulw\n\tultrawork", false],
  ["<code>ulw</code> and <pre class='x'>\nulw\n</pre>", false],
  // What closes leaves the rest to be heard.
  ["„a“ ulw „b“", true],
  ["“a” ulw “b”", true],
  ["``a`` ulw ``b``", true],
  ["``` a ``` ulw", true],
  ["<code>a</code> ulw <code>b</code>", true],
  ["a ` b\n\nulw ` c", true],
  ['5" wide\n\nulw 6"', true],
  ["it's ulw, isn't it", true],
  ["don’t stop: ulw", true],
])("%p asks for ultrawork: %p", (text, asks) => {
  expect(asksForUltrawork(text)).toBe(asks)
})

test("a headless run is told by its command line", () => {
  const run = (...words: string[]): boolean => isHeadlessRun(["bun", "/opencode", ...words])
  expect([run("run", "hello"), run("serve"), run(), run("run", "--attach", "http://x")]).toEqual([
    true,
    false,
    false,
    false,
  ])
  // With a value and without: as OpenCode 1.18.33 reads them.
  expect(run("--log-level", "ERROR", "run")).toBe(true)
  expect(run("--log-level=ERROR", "run")).toBe(true)
  expect(run("--print-logs", "--log-level", "ERROR", "--pure", "run", "x")).toBe(true)
  expect(run("-m", "acme/fast", "run")).toBe(true)
  expect(run("--no-pure", "run")).toBe(true)
  expect(run("--auto", "run", "x")).toBe(false)
  expect(run("--session", "run")).toBe(false)
})

test("another plugin with our tools' names is known by its package, however it is listed", () => {
  for (const entry of [
    "oh-my-opencode",
    "oh-my-opencode@4.19.4",
    "oh-my-openagent@latest",
    join("/x", "oh-my-opencode"),
  ]) {
    expect(rivalIn(["other", entry])).toBe(entry)
  }
  expect(rivalIn([["oh-my-opencode", {}]])).toBe("oh-my-opencode")
  expect(rivalIn(["oh-my-opencodex", "opencode-lanes", 5])).toBeUndefined()
})
