import { drainMicrotasks } from "bun:jsc"

import type { SessionApi } from "../../src/coordinator/ports.ts"
import type { Act } from "../../src/sim/agent.ts"
import { agent } from "../../src/sim/agent.ts"
import type { AgentScript } from "../../src/sim/agent.ts"
import { simApi } from "../../src/sim/calls.ts"
import { Loop, SimProcess } from "../../src/sim/clock.ts"
import { Dice } from "../../src/sim/dice.ts"
import { SimServer } from "../../src/sim/server.ts"
import type { ContractTurn } from "../contract/session-api.ts"
import { sessionApiContract } from "../contract/session-api.ts"

sessionApiContract("simulated", () => {
  const loop = new Loop(1_767_225_600_000)
  const scripts = new Map<string, readonly Act[]>()
  const server = new SimServer({
    loop,
    dice: new Dice(1),
    scriptOf: (_, text) => scripts.get(text),
    numberOf: () => 0,
    hint: () => {},
  })
  const process = new SimProcess(loop, "test")
  const api = simApi({ loop, server, process, fate: (kind) => ({ ms: 3, early: kind.length % 2 === 0 }) })
  return {
    api: pumped(api, loop),
    clock: process.clock(),
    directory: "/sim",
    agent: "explore",
    script(turns) {
      const text = `script ${scripts.size + 1}`
      scripts.set(text, turns.reduce(played, agent()).acts)
      return text
    },
    async waitFor(probe) {
      for (let looks = 0; looks < 5_000; looks++) {
        const found = await probe()
        if (found !== undefined) return found
        if (!loop.step(loop.now + 50)) loop.skipTo(loop.now + 50)
      }
      throw new Error("It never came.")
    },
  }
})

function played(script: AgentScript, turn: ContractTurn): AgentScript {
  // What was said before ended the agent: what comes after is never played.
  if (script.acts.some((act) => act.do === "done" || act.do === "fail")) return script
  if ("say" in turn) return script.done(turn.say, turn.cutOff === true ? { finish: "length" } : {})
  if ("writeForMs" in turn) return script.stream(turn.writeForMs).done("words")
  if ("todos" in turn) return script.list(turn.todos)
  if ("fail" in turn) return script.fail(turn.fail)
  return turn.ask === "question" ? script.ask("question", [turn.question]) : script.ask("bash", ["ls"])
}

/** Virtual time passes while somebody waits for an answer. */
function pumped(api: SessionApi, loop: Loop): SessionApi {
  return new Proxy(api, {
    get(target, name) {
      const call = Reflect.get(target, name) as (...args: unknown[]) => Promise<unknown>
      return (...args: unknown[]) => {
        let open = true
        const answer = call(...args).finally(() => (open = false))
        answer.catch(() => {})
        drainMicrotasks()
        while (open && loop.step(loop.now + 30_000));
        return answer
      }
    },
  })
}
