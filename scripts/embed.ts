/**
 * A tool of one's own on top of the library: `bun run embed`.
 *
 * Three agents look at a sample project side by side, two at a time. Replace the demo's OpenCode by your own server
 * (`server: "http://127.0.0.1:4096"`, or `server: { spawn: true }`) and the prompts by yours.
 */
import { DEMO_TASKS } from "../src/cli/demo/conversations.ts"
import { startPrivateOpenCode } from "../src/cli/demo/private-opencode.ts"
import { createLanes } from "../src/index.ts"

await using opencode = await startPrivateOpenCode()
await using lanes = await createLanes({
  server: opencode.url,
  password: opencode.password,
  directory: opencode.directory,
  config: { defaultConcurrency: 2 },
  configFiles: false,
  // This server ends with this program. With one that stays, leave this out: then tasks outlive the program.
  journal: "memory",
})

// Subscribe by name, as often as you like; each `on` returns its undo.
lanes.on("task:queued", (event) => console.log(`queued   ${event.description} in ${event.lane}`))
lanes.on("task:started", (event) => console.log(`started  ${nameOf(event.id)} after ${event.queuedMs} ms`))
lanes.on("task:progress", (event) =>
  console.log(`working  ${nameOf(event.id)}, step ${event.steps} ${event.tool ?? ""}`),
)
lanes.on("task:settled", (event) => console.log(`settled  ${event.description}: ${event.outcome.reason}`))

const start = performance.now()
const tasks = await Promise.all(
  DEMO_TASKS.slice(0, 3).map(({ agents: [agent = "general"], description, prompt }) =>
    lanes.launch({ agent, description, prompt }),
  ),
)

// `done` never rejects: an outcome says how the task ended, whatever happened.
const outcomes = await Promise.all(tasks.map((task) => task.done))
for (const { state, text, durationMs } of outcomes) console.log(`\n${state} in ${Math.round(durationMs)} ms: ${text}`)

const apart = outcomes.reduce((sum, { durationMs }) => sum + durationMs, 0)
const together = performance.now() - start
console.log(`\n${outcomes.length} tasks in ${Math.round(together)} ms; one after another ${Math.round(apart)} ms`)
process.exitCode = outcomes.every(({ state }) => state === "completed") ? 0 : 1

function nameOf(id: string): string {
  return lanes.get(id)?.spec.description ?? id
}
