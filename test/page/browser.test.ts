/** The live page in a real browser, before a real coordinator on the real OpenCode with the scripted model. */

import { expect, test } from "bun:test"
import { readFileSync } from "node:fs"
import type { Page as Tab } from "playwright-core"

import type { EventType } from "../../src/index.ts"
import { LanesError } from "../../src/index.ts"
import { PageState, servePage } from "../../src/page/server.ts"
import { picture, useBrowser } from "../helpers/browser.ts"
import { lanesOn } from "../helpers/lanes.ts"
import { scripted, useOpenCode } from "../helpers/opencode.ts"
import { StubSource, stubRow } from "../helpers/stub-source.ts"

// The agent `general` is denied TODOs.
const agents = {
  planner: { mode: "subagent", description: "Plans", prompt: "You plan.", permission: { todowrite: "allow" } },
}
const oc = useOpenCode({ agents })
const browser = useBrowser()
const axe = readFileSync(new URL(import.meta.resolve("axe-core/axe.min.js")), "utf8")

const row = (id: string): string => `.row[data-task="${id}"]`
const inState = (id: string, state: string): string => `${row(id)}[data-state="${state}"]`
const endless = { stream: { chunks: 600, everyMs: 100 } }

const todos = (...list: readonly (readonly [content: string, status: string])[]) => ({
  name: "todowrite",
  args: { todos: list.map(([content, status]) => ({ content, status, priority: "high" })) },
})

/** Sentences about what axe finds serious or critical. */
async function serious(tab: Tab): Promise<string[]> {
  await tab.evaluate(axe)
  return tab.evaluate(async () => {
    const run = (
      globalThis as unknown as {
        axe: {
          run(): Promise<{
            violations: { impact: string; id: string; nodes: { html: string; failureSummary: string }[] }[]
          }>
        }
      }
    ).axe
    const { violations } = await run.run()
    return violations
      .filter(({ impact }) => impact === "serious" || impact === "critical")
      .flatMap(({ id, nodes }) =>
        nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 160)} ${failureSummary}`),
      )
  })
}

/** Notes the id of every message the page's streams bring, from its first script on. */
async function noteFrames(tab: Tab): Promise<() => Promise<string[]>> {
  await tab.addInitScript(() => {
    const page = globalThis as unknown as {
      EventSource: new (url: string) => {
        addEventListener(type: string, on: (event: { lastEventId: string }) => void): void
      }
      frames: string[]
    }
    const Original = page.EventSource
    page.frames = []
    page.EventSource = class extends Original {
      constructor(url: string) {
        super(url)
        this.addEventListener("message", ({ lastEventId }) => page.frames.push(lastEventId))
      }
    }
  })
  return () => tab.evaluate(() => (globalThis as unknown as { frames: string[] }).frames)
}

test("tasks appear and move without a reload, lanes and totals with them", async () => {
  await using t = await lanesOn(oc, { config: { providerConcurrency: { acme: 1 } } })
  await using page = await servePage(t.lanes, { directory: oc.directory })
  await using b = await browser.tab()
  await b.tab.goto(page.link())
  await b.tab.getByText("No tasks yet.").waitFor()
  expect(new URL(b.tab.url()).hash).toBe("")

  const first = await t.run(
    {
      id: "pg-one",
      turns: [
        { tools: [{ name: "grep", args: { pattern: "login" } }] },
        { stream: { chunks: 10, everyMs: 100 }, text: "Found it in src/login.ts" },
      ],
    },
    { description: "Find the login", model: "acme/fast" },
  )
  const second = await t.run(
    { id: "pg-two", turns: [{ wait: 200, text: "Done as well" }] },
    { description: "Wait for it", model: "acme/fast" },
  )
  await b.tab.waitForSelector(inState(first.id, "running"))
  await b.tab.waitForSelector(inState(second.id, "pending"))
  const lane = b.tab.getByLabel("Lane provider:acme", { exact: true })
  expect(await lane.locator(".num").textContent()).toBe("1/1")
  expect(await lane.locator(".queue").textContent()).toBe("queue 1")
  expect(await lane.locator(".next").textContent()).toMatch(/^Wait for it is next, for [\d.]+s; 1 run before it/)

  await b.tab.waitForSelector(inState(first.id, "completed"))
  await b.tab.waitForSelector(inState(second.id, "completed"))
  await b.tab.locator('[data-total="done"] dd', { hasText: "2" }).waitFor()
  await b.tab.waitForSelector(`${row(first.id)} .mark.tool`, { state: "attached" })

  await b.tab.click(row(first.id))
  await b.tab.locator(".detail .result", { hasText: "Found it in src/login.ts" }).waitFor()
  await b.tab.getByRole("button", { name: "show", exact: true }).click()
  await b.tab.locator(".transcript article.assistant .tool", { hasText: "grep" }).waitFor()
  expect(b.errors).toEqual([])
}, 60_000)

test("cancel, continue and a lane's limit work from the page", async () => {
  await using t = await lanesOn(oc, { config: { defaultConcurrency: 1 } })
  await using page = await servePage(t.lanes)
  await using b = await browser.tab()
  await b.tab.goto(page.link())
  const running = await t.run({ id: "pc-one", turns: [endless] })
  const waiting = await t.run({ id: "pc-two", turns: [endless] })
  await oc.model.waitFor(() => oc.model.calls("pc-one").length > 0)

  await b.tab.waitForSelector(inState(waiting.id, "pending"))
  await b.tab.getByRole("button", { name: "Raise the limit of default" }).click()
  await b.tab.waitForSelector(inState(waiting.id, "running"))
  expect(t.lanes.usage()).toContainEqual({ lane: "default", used: 2, limit: 2, queued: 0 })

  await b.tab.click(row(running.id))
  await b.tab.locator(".detail").getByRole("button", { name: "Cancel" }).click()
  await b.tab.getByRole("button", { name: "Really cancel?" }).click()
  await b.tab.waitForSelector(inState(running.id, "cancelled"))
  expect(t.lanes.get(running.id)?.outcome?.reason).toBe("USER")
  await oc.model.waitFor(() => oc.model.calls("pc-one").every((call) => call.aborted))

  await b.tab.locator(".continue textarea").fill(scripted("Go on", { id: "pc-on", turns: [{ text: "Went on" }] }))
  await b.tab.locator(".continue button").click()
  await b.tab.locator(".detail .result", { hasText: "Went on" }).waitFor()
  await b.tab.waitForSelector(inState(running.id, "completed"))
  expect(t.lanes.get(running.id)).toMatchObject({ epoch: 2, state: "completed" })

  await b.tab.getByRole("button", { name: "Cancel all" }).click()
  await b.tab.getByRole("button", { name: "Really cancel 1?" }).click()
  await b.tab.waitForSelector(inState(waiting.id, "cancelled"))
  expect(b.errors).toEqual([])
}, 60_000)

test("a server that was away is caught up with: every event once, none missing", async () => {
  await using t = await lanesOn(oc)
  using state = new PageState(t.lanes)
  const page = await servePage(t.lanes, { state })
  await using b = await browser.tab()
  const frames = await noteFrames(b.tab)
  await b.tab.goto(page.link())
  const before = await t.run({ id: "pr-one", turns: [{ stream: { chunks: 20, everyMs: 100 }, text: "one" }] })
  await b.tab.waitForSelector(inState(before.id, "running"))
  await page.close()
  await b.tab.getByText("connection lost").waitFor()

  const meanwhile = await t.run({ id: "pr-two", turns: [{ text: "two" }] })
  await Promise.all([before.done, meanwhile.done])
  await using again = await servePage(t.lanes, { state, port: page.port })
  await b.tab.waitForSelector(inState(before.id, "completed"))
  await b.tab.waitForSelector(inState(meanwhile.id, "completed"))
  await b.tab.waitForFunction(
    (last) => (globalThis as unknown as { frames: string[] }).frames.at(-1) === last,
    state.feed.cursor,
  )

  const numbers = (await frames()).map((id) => Number(id.split("-")[1]))
  expect(numbers).toEqual(
    Array.from({ length: state.feed.last - (numbers[0] ?? 1) + 1 }, (_, i) => (numbers[0] ?? 1) + i),
  )
  expect(numbers.length).toBeGreaterThan(10)
  expect(again.clients.now).toBe(1)
  expect(b.errors).toEqual([])
}, 60_000)

test("a server that forgot is started over with: the page shows what it knows, once", async () => {
  await using t = await lanesOn(oc)
  const page = await servePage(t.lanes, { token: false })
  await using b = await browser.tab()
  await b.tab.goto(page.url)
  const first = await t.run({ id: "pf-one", turns: [{ text: "one" }] })
  await b.tab.waitForSelector(inState(first.id, "completed"))
  await page.close()
  const second = await t.run({ id: "pf-two", turns: [{ text: "two" }] })
  await second.done
  await using again = await servePage(t.lanes, { token: false, port: page.port })
  await b.tab.waitForSelector(inState(second.id, "completed"))
  expect([await b.tab.locator(".row").count(), again.clients.now]).toEqual([2, 1])
  expect(b.errors).toEqual([])
}, 60_000)

test("the TODOs are listed with their states, as they are now and after the end", async () => {
  await using t = await lanesOn(oc)
  await using page = await servePage(t.lanes)
  await using b = await browser.tab()
  await b.tab.goto(page.link())
  const evil = `<img src=x onerror="alert(1)">`
  const first = todos(["Read the store", "completed"], [`Judge ${evil}`, "in_progress"], ["Tell", "pending"])
  const last = todos(["Read the store", "completed"], ["Tell", "completed"])
  const task = await t.run(
    {
      id: "pt",
      turns: [{ tools: [first] }, { stream: { chunks: 40, everyMs: 100 }, tools: [last] }, { text: "Told" }],
    },
    { agent: "planner" },
  )
  await b.tab.click(row(task.id))
  const items = b.tab.locator(".todos li")
  const texts = async (): Promise<string[]> =>
    (await items.allTextContents()).map((text) => text.replace(/\s+/g, " ").trim())
  await items.nth(2).waitFor()
  expect(await texts()).toEqual(["Read the store done", `Judge ${evil} in progress`, "Tell open"])
  expect(await b.tab.locator(".todos h3").textContent()).toBe("TODOs 1 of 3 done")
  await b.tab.locator(".todos h3", { hasText: "2 of 2 done" }).waitFor()
  expect(await texts()).toEqual(["Read the store done", "Tell done"])
  expect(b.errors).toEqual([])
}, 60_000)

test("TODOs and transcript of an OpenCode that does not answer: a sentence says so, the last words stay", async () => {
  const source = new StubSource()
  const gone = (): Promise<never> => Promise.reject(new LanesError("SERVER_UNREACHABLE", "Nobody answers at http://x."))
  Object.assign(source, { todos: gone, messages: gone })
  source.put(stubRow({ id: "bg_gone0000", sessionID: "ses_1", lastText: "So far I found three." }))
  await using page = await servePage(source, { token: false })
  await using b = await browser.tab()
  await b.tab.goto(page.url)
  await b.tab.click(row("bg_gone0000"))
  await b.tab.getByText("They cannot be read: Nobody answers at http://x.").waitFor()
  await b.tab.getByRole("button", { name: "show", exact: true }).click()
  await b.tab.locator(".transcript", { hasText: "Nobody answers at http://x." }).waitFor()
  await b.tab.locator(".result", { hasText: "So far I found three." }).waitFor()
  expect(b.errors).toEqual([])
}, 30_000)

test("text of a task is text, wherever it is shown", async () => {
  await using t = await lanesOn(oc, { config: { defaultConcurrency: 1 } })
  await using page = await servePage(t.lanes, { title: "<script>alert('title')</script>" })
  await using b = await browser.tab()
  let dialogs = 0
  b.tab.on("dialog", (dialog) => {
    dialogs++
    void dialog.dismiss()
  })
  await b.tab.goto(page.link())
  const evil = `<script>alert(1)</script><img src=x onerror="alert(2)"><svg onload=alert(3)>`
  const task = await t.run({ id: "px", turns: [{ wait: 300, text: `Answer ${evil}` }] }, { description: `Say ${evil}` })
  const next = await t.run({ id: "px-next", turns: [{ text: "x" }] }, { description: `Next ${evil}` })
  await b.tab.locator(".lane .next", { hasText: "<script>" }).waitFor()
  await b.tab.waitForSelector(inState(next.id, "completed"))
  await b.tab.click(row(task.id))
  await b.tab.locator(".detail .result", { hasText: evil }).waitFor()
  await b.tab.getByRole("button", { name: "show", exact: true }).click()
  await b.tab.locator(".transcript article.assistant", { hasText: evil }).waitFor()
  await b.tab.getByRole("button", { name: "Events", exact: true }).click()
  await b.tab.locator(".events .lines", { hasText: "<script>" }).waitFor()
  expect(await b.tab.locator("h1").textContent()).toContain("<script>")
  expect(
    await b.tab.evaluate(`[document.querySelectorAll("#app script, #app img").length, document.scripts.length]`),
  ).toEqual([0, 1])
  expect([dialogs, b.errors]).toEqual([0, []])
}, 60_000)

test("a page without its link is locked, and a used link does not open it", async () => {
  await using t = await lanesOn(oc)
  await using page = await servePage(t.lanes)
  const link = page.link()
  await using first = await browser.tab()
  await first.tab.goto(link)
  await first.tab.getByText("No tasks yet.").waitFor()
  // Its session is kept: a reload, and the used link itself, open it again here.
  await first.tab.reload()
  await first.tab.getByText("No tasks yet.").waitFor()
  await using second = await browser.tab()
  await second.tab.goto(link)
  await second.tab.getByText("This link has been used already.").waitFor()
  await second.tab.goto(page.url)
  await second.tab.getByText("This page is locked").waitFor()
  expect(await serious(second.tab)).toEqual([])
}, 30_000)

test("keys and a screen reader reach everything; light, dark and narrow are drawn", async () => {
  await using t = await lanesOn(oc, { config: { defaultConcurrency: 3, providerConcurrency: { acme: 2 } } })
  await using page = await servePage(t.lanes, { directory: oc.directory })
  const turns = (text: string) => [
    { tools: [{ name: "grep", args: { pattern: "login" } }] },
    { tools: [todos(["Find where the login starts", "completed"], ["Follow the session cookie", "completed"])] },
    { stream: { chunks: 6, everyMs: 100 }, text },
  ]
  const names = [
    "Find the login code",
    "Review the session store",
    "Trace a slow start",
    "Write the parser's tests",
    "Document the public API",
    "List dead exports",
  ]
  const done = await Promise.all(
    names.map((description, i) =>
      t.run(
        { id: `look${i}`, turns: turns(`${description}: see src/login.ts`) },
        { description, model: i % 2 === 0 ? "acme/fast" : "globex/large", agent: i < 3 ? "planner" : "general" },
      ),
    ),
  )
  await Promise.all(done.map((task) => task.done))
  const live = await Promise.all(
    ["Port the build", "Check the forms", "Measure start-up"].map((description, i) =>
      t.run({ id: `live${i}`, turns: [endless] }, { description, model: "acme/fast" }),
    ),
  )
  const failed = await t.run(
    { id: "fails", turns: [{ status: 400, message: "The model refused" }] },
    { description: "Summarise the issues", model: "globex/large" },
  )
  await failed.done

  for (const [name, look] of Object.entries({
    light: { colorScheme: "light" as const },
    dark: { colorScheme: "dark" as const },
    narrow: { colorScheme: "light" as const, viewport: { width: 400, height: 800 } },
  })) {
    await using b = await browser.tab(look)
    await b.tab.goto(page.link())
    await b.tab.waitForSelector(inState(live[2]?.id ?? "", "pending"))
    expect([name, await serious(b.tab)]).toEqual([name, []])
    await picture(b.tab, name)
    // No sideways scrolling of the page itself.
    expect(await b.tab.evaluate("document.documentElement.scrollWidth <= innerWidth")).toBe(true)

    await b.tab.keyboard.press("/")
    await b.tab.keyboard.type("find the login")
    await b.tab.locator(".row:only-child").waitFor()
    await b.tab.keyboard.press("Escape")
    await b.tab.locator(".rows").focus()
    await b.tab.keyboard.press("Enter")
    await b.tab.locator(".detail .result").waitFor()
    expect(await b.tab.evaluate("document.activeElement?.tagName")).toBe("H2")
    expect([name, await serious(b.tab)]).toEqual([name, []])
    await picture(b.tab, `${name}-detail`)
    await b.tab.keyboard.press("Escape")
    await b.tab.locator(".detail").waitFor({ state: "detached" })
    expect(b.errors).toEqual([])
  }
}, 90_000)

test("the stream has every event of the bus in its order", async () => {
  await using t = await lanesOn(oc)
  await using page = await servePage(t.lanes, { token: false })
  const end = new AbortController()
  const answer = await fetch(`${page.url}api/events`, { signal: end.signal })
  const task = await t.run({ id: "ps", turns: [{ text: "x" }] })
  await task.done
  await t.lanes.close()
  const count = t.heard.length
  let text = ""
  for await (const chunk of answer.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += chunk
    if (text.split("\ndata: ").length > count) break
  }
  end.abort()
  const told = [...text.matchAll(/^data: (.+)$/gm)].map(
    ([, json = ""]) => (JSON.parse(json) as { event: { type: EventType; seq: number } }).event,
  )
  expect(told.map(({ type, seq }) => [seq, type])).toEqual(t.heard.map(({ type, seq }) => [seq, type]))
}, 30_000)
