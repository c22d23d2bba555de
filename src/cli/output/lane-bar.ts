import type { LaneView } from "../../core/lanes.ts"
import type { Colors } from "./colors.ts"

const MOST_SQUARES = 12

/** Slots as squares: `■■□ 2/3 queue 1`; of a large lane only as many as fit, with `squares: false` none. */
export function laneBar(
  lane: LaneView,
  colors: Colors,
  { squares = true }: { readonly squares?: boolean } = {},
): string {
  const { used, limit, queued } = lane
  const queue = queued > 0 ? colors.yellow(` queue ${queued}`) : ""
  const numbers = `${used}/${limit ?? "∞"}${queue}`
  const all = limit === null ? used : Math.max(limit, used)
  if (!squares || all === 0) return numbers
  const scale = all > MOST_SQUARES ? MOST_SQUARES / all : 1
  const full = Math.ceil(used * scale)
  const free = Math.max(0, Math.round(all * scale) - full)
  return `${colors.cyan("■".repeat(full))}${colors.dim("□".repeat(free))} ${numbers}`
}
