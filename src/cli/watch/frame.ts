import type { Colors } from "../output/colors.ts"

/** Where and when the watch is painted. */
export interface Frame {
  readonly columns: number
  readonly rows: number
  /** Epoch ms. */
  readonly now: number
  readonly colors: Colors
  readonly title: string
}
