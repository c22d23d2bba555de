/** Debian's Chromium, driven by playwright-core; one browser per file, a context per test. */

import { afterAll, beforeAll } from "bun:test"
import { existsSync, mkdirSync } from "node:fs"
import { join } from "node:path"
import { chromium } from "playwright-core"
import type { Browser, BrowserContextOptions, Page as Tab } from "playwright-core"

const PROGRAMS = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"]

export interface TestBrowser {
  /** A tab of its own context, closed when disposed; `errors` are the page's, violations of its policy included. */
  tab(options?: BrowserContextOptions): Promise<{ readonly tab: Tab; readonly errors: string[] } & AsyncDisposable>
}

export function useBrowser(): TestBrowser {
  let browser: Browser | undefined
  beforeAll(async () => {
    browser = await startBrowser()
  }, 30_000)
  afterAll(async () => {
    await browser?.close()
  }, 15_000)
  return {
    tab: async (options = {}) => {
      if (browser === undefined) throw new Error("The browser runs only inside tests and hooks")
      const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options })
      const tab = await context.newPage()
      tab.setDefaultTimeout(15_000)
      const errors: string[] = []
      tab.on("pageerror", (error) => errors.push(String(error)))
      // Requests that fail are the network's, and some tests take the server away.
      tab.on("console", (message) => {
        if (message.type() === "error" && !/Failed to load resource|net::ERR/.test(message.text()))
          errors.push(message.text())
      })
      return { tab, errors, [Symbol.asyncDispose]: () => context.close() }
    },
  }
}

function startBrowser(): Promise<Browser> {
  const program = PROGRAMS.find((path) => existsSync(path))
  if (program === undefined) throw new Error("Chromium is missing: apt-get install chromium")
  return chromium.launch({
    executablePath: program,
    args: ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"],
  })
}

/** Keeps a picture in the test run's report; a file run alone keeps none. */
export async function picture(tab: Tab, name: string): Promise<void> {
  const folder = process.env["LANES_REPORT"]
  if (folder === undefined) return
  mkdirSync(join(folder, "page"), { recursive: true })
  await tab.screenshot({ path: join(folder, "page", `${name}.png`) })
}
