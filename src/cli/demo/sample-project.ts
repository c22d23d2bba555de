/** The project the demo's agents look at: a small shop with a login, a cart and a checkout. */

import { mkdirSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"

const FILES: Readonly<Record<string, string>> = {
  "README.md": `# Corner shop

A small web shop. Start it with \`npm start\`; it listens on port 3000.

Sign in, fill the cart, check out. Prices are integers in cents, see docs/money.md.
`,
  "package.json": `{
  "name": "corner-shop",
  "private": true,
  "type": "module",
  "scripts": { "start": "node src/server.ts", "test": "node --test" }
}
`,
  "docs/money.md": `# Money

Every amount is an integer number of cents. Add and multiply integers; format at the edge, in \`format()\`.
Rounding happens once per order, after all discounts, and never per line.
`,
  "docs/sessions.md": `# Sessions

A session is a random token in a cookie. It ends after 30 minutes without a request.
The cookie is HttpOnly and SameSite=Lax. Tokens live in memory: a restart signs everybody out.
`,
  "src/server.ts": `import { createServer } from "node:http"
import { route } from "./routes.ts"

createServer((request, response) => {
  const { status, body } = route(request.method ?? "GET", request.url ?? "/", request.headers.cookie)
  response.writeHead(status).end(body)
}).listen(3000)
`,
  "src/routes.ts": `import { login } from "./auth/login.ts"
import { userOf } from "./auth/session.ts"
import { cartOf } from "./cart/cart.ts"
import { checkout } from "./cart/checkout.ts"

export interface Answer {
  status: number
  body: string
}

export function route(method: string, url: string, cookie = ""): Answer {
  const { pathname, searchParams } = new URL(url, "http://shop.example")
  if (method === "POST" && pathname === "/login") {
    const token = login(searchParams.get("name") ?? "", searchParams.get("password") ?? "")
    return token ? { status: 200, body: token } : { status: 401, body: "wrong name or password" }
  }
  const user = userOf(cookie)
  if (!user) return { status: 401, body: "please sign in" }
  if (method === "GET" && pathname === "/cart") return { status: 200, body: JSON.stringify(cartOf(user)) }
  if (method === "POST" && pathname === "/checkout") return { status: 200, body: checkout(cartOf(user)) }
  return { status: 404, body: "not here" }
}
`,
  "src/auth/login.ts": `import { openSession } from "./session.ts"

const users = new Map([["ada", "swordfish"]])

/** A session token, or undefined when name and password do not belong together. */
export function login(name: string, password: string): string | undefined {
  // TODO: passwords are compared in plain text; hash them before going live
  if (users.get(name) !== password) return undefined
  return openSession(name)
}
`,
  "src/auth/session.ts": `const IDLE_MS = 30 * 60 * 1000
const sessions = new Map<string, { user: string; seen: number }>()

export function openSession(user: string): string {
  const token = crypto.randomUUID()
  sessions.set(token, { user, seen: Date.now() })
  return token
}

export function userOf(cookie: string): string | undefined {
  const token = /session=([^;]+)/.exec(cookie)?.[1] ?? ""
  const session = sessions.get(token)
  if (!session || Date.now() - session.seen > IDLE_MS) return undefined
  session.seen = Date.now()
  return session.user
}
`,
  "src/cart/cart.ts": `export interface Line {
  title: string
  cents: number
  quantity: number
}

const carts = new Map<string, Line[]>()

export function cartOf(user: string): Line[] {
  const lines = carts.get(user) ?? []
  carts.set(user, lines)
  return lines
}
`,
  "src/cart/checkout.ts": `import type { Line } from "./cart.ts"
import { format, percentOff } from "../money.ts"

export function checkout(lines: Line[]): string {
  const total = lines.reduce((sum, line) => sum + line.cents * line.quantity, 0)
  // TODO: an empty cart is charged zero; refuse it
  return \`Thank you. You pay \${format(total > 10000 ? percentOff(total, 5) : total)}.\`
}
`,
  "src/money.ts": `export function percentOff(cents: number, percent: number): number {
  return Math.round(cents * (1 - percent / 100))
}

export function format(cents: number): string {
  return \`€\${(cents / 100).toFixed(2)}\`
}
`,
  "test/money.test.ts": `import assert from "node:assert/strict"
import test from "node:test"
import { format, percentOff } from "../src/money.ts"

test("five percent off", () => assert.equal(percentOff(10000, 5), 9500))
test("two digits", () => assert.equal(format(5), "€0.05"))
`,
}

/** Writes the project into a new folder and makes it a git repository where there is git. */
export function writeSampleProject(folder: string, env: Record<string, string>): string {
  for (const [path, text] of Object.entries(FILES)) {
    const file = join(folder, path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
  }
  // OpenCode finds a project by its repository; without git it works in the folder as it is.
  const git = Bun.which("git", { PATH: env["PATH"] ?? "" })
  if (git !== null) Bun.spawnSync([git, "init", "-q"], { cwd: folder, env })
  return folder
}
