import type { FaultClass } from "./faults.ts"
import type { World } from "./world.ts"

/** What is left out of a simulation. */
export interface Left {
  readonly tasks: ReadonlySet<number>
  readonly faults: readonly FaultClass[]
}

/** Runs again at most so often. */
const TRIES = 60
const MOST_TASKS = 2_000

/** Leaves out faults and tasks as long as the same invariant fails; chance is keyed, so what stays does as before. */
export function shrink(world: World, invariant: number, again: (left: Left) => World): { world: World; left: Left } {
  let best = { world, left: { tasks: new Set<number>(), faults: [] as FaultClass[] } }
  if (world.tasks.size > MOST_TASKS) return best
  let tries = TRIES
  const attempt = (left: { tasks: Set<number>; faults: FaultClass[] }): boolean => {
    if (tries-- <= 0) return false
    const tried = again(left)
    if (tried.violation?.invariant !== invariant) return false
    best = { world: tried, left }
    return true
  }
  for (const fault of [...world.struck]) attempt({ ...best.left, faults: [...best.left.faults, fault] })
  for (
    let size = Math.ceil(world.tasks.size / 2);
    size >= 1 && tries > 0;
    size = size === 1 ? 0 : Math.ceil(size / 2)
  ) {
    const kept = [...Array(world.tasks.size).keys()].filter((of) => !best.left.tasks.has(of))
    if (kept.length <= 1) break
    for (let from = 0; from < kept.length && tries > 0; from += size) {
      const chunk = kept.slice(from, from + size)
      if (kept.length - chunk.length >= 0) attempt({ ...best.left, tasks: new Set([...best.left.tasks, ...chunk]) })
    }
  }
  // The world that is shown must be the smallest one, as it was left.
  return { world: again(best.left), left: best.left }
}

/** The line that shows a seed again: the test that called, as the stack tells. */
export function replayLine(seed: number): string {
  const frames = (new Error().stack ?? "").split("\n").slice(1)
  const outside = frames.find((frame) => /[.]test[.]tsx?:\d+/.test(frame))
  const file = /([^\s(]+[.]test[.]tsx?)/.exec(outside ?? "")?.[1]
  const cwd = `${process.cwd()}/`
  const path = file?.startsWith(cwd) === true ? file.slice(cwd.length) : file
  return `SIM_SEED=${seed} bun test ${path ?? ""}`.trim()
}
