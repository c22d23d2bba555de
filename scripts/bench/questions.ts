import type { Question } from "./harness/answer.ts"

/** Every question, quick ones first; the keys are the names to give to `bun run bench`. */
export const questions: Readonly<Record<string, () => Promise<{ readonly question: Question }>>> = {
  core: () => import("./questions/core.ts"),
  dispatch: () => import("./questions/dispatch.ts"),
  pools: () => import("./questions/pools.ts"),
  makespan: () => import("./questions/makespan.ts"),
  completion: () => import("./questions/completion.ts"),
  plugins: () => import("./questions/plugins.ts"),
  cost: () => import("./questions/cost.ts"),
  simulation: () => import("./questions/simulation.ts"),
  journal: () => import("./questions/journal.ts"),
  package: () => import("./questions/package.ts"),
}
