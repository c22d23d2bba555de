/** TODOs a run leaves open: asked to go on, then given up. */
import { describe, expect, test } from "bun:test"
import { answer, CoreRig } from "../helpers/core-rig.ts"

const OPEN = { open: 2, digest: "two open" }

describe("open TODOs", () => {
  test("a run with open TODOs is asked to go on, so often, then given up with its last text", () => {
    const rig = new CoreRig({ todoNudges: 2 })
    const { id, prompt } = rig.running()
    let asked = prompt
    for (let nudge = 1; nudge <= 2; nudge++) {
      for (let i = 0; i < 2; i++) rig.snapshot(id, { ...answer(asked), todos: OPEN })
      expect(rig.commands()).toMatchObject([{ type: "prompt", prompt: { kind: "nudge", n: nudge } }])
      asked = rig.prompted(id)
    }
    for (let i = 0; i < 2; i++) rig.snapshot(id, { ...answer(asked), todos: OPEN })
    expect(rig.row(id)).toMatchObject({ state: "running", nudges: 2 })
    rig.poll(id, rig.options.staleTimeoutMs + 4_000, { ...answer(asked), todos: OPEN })
    expect(rig.row(id).outcome).toMatchObject({ reason: "TODOS_OPEN", text: "The answer." })
  })

  test("without open ones it is done; with ones it had before, too", () => {
    const rig = new CoreRig()
    const id = rig.launch({ sessionID: "ses_old" })
    rig.step({ type: "session", run: rig.ref(id), sessionID: "ses_old", todos: OPEN })
    const prompt = rig.prompted(id)
    for (let i = 0; i < 2; i++) rig.snapshot(id, { ...answer(prompt), todos: OPEN })
    expect(rig.reason(id)).toBe("FINISHED")
  })

  test("TODOs that could not be read leave the question open", () => {
    const rig = new CoreRig()
    const { id, prompt } = rig.running()
    const { todos: _, ...unread } = answer(prompt)
    for (let i = 0; i < 3; i++) rig.snapshot(id, unread)
    expect(rig.row(id).state).toBe("running")
    rig.snapshot(id, answer(prompt))
    expect(rig.reason(id)).toBe("FINISHED")
  })

  test("a nudge is stored before it is sent, under an id of its own", () => {
    const rig = new CoreRig()
    const { id, prompt } = rig.running()
    for (let i = 0; i < 2; i++) rig.snapshot(id, { ...answer(prompt), todos: OPEN })
    const [row] = rig.journaled()
    expect(row?.prompts.map((of) => of.kind)).toEqual(["first", "nudge"])
    expect(new Set(row?.prompts.map((of) => of.tail)).size).toBe(2)
  })

  test("a run is not done before its nudge is answered", () => {
    const rig = new CoreRig()
    const { id, prompt } = rig.running()
    for (let i = 0; i < 2; i++) rig.snapshot(id, { ...answer(prompt), todos: OPEN })
    for (let i = 0; i < 5; i++) rig.snapshot(id, answer(prompt))
    expect(rig.row(id).state).toBe("running")
    const nudge = rig.prompted(id)
    rig.finish(id, nudge)
    expect(rig.reason(id)).toBe("FINISHED")
  })
})
