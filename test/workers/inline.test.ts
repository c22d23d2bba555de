import { describe, expect, test } from "bun:test"

import { SystemClock } from "../../src/adapters/system-clock.ts"
import { InlineThreads } from "../../workers/inline.ts"
import { testThreads } from "../contract/threads.ts"
import { assignmentOf, promptOf, runOf, STOP } from "../helpers/assignments.ts"
import { Heard } from "../helpers/heard.ts"
import { NotingTransport } from "../helpers/noting-transport.ts"
import { puppetRole } from "../helpers/puppet.ts"

const clock = new SystemClock()
const create = (transport = new NotingTransport()): InlineThreads =>
  new InlineThreads({ transport, clock, load: () => Promise.resolve(puppetRole()) })

testThreads({ create: () => create() })

describe("inline", () => {
  test("a run that throws or rejects is lost alone", async () => {
    const threads = create()
    const heard = new Heard(threads)
    const [well, refusing, rejecting] = [runOf("bg_well"), runOf("bg_refusing"), runOf("bg_rejecting")]
    threads.run(assignmentOf(well))
    threads.run(assignmentOf(refusing, { title: "refuses to start" }))
    threads.run(assignmentOf(rejecting, { prompts: [promptOf(0, "!reject-done broken")] }))
    await heard.until("worker-lost", ({ runs }) => runs[0]?.task === "bg_rejecting")
    expect(heard.all.filter(({ type }) => type === "worker-lost")).toEqual([
      { type: "worker-lost", worker: "inline", cause: "Error: refused to start", runs: [refusing] },
      { type: "worker-lost", worker: "inline", cause: "Error: broken", runs: [rejecting] },
    ])
    threads.command(well, STOP)
    await heard.of(well, "stopped")
    await threads.close()
  })

  test("a role that cannot be loaded loses each run", async () => {
    const threads = new InlineThreads({
      transport: new NotingTransport(),
      clock,
      load: () => Promise.reject(new Error("no such module")),
    })
    const heard = new Heard(threads)
    threads.run(assignmentOf(runOf("bg_a")))
    expect(await heard.until("worker-lost")).toMatchObject({ runs: [runOf("bg_a")], cause: "Error: no such module" })
  })

  test("the same fence: a newer attempt takes the server from the older one", async () => {
    const transport = new NotingTransport()
    const threads = create(transport)
    const heard = new Heard(threads)
    const [older, newer] = [runOf("bg_twice", 1), runOf("bg_twice", 2)]
    threads.run(assignmentOf(older, { prompts: [promptOf(0, "!fetch GET /hang")] }))
    await transport.until(({ asked }) => asked.length === 1)
    threads.run(assignmentOf(newer))
    await heard.of(older, "poll-failed", ({ message }) => message === "RUN_MOVED_ON")
    threads.command(older, { type: "prompt", prompt: promptOf(1, "!fetch POST /session/s/abort") })
    threads.command(newer, { type: "prompt", prompt: promptOf(1, "!fetch POST /session/s/prompt_async") })
    await heard.of(newer, "poll-failed", ({ message }) => message === "200 POST /session/s/prompt_async")
    expect(transport.asked).toEqual(["GET /hang", "POST /session/s/prompt_async"])
    await threads.close()
  })
})
