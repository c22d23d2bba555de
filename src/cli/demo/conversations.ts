/** What the demo delegates: questions about the sample project, and how the scripted model works on each. */

import type { ScriptedTool, ScriptedTurn } from "./script.ts"
import { scripted } from "./script.ts"

/** One task of the demo. */
export interface DemoTask {
  /** The first one the server has is taken. */
  readonly agents: readonly string[]
  readonly description: string
  readonly prompt: string
}

/** Lanes the demo shows: one of a provider, one of a single model, and the default one. */
export const DEMO_LANES = {
  defaultConcurrency: 3,
  providerConcurrency: { acme: 2 },
  modelConcurrency: { "globex/large": 1 },
}

/** Provider → models, as the private home wants them. Prices are made up, so that a cost can be seen. */
export const DEMO_PROVIDERS = {
  acme: { fast: {}, small: {} },
  globex: { large: { cost: { input: 15, output: 75 } } },
  initech: { mini: {} },
}

/** Short words for OpenCode's states of a TODO. */
const STATUS = { open: "pending", active: "in_progress", done: "completed" } as const

const READ_ONLY = { edit: "deny", bash: "deny", webfetch: "deny", todowrite: "allow" }

/** The three agents, each with a model of its own, so that each works in a lane of its own. */
export const DEMO_AGENTS: Readonly<Record<string, object>> = {
  explore: { ...agent("Finds things in the code."), model: "acme/fast" },
  librarian: { ...agent("Knows the documentation."), model: "initech/mini" },
  oracle: { ...agent("Reviews the architecture."), model: "globex/large" },
}

function agent(description: string): object {
  return {
    mode: "subagent",
    description,
    prompt: `${description} Read only; answer in two sentences.`,
    permission: READ_ONLY,
  }
}

/** More tasks than the lanes admit at once: five, two and two for the limits 2, 1 and 3. */
export const DEMO_TASKS: readonly DemoTask[] = [
  task("explore", "Find the login code", "Where is somebody signed in, and who calls that?", [
    think(700, grep("login\\(")),
    think(900, read("src/auth/login.ts")),
    think(700, read("src/routes.ts")),
    answer(
      "login() in src/auth/login.ts checks name and password and opens a session. Only route() in src/routes.ts calls it, for POST /login.",
    ),
  ]),
  task("librarian", "How sessions end", "When does a session end, by the documents and by the code?", [
    think(800, read("docs/sessions.md")),
    think(900, grep("IDLE_MS")),
    think(800, read("src/auth/session.ts")),
    answer(
      "Both say 30 minutes without a request. The documents add that a restart signs everybody out: tokens live in memory.",
    ),
  ]),
  task("oracle", "Review the session design", "Is the session design fit for two servers behind a load balancer?", [
    think(700, todos(["Read the session store", "active"], ["Read how it is used", "open"], ["Judge", "open"])),
    think(900, read("src/auth/session.ts"), read("src/server.ts")),
    think(800, todos(["Read the session store", "done"], ["Read how it is used", "done"], ["Judge", "active"])),
    think(900, todos(["Read the session store", "done"], ["Read how it is used", "done"], ["Judge", "done"])),
    answer(
      "Not yet: sessions are a Map inside one process, so the second server knows nobody. Move them to a shared store behind openSession() and userOf().",
    ),
  ]),
  task("explore", "Trace a checkout", "What happens between POST /checkout and the answer?", [
    think(800, grep("checkout")),
    think(900, read("src/cart/checkout.ts"), read("src/money.ts")),
    answer(
      "route() takes the user's cart, checkout() adds up the cents, takes 5 % off above €100 and formats the total with format().",
    ),
  ]),
  task("explore", "List the routes", "Which routes are there, and which need a login?", [
    think(800, grep("pathname ===")),
    think(900, read("src/routes.ts")),
    answer(
      "Three: POST /login is open to all; GET /cart and POST /checkout need a session, else 401. All else is 404.",
    ),
  ]),
  task("librarian", "Check the money rules", "Does the code follow docs/money.md?", [
    think(800, read("docs/money.md"), read("src/money.ts")),
    think(900, todos(["Compare rounding", "done"], ["Compare formatting", "done"])),
    answer(
      "Yes: amounts are integer cents, percentOff() rounds once per order, and format() is the only place with decimals.",
    ),
  ]),
  task("oracle", "Judge the error handling", "What happens when something goes wrong in a request?", [
    think(800, grep("try|catch|throw")),
    think(900, read("src/server.ts")),
    think(800, read("src/cart/checkout.ts")),
    answer(
      "Nothing catches: an exception in route() ends the process for everybody. Answer 500 in src/server.ts and log the error there.",
    ),
  ]),
  task("explore", "Find what is unfinished", "Which places are marked as unfinished?", [
    think(800, grep("TODO")),
    think(800, read("src/auth/login.ts"), read("src/cart/checkout.ts")),
    answer(
      "Two: passwords are compared in plain text (src/auth/login.ts), and an empty cart can be checked out (src/cart/checkout.ts).",
    ),
  ]),
  task("explore", "Find untested code", "Which modules have no test?", [
    think(700, glob("test/**/*.ts"), glob("src/**/*.ts")),
    think(900, read("test/money.test.ts")),
    answer("Only src/money.ts is tested. The login, the sessions, the cart, the checkout and the routes are not."),
  ]),
]

function task(agentName: string, description: string, question: string, turns: ScriptedTurn[]): DemoTask {
  const id = description.toLowerCase().replaceAll(" ", "-")
  return { agents: [agentName], description, prompt: scripted(question, { id, turns }) }
}

/** The model takes its time, then calls tools. */
function think(wait: number, ...tools: ScriptedTool[]): ScriptedTurn {
  return { wait, tools, usage: { in: 900 + wait, out: 40 * tools.length } }
}

/** The last turn: the answer, word by word. */
function answer(text: string): ScriptedTurn {
  return { wait: 300, text, stream: { chunks: 12, everyMs: 60 }, usage: { in: 2600, out: Math.round(text.length / 4) } }
}

function grep(pattern: string): ScriptedTool {
  return { name: "grep", args: { pattern } }
}

function glob(pattern: string): ScriptedTool {
  return { name: "glob", args: { pattern } }
}

function read(filePath: string): ScriptedTool {
  return { name: "read", args: { filePath } }
}

function todos(...items: (readonly [string, keyof typeof STATUS])[]): ScriptedTool {
  const list = items.map(([content, status]) => ({ content, status: STATUS[status], priority: "medium" }))
  return { name: "todowrite", args: { todos: list } }
}
