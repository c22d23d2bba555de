import type { Script, ScriptedTurn } from "../../../src/cli/demo/scripted-model.ts"

/** A task whose end is known: after how many calls of the model its agent has nothing left to do. */
export interface Scripted {
  readonly kind: string
  readonly script: Script
  readonly calls: number
  /** It ends in an error of the provider. */
  readonly fails: boolean
}

const todos = (status: string): ScriptedTurn => ({
  tools: [{ name: "todowrite", args: { todos: [{ content: "look", status, priority: "high" }] } }],
})
const grep: ScriptedTurn = { tools: [{ name: "grep", args: { pattern: "login" } }] }

/** What agents do, from the kindest to the hardest to judge. `n` spreads their times. */
const KINDS: Readonly<Record<string, (n: number) => Omit<Script, "id"> & { readonly fails?: boolean }>> = {
  "fast answer (0.3–0.8 s)": (n) => ({ turns: [{ wait: 300 + 100 * (n % 5), text: "Found it." }] }),
  "idle early (3–4 s, two steps)": (n) => ({
    turns: [
      { ...grep, wait: 1_400 },
      { wait: 1_500 + 150 * (n % 5), text: "Found it." },
    ],
  }),
  "three steps (8–10 s)": (n) => ({
    turns: [
      { ...grep, wait: 2_500 },
      { ...grep, wait: 2_500 },
      { wait: 3_000 + 400 * (n % 5), text: "Found it." },
    ],
  }),
  "silent tool (18 s)": (n) => ({
    turns: [
      { tools: [{ name: "bash", args: { command: `sleep ${17.5 + 0.3 * (n % 5)}`, description: "waits" } }] },
      { wait: 300, text: "Found it." },
    ],
  }),
  "long stream (20 s)": (n) => ({
    turns: [{ stream: { chunks: 40 + (n % 5), everyMs: 480 }, text: "A long answer. ".repeat(60) }],
  }),
  "open TODO, goes on when asked": () => ({
    turns: [todos("in_progress"), { text: "I stop here." }],
    onPrompt: [todos("completed"), { text: "Now it is done." }],
  }),
  "provider error": () => ({ turns: [{ wait: 200, status: 400, message: "bad request" }], fails: true }),
}

/** `each` tasks of each kind, mixed. */
export function population(prefix: string, each: number): Scripted[] {
  return Array.from({ length: each }, (_, n) =>
    Object.entries(KINDS).map(([kind, make], k) => {
      const { fails = false, ...script } = make(n)
      return {
        kind,
        fails,
        calls: script.turns.length + (script.onPrompt?.length ?? 0),
        script: { id: `${prefix}-${k}-${n}`, ...script },
      }
    }),
  ).flat()
}

/** The kinds there are, in order. */
export const kinds: readonly string[] = Object.keys(KINDS)

/** OpenCode's own sub-agents may not write TODOs; this one may. */
export const AGENT = "planner"
export const AGENTS: Readonly<Record<string, unknown>> = {
  [AGENT]: {
    mode: "subagent",
    description: "Plans",
    prompt: "You plan.",
    permission: { todowrite: "allow", bash: "allow" },
  },
}
