/** What a reader of the page can choose, zoom, copy and take away; before tasks written by hand. */

import { expect, test } from "bun:test"
import type { Page as Tab } from "playwright-core"

import { LanesError } from "../../src/index.ts"
import { servePage } from "../../src/page/server.ts"
import { useBrowser } from "../helpers/browser.ts"
import { StubSource, stubRow } from "../helpers/stub-source.ts"

const browser = useBrowser()
const MINUTE = 60_000

/** Six tasks of two agents, two models and two conversations, in every state there is; the last one `agoMs` ago. */
function tasks(agoMs = 0): StubSource {
  const source = new StubSource()
  const states = ["completed", "error", "cancelled", "running", "running", "pending"] as const
  states.forEach((state, n) => {
    const settled = state === "completed" || state === "error" || state === "cancelled"
    if (agoMs > 0 && !settled) return
    const queuedAt = Date.now() - agoMs - (6 - n) * 10_000
    const { startedAt: _, ...row } = stubRow({
      id: `bg_${n}0000000`,
      order: n,
      state,
      queuedAt,
      createdAt: queuedAt,
      sessionID: `ses_${n}`,
      lastTool: n === 3 ? "grep" : "read",
      tokens: { input: 1_000, output: 0, reasoning: 0, cacheRead: 0, cacheWrite: 0 },
      cost: 0.25,
      ...(settled ? { settledAt: queuedAt + 5_000 } : {}),
      spec: {
        description: `Task ${n}`,
        agent: n % 2 === 0 ? "explore" : "oracle",
        model: n < 3 ? "acme/fast" : "globex/large",
        parent: { sessionID: n < 2 ? "ses_a" : "ses_b", batch: "msg_1" },
        server: "http://127.0.0.1:4096",
        directory: "/projects/shop",
      },
    })
    source.put(state === "pending" ? row : { ...row, startedAt: queuedAt + 1_000 })
  })
  source.lanes = [{ lane: "default", used: 2, limit: 2, queued: 1 }]
  return source
}

const shown = (tab: Tab): Promise<string[]> =>
  tab.$$eval(".row", (rows) =>
    rows.map((row) => (row as unknown as { dataset: Record<string, string> }).dataset["task"] ?? "").toSorted(),
  )
const pressed = (yes: string): string => `.follow[aria-pressed="${yes}"]`
const ids = (...numbers: number[]): string[] => numbers.map((n) => `bg_${n}0000000`)

test("filters by state, agent, model, parent and words, together, and clears them", async () => {
  await using page = await servePage(tasks(), { token: false, title: "shop" })
  await using b = await browser.tab()
  await b.tab.goto(page.url)
  await b.tab.locator(".row").nth(5).waitFor()
  const fits = async (...numbers: number[]): Promise<void> => {
    await b.tab.locator(".axis .label", { hasText: `${numbers.length} task` }).waitFor()
    expect(await shown(b.tab)).toEqual(ids(...numbers))
  }
  await fits(0, 1, 2, 3, 4, 5)
  await b.tab.getByRole("button", { name: /^running/ }).click()
  await fits(3, 4)
  await b.tab.getByRole("button", { name: /^failed/ }).click()
  await fits(1, 3, 4)
  await b.tab.getByLabel("Agent").selectOption("oracle")
  await fits(1, 3)
  await b.tab.getByLabel("Model").selectOption("globex/large")
  await fits(3)
  await b.tab.getByRole("button", { name: "clear" }).click()
  await fits(0, 1, 2, 3, 4, 5)
  await b.tab.getByLabel("Parent conversation").selectOption("ses_a")
  await fits(0, 1)
  await b.tab.getByLabel("Parent conversation").selectOption("")
  await b.tab.getByLabel("Filter by words, id or tool").fill("GREP")
  await fits(3)
  await b.tab.getByLabel("Filter by words, id or tool").fill("nothing like it")
  await b.tab.getByText("No task fits the filter.").waitFor()
  // The whole is told, whatever is shown of it.
  const totals = await b.tab.locator(".totals div").allTextContents()
  expect(totals.map((text) => text.replace(/\s+/g, " ").trim())).toEqual([
    "running2",
    "queued1",
    "done1",
    "failed1",
    "cost$1.50",
    "tokens6k",
  ])
  expect(await b.tab.title()).toBe("2 running, 1 queued · shop · lanes")
  expect(b.errors).toEqual([])
}, 30_000)

test("looks closer, moves, follows now again, and fits all there is", async () => {
  await using page = await servePage(tasks(), { token: false })
  await using b = await browser.tab()
  await b.tab.goto(page.url)
  await b.tab.locator(".row").nth(5).waitFor()
  const follow = b.tab.getByRole("button", { name: "Follow now" })
  const following = (): Promise<string | null> => follow.getAttribute("aria-pressed")
  /** Pixels a second takes: the distance of the axis's first two marks over what they say. Those at the edge say nothing. */
  const scale = (): Promise<number> =>
    b.tab.$$eval(".load g:has(text)", (marks) => {
      const [x0 = 0, x1 = 0] = marks.map((mark) => Number(mark.querySelector("line")?.getAttribute("x1")))
      const [s0 = 0, s1 = 0] = marks.map((mark) => Number(new Date(`1970-01-01T${mark.textContent ?? ""}Z`)) / 1_000)
      return (x1 - x0) / ((s1 - s0 + 86_400) % 86_400)
    })
  expect(await following()).toBe("true")
  const first = await scale()
  await b.tab.getByRole("button", { name: "Look closer" }).click()
  await b.tab.getByRole("button", { name: "Look closer" }).click()
  let closer = await scale()
  while (!(closer > first * 1.9)) closer = await scale()
  expect(await following()).toBe("true")
  // Whoever looks into the past is not carried away by now.
  await b.tab.locator(".rows").focus()
  await b.tab.keyboard.press("ArrowLeft")
  await b.tab.locator(pressed("false")).waitFor()
  await b.tab.keyboard.press("f")
  await b.tab.locator(pressed("true")).waitFor()
  expect(await scale()).toBeCloseTo(closer, 1)
  await b.tab.getByRole("button", { name: "Fit" }).click()
  expect(await following()).toBe("false")
  await b.tab.locator(".beyond").first().waitFor({ state: "detached" })
  await follow.click()
  expect(await following()).toBe("true")
  expect(b.errors).toEqual([])
}, 30_000)

test("when all is long over, it shows the last of it instead of an empty hour, and follows what begins", async () => {
  const source = tasks(300 * MINUTE)
  await using page = await servePage(source, { token: false })
  await using b = await browser.tab()
  await b.tab.goto(page.url)
  await b.tab.locator(".row").nth(2).waitFor()
  expect(await b.tab.getByRole("button", { name: "Follow now" }).getAttribute("aria-pressed")).toBe("false")
  expect([await b.tab.locator(".beyond").count(), await b.tab.locator(".run").count()]).toEqual([0, 3])
  source.put(stubRow({ id: "bg_new00000" }))
  source.say({ type: "task:started", id: "bg_new00000", epoch: 1, lane: "default", attempt: 1, queuedMs: 0 })
  await b.tab.locator(pressed("true")).waitFor()
  expect(b.errors).toEqual([])
}, 30_000)

test("a limit is lowered and raised by one, and lifted; why it could not be is said in its lane", async () => {
  const source = tasks()
  source.lanes.push({ lane: "provider:acme", used: 0, limit: 4, queued: 0 })
  await using page = await servePage(source, { token: false })
  await using b = await browser.tab()
  await b.tab.goto(page.url)
  await b.tab.getByRole("button", { name: "Lift the limit of provider:acme" }).click()
  await b.tab.getByRole("button", { name: "Raise the limit of default" }).click()
  await b.tab.getByRole("button", { name: "Lower the limit of default" }).click()
  Object.assign(source, { setLimits: () => Promise.reject(new LanesError("SERVER_TIMEOUT", "It has not answered.")) })
  await b.tab.getByRole("button", { name: "Raise the limit of default" }).click()
  await b.tab.locator(".lane .wrong", { hasText: "It has not answered." }).waitFor()
  // `default` is always limited.
  expect(await b.tab.getByRole("button", { name: /^Lift/ }).count()).toBe(1)
  expect(source.asked).toEqual([
    ["setLimits", { providerConcurrency: { acme: 0 } }],
    ["setLimits", { defaultConcurrency: 3 }],
    ["setLimits", { defaultConcurrency: 1 }],
  ])
  const head = await b.tab.locator(".lane .next").first().textContent()
  expect(head).toMatch(/^Task 5 is next, for [\d.]+s; 2 runs before it, the oldest [\d.]+s$/)
  expect(b.errors).toEqual([])
}, 30_000)

test("ids are copied, the session opens in OpenCode, events are taken away as a file", async () => {
  const source = tasks()
  await using page = await servePage(source, { token: false })
  await using b = await browser.tab({ permissions: ["clipboard-read", "clipboard-write"] })
  await b.tab.goto(page.url)
  await b.tab.click('.row[data-task="bg_30000000"]')
  const copied = (): Promise<string> => b.tab.evaluate("navigator.clipboard.readText()")
  await b.tab.getByRole("button", { name: "Copy the task's id" }).click()
  await b.tab.locator(".copied", { hasText: "copied" }).waitFor()
  expect(await copied()).toBe("bg_30000000")
  const session = b.tab.getByRole("button", { name: "Copy the session's id" })
  await session.click()
  await session.locator(".copied", { hasText: "copied" }).waitFor()
  expect(await copied()).toBe("ses_3")
  const link = b.tab.getByRole("link", { name: "Open in OpenCode" })
  const folder = Buffer.from("/projects/shop").toString("base64url")
  expect(await link.getAttribute("href")).toBe(`http://127.0.0.1:4096/${folder}/session/ses_3`)

  for (const steps of [1, 2])
    source.say({ type: "task:progress", id: "bg_30000000", epoch: 1, steps, tool: "grep", tokens: steps, cost: 0 })
  const downloading = b.tab.waitForEvent("download")
  await b.tab.getByRole("link", { name: "JSONL" }).click()
  const download = await downloading
  expect(download.suggestedFilename()).toBe("lanes-events.jsonl")
  const lines = (await Bun.file(await download.path()).text()).trimEnd().split("\n")
  expect(lines.map((line) => JSON.parse(line) as object)).toMatchObject([
    { type: "task:progress", id: "bg_30000000", steps: 1 },
    { type: "task:progress", id: "bg_30000000", steps: 2 },
  ])
  expect(b.errors).toEqual([])
}, 30_000)
