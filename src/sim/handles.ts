import { checkPrompt } from "../check-input.ts"
import type { TaskRow, TaskSpec } from "../core/task.ts"
import type { AgentScript } from "./agent.ts"
import type { Duration } from "./duration.ts"
import { parseDuration } from "./duration.ts"
import type { FaultClass } from "./faults.ts"
import { deleteConversation } from "./mishaps.ts"
import type { World } from "./world.ts"
import { taskID } from "./world.ts"

/** What a simulated task is asked to be; the rest is filled in. */
export type LaunchSpec = Partial<Omit<TaskSpec, "parent">> & { readonly batch?: string }

/** Who does what conversations and tasks are asked to. */
export interface Stagehand {
  readonly world: World
  launch(spec: LaunchSpec & { readonly parent?: string }, script: AgentScript): SimTask
  act(what: FaultClass, effect: (world: World) => void): void
}

/** A simulated conversation. */
export class SimParent {
  readonly id: string
  readonly #sim: Stagehand

  /** @internal */
  constructor(sim: Stagehand, id: string) {
    this.#sim = sim
    this.id = id
  }

  launch(spec: LaunchSpec, script: AgentScript): SimTask {
    return this.#sim.launch({ ...spec, parent: this.id }, script)
  }

  /** A turn of its own, so long: what it is owed waits. */
  busy(span: Duration): void {
    const ms = parseDuration(span, "how long the conversation is busy")
    this.#sim.act("parent.busy", (world) => {
      const conversation = world.conversation(this.id)
      conversation.busyUntil = Math.max(conversation.busyUntil, world.loop.now + ms)
    })
  }

  delete(): void {
    this.#sim.act("parent.deleted", (world) => deleteConversation(world, this.id))
  }
}

/** A simulated task. */
export class SimTask {
  readonly id: string
  /** The how manieth launch. */
  readonly of: number
  readonly #sim: Stagehand

  /** @internal */
  constructor(sim: Stagehand, of: number) {
    this.#sim = sim
    this.of = of
    this.id = taskID(of)
  }

  get row(): TaskRow | undefined {
    return this.#sim.world.coordinator?.get(this.id)
  }

  cancel(options: { readonly silent?: boolean } = {}): void {
    this.#sim.act("user.cancel", (world) => void (this.row && world.coordinator?.cancel(this.id, options)))
  }

  /** A new epoch when it has ended, else a follow-up. */
  continue(prompt: string, script?: AgentScript): void {
    checkPrompt(prompt)
    this.#sim.act("user.continue", (world) => {
      if (this.row === undefined) return
      if (script !== undefined) world.tasks.get(this.id)?.scripts.set(prompt, script.checked().acts)
      world.coordinator?.continue(this.id, prompt)
    })
  }

  /** Its session is deleted behind the runtime's back. */
  deleteSession(): void {
    this.#sim.act("session.deleted", (world) => {
      const id = this.row?.sessionID
      if (id !== undefined && world.server.sessions.get(id)?.deleted === false) world.server.delete(id)
    })
  }
}
